//! `resume-call`: the refused call, unchanged, and once.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Desk, at_once, eventually, kill, start};

/// How many calls come at once.
const CROWD: usize = 32;

/// The call that waits in most tests here.
fn add_box() -> Value {
    json!({"name": "box", "destination": "me@box.example.org"})
}

#[test]
fn thirty_two_at_once_are_one_execution() {
    let desk = Desk::requiring(&["local_write"]);
    let id = desk.refused("add-host", &add_box());
    let grant = desk.approve(&id);
    let input = json!({"request_id": id});
    let calls = at_once((0..CROWD).map(|_| desk.command("resume-call", &input)));
    let mut effects: Vec<String> = Vec::new();
    for call in calls {
        let call = call.ok();
        assert_eq!(call.at("/outcome/succeeded"), true, "{}", call.line());
        assert_eq!(call.at("/outcome/effect"), "applied");
        assert_eq!(
            call.at("/outcome/data"),
            json!({"name": "box", "added": true})
        );
        assert_eq!(call.at("/request/attempts"), 1);
        effects.push(call.effect().to_owned());
    }
    effects.sort();
    assert_eq!(effects[0], "applied");
    assert!(
        effects[1..].iter().all(|effect| effect == "replayed"),
        "{effects:?}"
    );
    assert_eq!(desk.events(&id), ["requested", "granted", "begun", "ended"]);
    let listed = desk.call("list-authorizations", &json!({})).ok();
    assert_eq!(listed.at("/authorizations/0/authorization_id"), grant);
    assert_eq!(listed.at("/authorizations/0/used"), 1);
    // The answer stays, whatever happens to the world.
    desk.require(&[]);
    desk.call("remove-host", &json!({"name": "box"})).ok();
    let later = desk.call("resume-call", &input).ok();
    assert_eq!(later.effect(), "replayed");
    assert_eq!(later.at("/outcome/data/added"), true);
    let hosts = desk.call("list-hosts", &json!({})).ok();
    assert!(
        !hosts.line().contains("\"box\""),
        "it ran once: {}",
        hosts.line()
    );
}

#[test]
fn thirty_two_of_the_call_itself_are_one_execution_too() {
    let desk = Desk::requiring(&["local_write"]);
    let id = desk.refused("add-host", &add_box());
    desk.approve(&id);
    let calls = at_once((0..CROWD).map(|_| desk.command("add-host", &add_box())));
    let (mut applied, mut later) = (0, 0);
    for call in &calls {
        if call.is_ok() {
            applied += usize::from(call.effect() == "applied");
            assert_eq!(call.at("/added"), true, "{}", call.line());
        } else {
            // One that came when it had ended is a new call.
            assert_eq!(call.error_code(), "authorization_required");
            later += 1;
        }
    }
    assert_eq!(applied, 1, "{later} came later");
    assert_eq!(desk.events(&id), ["requested", "granted", "begun", "ended"]);
}

#[test]
fn a_call_whose_process_died_is_taken_up_and_no_use_is_counted_twice() {
    for (point, replays) in [("authorize.begun", false), ("authorize.ran", true)] {
        for direct in [false, true] {
            let desk = Desk::requiring(&["local_write"]);
            let id = desk.refused("add-host", &add_box());
            desk.approve(&id);
            let resume = json!({"request_id": id}).to_string();
            let arguments = if direct {
                [
                    "add-host".to_owned(),
                    "--json".to_owned(),
                    add_box().to_string(),
                ]
            } else {
                [
                    "resume-call".to_owned(),
                    "--json".to_owned(),
                    resume.clone(),
                ]
            };
            desk.world().killed(point, &arguments);
            let shown = json!({"request_id": id, "dry_run": true});
            let shown = desk.call("resume-call", &shown).ok();
            assert_eq!(shown.at("/request/state"), "begun");
            assert_eq!(shown.effect(), "none");

            let taken = desk.call("resume-call", &json!({"request_id": id})).ok();
            let effect = if replays { "replayed" } else { "applied" };
            assert_eq!(taken.at("/outcome/effect"), effect, "{point}");
            assert_eq!(taken.effect(), effect, "{point}");
            assert_eq!(taken.at("/request/attempts"), 2);
            assert_eq!(
                desk.events(&id),
                ["requested", "granted", "begun", "taken_up", "ended"]
            );
            let listed = desk.call("list-authorizations", &json!({})).ok();
            assert_eq!(listed.at("/authorizations/0/used"), 1);
        }
    }
}

