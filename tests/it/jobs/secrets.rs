//! Secrets reach the agent's environment, and nothing else.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{CHECK, Faults, Workplace, schemas};

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
            "check-diff",
            json!({"job_id": job_id, "check": "test -e made.txt"}),
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

/// Lists the places of all values in a document.
fn places(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    found.insert(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{number}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What programs act on, by where it stands; none of it is free text.
const ACTED_ON: &[&str] = &[
    "/jobs/0/job_id",
    "/jobs/0/state",
    "/jobs/0/outcome",
    "/jobs/0/repository",
    "/jobs/0/base_commit",
    "/jobs/0/started_at",
    "/job/job_id",
    "/workspaces/0/repository",
    "/workspaces/0/profile",
    "/workspaces/0/state",
    "/profiles/0/name",
    "/folder",
    "/files/0/name",
    "/files/0/sha256",
    "/files/0/state",
    "/verification/verdict",
    "/primitive",
    "/input_schema",
    "/chapters",
    "/branch",
];

/// Calls a primitive and notes where its answer does not fit its schemas.
fn answer(place: &Workplace, primitive: &str, input: &Value, faults: &Faults) -> Value {
    let arguments = [primitive, "--json", &input.to_string()];
    let output = place
        .world()
        .legwork_command(arguments)
        .output()
        .expect("legwork starts");
    let (answer, broken) = schemas::judge(&output);
    for fault in broken {
        faults.note(format!("{primitive}: {fault}"));
    }
    answer
}

/// Notes what an answer has lost that programs act on.
fn compare(what: &str, now: &Value, then: &Value, faults: &Faults) {
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    for (found, answer) in found.iter_mut().zip([now, then]) {
        places(&answer["data"], "", found);
        places(&answer["details"], "", found);
    }
    faults.unless(found[0] == found[1], || {
        format!("{what}: the fields differ: {now}")
    });
    for place in ACTED_ON {
        let (now, then) = (now["data"].pointer(place), then["data"].pointer(place));
        faults.unless(now == then, || {
            format!("{what}: {place} is {now:?}, not {then:?}")
        });
    }
    let inputs = |answer: &Value| -> Vec<Value> {
        let next = answer["next"].as_array().into_iter().flatten();
        next.map(|next| next["input"].clone()).collect()
    };
    faults.unless(inputs(now) == inputs(then), || {
        format!("{what}: next is {}", now["next"])
    });
    let warned = now["warnings"].as_array().into_iter().flatten();
    let warned = warned.filter(|warning| warning.to_string().contains("DB_PASSWORD"));
    faults.unless(warned.count() <= 1, || format!("{what}: warned twice"));
}

#[test]
fn a_secret_that_is_an_ordinary_word_takes_nothing_from_an_answer() {
    let mut place = Workplace::here();
    let job_id = place.launched("mender", &json!({"verify": CHECK}));
    place.ended(&job_id);
    let job = json!({"job_id": job_id});
    let calls = [
        ("list-jobs", json!({})),
        ("poll-job", json!({"job_ids": [job_id]})),
        ("list-events", json!({"job_id": job_id})),
        ("list-workspaces", json!({})),
        ("list-profiles", json!({})),
        ("get-config", json!({})),
        ("capabilities", json!({})),
        ("describe", json!({"primitive": "list-jobs"})),
        ("fetch-artifacts", job.clone()),
        ("verify-fix", job.clone()),
        ("wait-job", job),
        ("cancel-job", json!({"job_id": "widgets-0123456789ab"})),
    ];
    let faults = Faults::default();
    let ask = |place: &Workplace| -> Vec<Value> {
        calls
            .iter()
            .map(|(primitive, input)| answer(place, primitive, input, &faults))
            .collect()
    };
    // The second time nothing is new any more.
    ask(&place);
    let honest = ask(&place);
    for word in [
        "widgets",
        "succeeded",
        "job_id",
        "changes",
        "configuration",
        "sha256",
        "generic",
        "legwork",
        "list-jobs",
        "mender",
        "verdict",
        "description",
    ] {
        place.world_mut().set("DB_PASSWORD", word);
        for ((now, then), (primitive, _)) in ask(&place).iter().zip(&honest).zip(&calls) {
            compare(&format!("{primitive} with {word}"), now, then, &faults);
        }
    }
    // In free text it is masked; where it stands among legwork's own words, the owner of the secret is warned.
    for (word, title, warnings) in [
        ("greeting", "The [secret] is misspelt.", 0),
        ("succeeded", "The greeting is misspelt.", 1),
    ] {
        place.world_mut().set("DB_PASSWORD", word);
        let listed = answer(&place, "list-jobs", &json!({}), &faults);
        assert_eq!(listed["data"]["jobs"][0]["title"], title);
        assert_eq!(
            listed["warnings"].as_array().map(Vec::len),
            Some(warnings),
            "{listed}"
        );
    }
    faults.none();
}
