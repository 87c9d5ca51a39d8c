//! Secrets reach the agent's environment, and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::support::Workplace;

const SECRET: &str = "q7Zt-4Kp0-vX2m-hush";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

fn holds(bytes: &[u8]) -> bool {
    bytes
        .windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes())
}

#[test]
fn a_secret_is_in_the_agents_environment_and_nowhere_else() {
    let (mut place, host) = Workplace::over_ssh("box");
    place.world_mut().set("KEY_OF_MINE", SECRET);
    place.world_mut().set("LEGWORK_LOG", "trace");
    // The agent leaves only a digest; what it says aloud is the only place the secret may turn up in.
    let proof = place.world().path("proof");
    place.waiting_agent(
        "keeper",
        &format!(
            "printf %s \"$THERE\" | sha256sum >'{}'; echo x >made.txt",
            proof.display()
        ),
    );
    place
        .world()
        .configure("[agents.keeper.secrets]\nTHERE = \"KEY_OF_MINE\"\n[agents.leaker]\nargv = [\"sh\", \"-c\", \"echo the key is $THERE; echo x >made.txt\"]\n[agents.leaker.secrets]\nTHERE = \"KEY_OF_MINE\"\n");
    let order = json!({"host": host.alias(), "message": format!("Use {SECRET} to log in.")});
    let mut answers = vec![place.launch("keeper", &order).ok()];
    let job_id = answers[0].text("/job/job_id");

    // While the agent runs, no command line shows it.
    let mut seen = 0;
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        if let Ok(line) = fs::read(entry.path().join("cmdline")) {
            seen += 1;
            assert!(!holds(&line), "{:?}", entry.path());
        }
    }
    assert!(seen > 3);
    place.release();
    for (primitive, input) in [
        ("wait-job", json!({"job_id": job_id, "wait_s": 60})),
        ("poll-job", json!({"job_ids": [job_id]})),
        ("tail-log", json!({"job_id": job_id, "format": "raw"})),
        ("list-jobs", json!({})),
        ("list-events", json!({})),
        ("get-config", json!({})),
        ("launch-investigation", Workplace::order("keeper", &order)),
        (
            "verify-fix",
            json!({"job_id": job_id, "verify": "test -e made.txt"}),
        ),
        ("cancel-job", json!({"job_id": job_id})),
    ] {
        answers.push(place.call(primitive, &input).ok());
    }
    // What the agent itself says aloud is masked here.
    let leaked = place.launched("leaker", &json!({"host": host.alias()}));
    place.ended(&leaked);
    let said = place
        .call("tail-log", &json!({"job_id": leaked, "format": "raw"}))
        .ok();
    assert_eq!(said.text("/text"), "the key is [secret]\n");
    answers.push(said);
    for answer in &answers {
        assert!(!holds(answer.line().as_bytes()), "{}", answer.line());
        assert!(!holds(answer.stderr().as_bytes()), "{}", answer.primitive());
    }

    let expected = place
        .world()
        .command("sh")
        .args(["-c", &format!("printf %s {SECRET} | sha256sum")])
        .output()
        .expect("a digest");
    assert_eq!(
        fs::read(&proof).expect("the agent's proof"),
        expected.stdout
    );

    let mut left = Vec::new();
    files(&host.home(), &mut left);
    files(&place.world().path("state"), &mut left);
    assert!(left.len() > 20);
    let own_words = place.run(&leaked);
    for file in left {
        if !file.starts_with(&own_words) || !file.ends_with("agent.log") {
            assert!(
                !holds(&fs::read(&file).expect("a file")),
                "{}",
                file.display()
            );
        }
    }
    assert!(!place.run(&job_id).join("secrets.sh").exists());
}

#[test]
fn a_secret_that_is_not_set_is_said_before_anything_starts() {
    let place = Workplace::here();
    place
        .world()
        .configure("[agents.mender.secrets]\nTHERE = \"KEY_OF_MINE\"\n");
    let call = place.launch("mender", &json!({}));
    assert_eq!(
        (call.error_code(), call.effect()),
        ("secret_unavailable", "none")
    );
    assert_eq!(call.details()["name"], "KEY_OF_MINE");
    assert_eq!(place.tally(), 0);
}