#[test]
fn what_was_granted_for_a_scope_is_counted_once_for_a_call_that_died() {
    let desk = Desk::requiring(&["local_write"]);
    desk.grant("local_write", 1, "one");
    let input = add_box().to_string();
    desk.world()
        .killed("authorize.begun", ["add-host", "--json", &input]);
    // Somebody else's call finds nothing left.
    desk.refused("add-host", &json!({"name": "other"}));
    assert_eq!(desk.call("add-host", &add_box()).ok().effect(), "applied");
    let listed = desk.call("list-authorizations", &json!({})).ok();
    assert_eq!(listed.at("/authorizations/0/used"), 1);
}

#[test]
fn only_what_was_refused_and_let_through_is_resumed() {
    let desk = Desk::requiring(&["local_write"]);
    let id = desk.refused("add-host", &add_box());
    let resume = json!({"request_id": id});
    let waits = desk.call("resume-call", &resume);
    assert_eq!(waits.error_code(), "authorization_required");
    assert_eq!(waits.details()["request_id"], id);
    let unknown = json!({"request_id": "req-0000000000000000"});
    for primitive in ["resume-call", "grant-authorization"] {
        assert_eq!(
            desk.call(primitive, &unknown).error_code(),
            "request_unknown"
        );
    }
    let mut stray = resume.clone();
    stray["input"] = json!({"name": "other"});
    assert_eq!(
        desk.call("resume-call", &stray).error_code(),
        "spec_invalid"
    );
    // A grant of its scope lets it through too.
    desk.grant("local_write", 1, "for what waits");
    let resumed = desk.call("resume-call", &resume).ok();
    assert_eq!(resumed.effect(), "applied");
    assert_eq!(resumed.at("/request/state"), "executed");
    // What was let through and not begun waits again once the grant is taken back.
    let id = desk.refused("add-host", &json!({"name": "second"}));
    let grant = desk.approve(&id);
    desk.call("revoke-authorization", &json!({"authorization_id": grant}))
        .ok();
    let waiting = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(waiting.at("/waiting/0/id"), id);
    let waits = desk.call("resume-call", &json!({"request_id": id}));
    assert_eq!(waits.error_code(), "authorization_required");
}

#[test]
fn a_failure_of_the_call_is_data_and_may_be_tried_again() {
    let desk = Desk::requiring(&["worker_control"]);
    let job = json!({"job_id": "widgets-1-0123456789ab"});
    let id = desk.refused("cancel-job", &job);
    desk.approve(&id);
    let resume = json!({"request_id": id});
    for attempt in 1..=2 {
        let failed = desk.call("resume-call", &resume).ok();
        assert_eq!(failed.effect(), "none");
        assert_eq!(failed.at("/outcome/succeeded"), false);
        assert_eq!(failed.at("/outcome/error/error_code"), "job_not_found");
        assert_eq!(failed.at("/outcome/error/kind"), "not_found");
        assert_eq!(failed.at("/request/state"), "failed");
        assert_eq!(failed.at("/request/attempts"), attempt);
    }
    assert_eq!(desk.call("cancel-job", &job).error_code(), "job_not_found");
    let listed = desk.call("list-authorizations", &json!({})).ok();
    assert_eq!(listed.at("/authorizations/0/used"), 1);
}

