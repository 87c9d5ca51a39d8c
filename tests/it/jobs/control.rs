//! The run's own control: what legwork believes and runs lies apart from what the agent writes, and an end is an end.

use std::{fs, os::unix::fs::symlink, path::Path};

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::json;

use crate::support::{MEND, Workplace, control, eventually, signal};

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Returns the processes that work in a folder, by what the kernel says of them.
fn at_work(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let there = fs::read_link(entry.path().join("cwd"));
        if there.is_ok_and(|there| there.starts_with(folder)) {
            found.push(read(&entry.path().join("cmdline")).replace('\0', " "));
        }
    }
    found
}

#[test]
fn what_legwork_believes_lies_where_no_agent_is_told_to_write() {
    let place = Workplace::here();
    place.agent(
        "looker",
        "echo hello >greeting.txt; env >../env; ls -A .. >../listed",
    );
    let job_id = place.launched("looker", &json!({}));
    let job = place.ended(&job_id);
    assert_eq!(job["outcome"], "unverified");
    let listed = read(&place.job(&job_id).join("listed"));
    for control in [
        "runs",
        "state",
        "command.sh",
        "leader",
        "key",
        "claim",
        "supervisor",
    ] {
        assert!(!listed.lines().any(|name| name == control), "{listed}");
    }
    let run = place.run(&job_id);
    for file in ["protocol", "state", "leader", "changes.diff", "agent.log"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    assert_eq!(read(&run.join("protocol")), "2\n");
    assert_eq!(
        (&job["contained"], &job["survivors"]),
        (&json!("pid_namespace"), &json!([]))
    );
}

#[test]
fn a_local_agent_gets_what_is_configured_and_not_what_the_caller_has() {
    let mut place = Workplace::here();
    let person = place.world().path("person");
    fs::create_dir(&person).expect("a folder");
    for (name, value) in [
        ("GH_TOKEN", "caller's"),
        ("SMTP_PASS", "caller's"),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("TMUX", "/tmp/tmux-0/default,1,0"),
        ("WANTED_ONE", "it's here"),
    ] {
        place.world_mut().set(name, value);
    }
    place
        .world_mut()
        .set("TMUX_TMPDIR", person.display().to_string());
    // The person's own server, which no run may find or end.
    let tmux = |arguments: &[&str]| {
        let mut command = place.world().command("tmux");
        // What the caller's own terminal is in would come before the folder.
        let command = command.env_remove("TMUX").args(arguments);
        command.output().expect("tmux runs")
    };
    assert!(
        tmux(&["new-session", "-d", "-s", "mine", "sleep 600"])
            .status
            .success()
    );
    place.agent(
        "looker",
        "env >../variables; tmux ls >../sessions 2>&1; tmux new-session -d -s agent 'sleep 60'
         tr '\\0' '\\n' </proc/1/environ >../first; echo hello >greeting.txt",
    );
    place
        .world()
        .configure("[hosts.local]\nenvironment = ['WANTED_ONE', 'UNSET_ONE']\n");
    let job_id = place.launched("looker", &json!({}));
    assert_eq!(place.ended(&job_id)["state"], "succeeded");
    for file in ["variables", "first"] {
        let names = read(&place.job(&job_id).join(file));
        for name in ["GH_TOKEN=", "SMTP_PASS=", "SSH_AUTH_SOCK=", "TMUX="] {
            assert!(!names.lines().any(|line| line.starts_with(name)), "{name}");
        }
        let is_wanted = names.lines().any(|line| line == "WANTED_ONE=it's here");
        assert!(is_wanted || file == "first", "{file}: {names}");
        assert!(names.lines().any(|line| line.starts_with("HOME=")));
    }
    let sessions = read(&place.job(&job_id).join("sessions"));
    assert!(!sessions.contains("mine"), "{sessions}");
    let sockets = read(&place.job(&job_id).join("variables"));
    let sockets = sockets
        .lines()
        .find_map(|line| line.strip_prefix("TMUX_TMPDIR="))
        .expect("a folder for sockets");
    assert!(
        sockets.len() <= 70 && !Path::new(sockets).exists(),
        "{sockets}"
    );
    let mine = String::from_utf8_lossy(&tmux(&["ls"]).stdout).into_owned();
    assert!(
        mine.starts_with("mine:") && !mine.contains("agent"),
        "{mine}"
    );
    tmux(&["kill-server"]);
}

#[test]
fn an_end_ends_what_gave_up_everything_of_its_run() {
    let place = Workplace::here();
    let escape = "cd ..; env -i setsid -f sh -c 'while :; do echo x >>late; sleep 0.05; done'; \
                  until [ -s late ]; do sleep 0.02; done; cd - >/dev/null; echo hello >greeting.txt";
    for (contain, contained, survivors) in [
        ("true", "pid_namespace", json!([])),
        ("false", "best_effort", json!(null)),
    ] {
        place.agent(contain, escape);
        place
            .world()
            .configure(&format!("[hosts.local]\ncontain = {contain}\n"));
        let job_id = place.launched(contain, &json!({}));
        let job = place.ended(&job_id);
        assert_eq!(
            (&job["state"], &job["contained"], &job["survivors"]),
            (&json!("succeeded"), &json!(contained), &survivors)
        );
        let late = place.job(&job_id).join("late");
        assert_eq!(at_work(&place.job(&job_id)), [""; 0]);
        let size = read(&late).len();
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert_eq!(read(&late).len(), size, "it writes after its end");

        let call = place.call("cancel-job", &json!({"job_id": job_id, "grace_s": 0}));
        assert_eq!(call.ok().effect(), "replayed");
    }
}

#[test]
fn a_wait_for_a_run_that_vanished_ends_after_a_few_looks() {
    let place = Workplace::here();
    place.waiting_agent("waiter", MEND);
    let job_id = place.launched("waiter", &json!({}));
    let run = place.run(&job_id);
    let supervisor = place
        .state_field(&job_id, "sup")
        .parse()
        .expect("a process");
    signal(supervisor, Signal::STOP.as_raw());
    let state = read(&run.join("state"));
    fs::remove_file(run.join("state")).expect("the state goes");
    let call = place.call("wait-job", &json!({"job_id": job_id, "wait_s": 60}));
    assert_eq!(call.error_code(), "job_folder_missing", "{}", call.line());
    assert!(call.round_trips() <= 8, "{}", call.round_trips());
    assert_eq!(place.poll(&job_id)["state"], "running");

    // An agent that removes its own folder ends all the same, and the wait with it.
    fs::write(run.join("state"), state).expect("the state is back");
    signal(supervisor, Signal::CONT.as_raw());
    place.release();
    assert_eq!(place.ended(&job_id)["state"], "succeeded");
    place.agent("vandal", "rm -rf ../* .[!.]* * 2>/dev/null; exit 0");
    let job_id = place.launched("vandal", &json!({"idempotency_key": "vandal"}));
    assert_eq!(place.ended(&job_id)["ended"], true);
}

#[test]
fn a_run_of_another_legwork_is_said_to_be_one_and_left_alone() {
    let place = Workplace::here();
    place.waiting_agent("waiter", MEND);
    let job_id = place.launched("waiter", &json!({}));
    let run = place.run(&job_id);
    let supervisor = place
        .state_field(&job_id, "sup")
        .parse()
        .expect("a process");
    let refused = || {
        let polled = place.poll(&job_id);
        assert_eq!(
            (&polled["state"], &polled["unreachable"]["error_code"]),
            (&json!("running"), &json!("run_unsupported"))
        );
        for (primitive, input) in [
            ("wait-job", json!({"job_id": job_id, "wait_s": 30})),
            ("cancel-job", json!({"job_id": job_id, "grace_s": 0})),
        ] {
            let call = place.call(primitive, &input);
            assert_eq!(call.error_code(), "run_unsupported", "{}", call.line());
        }
        assert!(Path::new(&format!("/proc/{supervisor}")).exists());
    };
    // A later legwork writes what this one cannot know.
    signal(supervisor, Signal::STOP.as_raw());
    let state = read(&run.join("state"));
    fs::write(run.join("state"), state.replace(" v=2 ", " v=3 ")).expect("a later state");
    fs::write(run.join("protocol"), "3\n").expect("a later protocol");
    refused();
    fs::write(run.join("state"), state).expect("the state");
    fs::write(run.join("protocol"), "2\n").expect("the protocol");
    signal(supervisor, Signal::CONT.as_raw());

    // An earlier one recorded no token.
    let database = place.world().path("state/legwork/legwork.db");
    let connection = Connection::open(database).expect("the database");
    let token: String = connection
        .query_row(
            "SELECT json_extract(record, '$.token') FROM jobs",
            [],
            |row| row.get(0),
        )
        .expect("a token");
    connection
        .execute(
            "UPDATE jobs SET record = json_remove(record, '$.token')",
            [],
        )
        .expect("an earlier record");
    refused();
    for primitive in ["tail-log", "fetch-artifacts"] {
        let call = place.call(primitive, &json!({"job_id": job_id}));
        assert_eq!(call.error_code(), "run_unsupported", "{primitive}");
    }
    connection
        .execute(
            "UPDATE jobs SET record = json_set(record, '$.token', ?1)",
            [token],
        )
        .expect("the record");
    place.release();
    assert_eq!(place.ended(&job_id)["state"], "succeeded");
    assert_eq!(place.started(1), 1);
}

#[test]
fn two_controllers_that_start_the_same_job_start_one_run() {
    let mut place = Workplace::here();
    place.waiting_agent("waiter", MEND);
    let job_id = place.launched("waiter", &json!({}));
    let other = place.world().path("other-home").display().to_string();
    place.world_mut().set("LEGWORK_HOME", other);
    place
        .call("provision-workspace", &json!({"repository": "widgets"}))
        .ok();
    let call = place.launch("waiter", &json!({})).ok();
    assert_eq!(
        (call.effect(), call.text("/job/job_id")),
        ("replayed", job_id.clone())
    );
    assert_eq!(place.poll(&job_id)["state"], "running");
    place.release();
    assert_eq!(place.ended(&job_id)["outcome"], "unverified");
    assert_eq!(place.started(1), 1);
    let folder = place.root().join("control").join(&job_id);
    let tokens = fs::read_dir(folder).expect("the folder").flatten();
    assert_eq!(tokens.filter(|entry| entry.path().is_dir()).count(), 1);
}

#[test]
fn secrets_that_were_lost_before_the_agent_ran_are_sent_again() {
    let mut place = Workplace::here();
    place.world_mut().set("KEY_OF_MINE", "q7Zt-4Kp0-vX2m");
    place.agent("keeper", "[ ${#THERE} = 14 ] && echo hello >greeting.txt");
    place
        .world()
        .configure("[agents.keeper.secrets]\nTHERE = \"KEY_OF_MINE\"\n");
    place.world_mut().set("LEGWORK_POINT", "before_agent");
    let job_id = place.launched("keeper", &json!({}));
    place.world_mut().set("LEGWORK_POINT", "");
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["reason"], &job["run"]),
        (&json!("failed"), &json!("secrets_lost"), &json!(1))
    );
    let call = place.launch("keeper", &json!({})).ok();
    assert_eq!(
        (call.effect(), call.text("/job/job_id")),
        ("applied", job_id.clone())
    );
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["run"], &job["outcome"]),
        (&json!("succeeded"), &json!(2), &json!("unverified"))
    );
    assert_eq!(place.started(1), 1);
}