#[test]
fn an_input_with_a_secret_is_not_kept_and_the_call_runs_by_itself() {
    const SECRET: &str = "ghp_Zq3xV7wK1mB9nR5tY2uP8sD4fG6hJ0aLcE";
    let mut desk = Desk::requiring(&["local_write"]);
    desk.world_mut().set("GH_TOKEN", SECRET);
    let input = json!({"name": "box", "path": [format!("/opt/{SECRET}/bin")]});
    let id = desk.refused("add-host", &input);
    let waiting = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(waiting.at("/waiting/0/input"), Value::Null);
    desk.approve(&id);
    let refused = desk.call("resume-call", &json!({"request_id": id}));
    assert_eq!(refused.error_code(), "call_not_kept");
    for file in ["legwork.db", "legwork.db-wal"] {
        let bytes = fs::read(desk.world().path("state/legwork").join(file)).unwrap_or_default();
        let found = bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes());
        assert!(!found, "the secret is in {file}");
    }
    assert_eq!(desk.call("add-host", &input).ok().effect(), "applied");
}

#[test]
fn a_call_that_depends_on_its_folder_is_resumed_there_alone() {
    let desk = Desk::requiring(&["local_write"]);
    let world = desk.world();
    for folder in ["here", "there"] {
        fs::create_dir(world.home().join(folder)).expect("a folder");
    }
    let input = json!({"target": "claude_md"});
    let from = |folder: &str, primitive: &str, input: &Value| {
        let mut command = desk.command(primitive, input);
        let output = command.current_dir(world.home().join(folder)).output();
        crate::support::Call::read(&output.expect("legwork starts"))
    };
    let refused = from("here", "install-assets", &input);
    let id = refused.details()["request_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let elsewhere = from("there", "install-assets", &input);
    assert_ne!(elsewhere.details()["request_id"], id, "it is another call");
    desk.approve(&id);
    let resume = json!({"request_id": id});
    let refused = from("there", "resume-call", &resume);
    assert_eq!(refused.error_code(), "call_elsewhere");
    let here = world.home().join("here").display().to_string();
    assert_eq!(refused.details()["path"], here);
    assert_eq!(
        from("here", "resume-call", &resume).ok().effect(),
        "applied"
    );
    assert!(world.home().join("here/CLAUDE.md").is_file());
    assert!(!world.home().join("there/CLAUDE.md").exists());
}

#[test]
fn what_another_version_refused_is_not_run_and_not_let_through() {
    let desk = Desk::requiring(&["local_write"]);
    let (granted, waiting) = (
        desk.refused("add-host", &add_box()),
        desk.refused("add-host", &json!({"name": "other"})),
    );
    desk.approve(&granted);
    // As if the schema of the primitive had been another one then.
    let database = desk.database();
    let record: String = database
        .query_row(
            "SELECT record FROM requests WHERE request_id = ?1",
            [&granted],
            |row| row.get(0),
        )
        .expect("the record");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    let interface = record["interface_sha256"].as_str().expect("a digest");
    let changed = database.execute(
        "UPDATE requests SET record = replace(record, ?1, ?2)",
        [interface, &"0".repeat(64)],
    );
    assert_eq!(changed, Ok(2));
    let refused = desk.call("resume-call", &json!({"request_id": granted}));
    assert_eq!(refused.error_code(), "request_closed");
    assert_eq!(refused.effect(), "none");
    let refused = desk.as_person("grant-authorization", &json!({"request_id": waiting}));
    assert_eq!(refused.error_code(), "request_closed");
}

#[test]
fn a_call_that_is_under_way_is_waited_for_and_its_time_is_said() {
    let desk = Desk::requiring(&["local_write"]);
    let id = desk.refused("add-host", &add_box());
    desk.approve(&id);
    // Somebody else holds the database, so that the call that has begun cannot come to its end.
    let database = desk.database();
    let mut first = desk.command("resume-call", &json!({"request_id": id}));
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the write lock");
    let mut child = start(&mut first);
    let locks = desk.world().path("state/legwork/locks");
    eventually("the lock of the call is taken", || {
        fs::read_dir(&locks).is_ok_and(|found| found.count() > 0)
    });
    let waits = desk.call("resume-call", &json!({"request_id": id, "timeout_s": 1}));
    assert_eq!(waits.error_code(), "deadline_exceeded");
    kill(child.id());
    child.wait().expect("it ends");
    database.execute_batch("ROLLBACK").expect("the lock goes");
    let done = desk.call("resume-call", &json!({"request_id": id})).ok();
    assert_eq!(done.effect(), "applied");
}