#[test]
fn a_log_that_became_a_link_shows_nothing_of_what_it_leads_to() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let secret = place.world().path("secret");
    fs::write(&secret, "not for anybody\n").expect("a file");
    let run = place.run(&job_id);
    let parent = run.parent().expect("the folder of the job").to_owned();
    let aside = place.world().path("aside");
    for (what, link) in [
        ("agent.log", run.join("agent.log")),
        ("its folder", run.clone()),
    ] {
        let moved = if link == run { &run } else { &link };
        fs::rename(moved, &aside).expect("it moves");
        if link == run {
            symlink(&aside, &link).expect("a link");
        } else {
            symlink(&secret, &link).expect("a link");
        }
        let call = place
            .call("tail-log", &json!({"job_id": job_id, "format": "raw"}))
            .ok();
        assert_eq!(
            (call.text("/text").as_str(), call.at("/size_bytes")),
            ("", json!(0)),
            "{what}"
        );
        fs::remove_file(&link).expect("the link goes");
        fs::rename(&aside, moved).expect("it is back");
    }
    assert_eq!(
        control(&place.root(), &job_id).parent(),
        Some(parent.as_path())
    );
    eventually("the log", || {
        place
            .call("tail-log", &json!({"job_id": job_id}))
            .ok()
            .at("/ended")
            == true
    });
}
