//! What a launch or a verification leaves that was refused, interrupted, or asked for many times at once.

use std::{fs, path::Path};

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{CHECK, Call, MEND, Sshd, Workplace, eventually, in_own_mounts, signal};

/// Asserts that nothing is known of any job, and that no event speaks of one.
#[track_caller]
fn assert_no_job(place: &Workplace) {
    let listed = place.call("list-jobs", &json!({})).ok();
    assert_eq!(listed.at("/jobs"), json!([]));
    let events = place.call("list-events", &json!({})).ok();
    assert_eq!(events.at("/events"), json!([]));
}

#[test]
fn a_launch_that_was_never_sent_leaves_no_job() {
    let place = Workplace::empty();
    let mut host = Sshd::start(place.world(), "box");
    place.provision("box", &host.home());
    host.stop();
    let order = json!({"host": "box"});
    let call = place.launch("mender", &order);
    assert_eq!(
        (call.error_code(), call.effect()),
        ("ssh_unreachable", "none")
    );
    assert_no_job(&place);
    host.start_again();
    assert_eq!(place.launch("mender", &order).ok().effect(), "applied");
}

/// Calls a primitive where an empty file system with some options is mounted on a folder.
fn on_mounted(
    place: &Workplace,
    options: &str,
    folder: &Path,
    primitive: &str,
    input: &Value,
) -> Call {
    fs::create_dir_all(folder).expect("the folder");
    let script = format!(
        "mount -t tmpfs -o {options} none \"$3\" || exit 1; exec \"$1\" \"$4\" --json \"$5\""
    );
    let arguments = [
        folder.display().to_string(),
        primitive.to_owned(),
        input.to_string(),
    ];
    let output = in_own_mounts(place.world(), &script, arguments)
        .output()
        .expect("unshare starts");
    Call::read(&output)
}

fn retry_mode(call: &Call) -> Value {
    let line: Value = serde_json::from_str(call.line()).expect("an envelope");
    line["retry"]["mode"].clone()
}

#[test]
fn a_launch_on_a_full_disk_says_so_and_leaves_no_job() {
    for (folder, kib) in [("jobs", 8), ("jobs", 12), ("control", 8), ("control", 12)] {
        let place = Workplace::here();
        let folder = place.root().join(folder);
        let order = Workplace::order("mender", &json!({}));
        let size = format!("size={kib}k");
        let call = on_mounted(&place, &size, &folder, "launch-investigation", &order);
        assert_eq!(call.error_code(), "disk_full", "{}", call.line());
        assert!(matches!(call.effect(), "none" | "partial"));
        assert_eq!(retry_mode(&call), "after_fix");
        assert_no_job(&place);
        let call = place.launch("mender", &json!({})).ok();
        assert_eq!(call.effect(), "applied");
    }
}

#[test]
fn a_launch_into_a_read_only_folder_says_so_and_leaves_no_job() {
    let place = Workplace::here();
    let jobs = place.root().join("jobs");
    let order = Workplace::order("mender", &json!({}));
    let call = on_mounted(&place, "ro", &jobs, "launch-investigation", &order);
    assert_eq!(
        (call.error_code(), call.effect(), retry_mode(&call)),
        ("host_folder_unwritable", "none", json!("after_fix")),
        "{}",
        call.line()
    );
    assert_no_job(&place);

    // And so does a verification, whose folder lies beside that of the job.
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let input = json!({"job_id": job_id, "check": CHECK});
    place
        .call("fetch-artifacts", &json!({"job_id": job_id}))
        .ok();
    let call = on_mounted(&place, "ro", &jobs, "check-diff", &input);
    assert_eq!(
        (call.error_code(), call.effect(), retry_mode(&call)),
        ("host_folder_unwritable", "none", json!("after_fix")),
        "{}",
        call.line()
    );
    let recorded = place.launched(
        "mender",
        &json!({"verify": CHECK, "message": "with a check"}),
    );
    place.ended(&recorded);
    let again = json!({"job_id": recorded});
    place.call("fetch-artifacts", &again).ok();
    let call = on_mounted(&place, "ro", &jobs, "verify-fix", &again);
    assert_eq!(call.error_code(), "host_folder_unwritable");
    let call = place.call("check-diff", &input).ok();
    assert_eq!(call.at("/verdict"), "fixed");
}

/// Makes the record of all jobs look as if it was written long ago.
fn age(place: &Workplace) {
    let database = place.world().path("state/legwork/legwork.db");
    let connection = Connection::open(database).expect("the database");
    connection
        .execute(
            "UPDATE jobs SET updated_at = '2020-01-01T00:00:00Z', record = json_set(record, '$.updated_at', '2020-01-01T00:00:00Z')",
            [],
        )
        .expect("an older record");
}

#[test]
fn a_launch_that_died_before_it_was_sent_is_not_waited_for_for_ever() {
    let place = Workplace::here();
    let order = Workplace::order("mender", &json!({}));
    place.killed("launch.recorded", "launch-investigation", &order);
    let job_id = place
        .call("list-jobs", &json!({"active": true}))
        .ok()
        .text("/jobs/0/job_id");
    // A launch of the same job could still be under way.
    assert_eq!(place.poll(&job_id)["state"], "launching");
    age(&place);
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["reason"], &job["outcome"]),
        (&json!("failed"), &json!("never_started"), &json!("failed"))
    );
    let active = place.call("list-jobs", &json!({"active": true})).ok();
    assert_eq!(active.at("/jobs"), json!([]));

    // The same launch still starts it, once.
    let call = place.launch("mender", &json!({})).ok();
    assert_eq!(
        (call.effect(), call.text("/job/job_id")),
        ("applied", job_id.clone())
    );
    assert_eq!(place.ended(&job_id)["outcome"], "unverified");
    assert_eq!(place.started(1), 1);
}

#[test]
fn identical_verifications_at_once_are_one_verification() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let tally = place.world().path("checks");
    for attempt in 1..=4 {
        let check = format!("echo {attempt} >>'{}'; {CHECK}", tally.display());
        let input =
            json!({"job_id": job_id, "check": check, "attempt": attempt, "reds": 1, "greens": 1});
        let calls = place.at_once([("check-diff", &input); 6]);
        let mut effects: Vec<String> = Vec::new();
        for call in calls {
            let call = call.ok();
            assert_eq!(call.at("/verdict"), "fixed", "{}", call.line());
            effects.push(call.effect().to_owned());
        }
        effects.sort();
        assert_eq!(effects[0], "applied");
        assert!(effects[1..].iter().all(|effect| effect == "replayed"));
        let checks = fs::read_to_string(&tally).expect("the checks");
        assert_eq!(checks.lines().count(), attempt * 2);
    }
}

#[test]
fn a_verification_killed_after_its_start_is_adopted() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let input = json!({"job_id": job_id, "check": format!("sleep 0.5; {CHECK}")});
    place.killed("verify.started", "check-diff", &input);
    let calls = place.at_once([("check-diff", &input); 3]);
    for call in calls {
        let call = call.ok();
        assert_eq!(
            (call.effect(), call.at("/outcome")),
            ("replayed", json!("fixed"))
        );
    }
}

#[test]
fn an_older_verification_is_shown_again_and_decides_nothing() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let verify = |check: &str| {
        place
            .call("check-diff", &json!({"job_id": job_id, "check": check}))
            .ok()
    };
    assert_eq!(verify(CHECK).at("/outcome"), "fixed");
    assert_eq!(verify("false").at("/outcome"), "not_fixed");
    let again = verify(CHECK);
    assert_eq!(
        (again.effect(), again.at("/verdict"), again.at("/outcome")),
        ("replayed", json!("fixed"), json!("not_fixed"))
    );
}

#[test]
fn a_job_whose_folder_is_gone_is_said_to_have_lost_it() {
    let place = Workplace::here();
    let ended = place.launched(
        "mender",
        &json!({"idempotency_key": "ended", "verify": CHECK}),
    );
    place.ended(&ended);
    fs::remove_dir_all(place.job(&ended)).expect("the folder goes");
    for (primitive, more) in [
        ("check-diff", json!({"check": CHECK})),
        ("verify-fix", json!({})),
        ("fetch-artifacts", json!({})),
        ("check-artifacts", json!({})),
        (
            "apply-diff",
            json!({"checkout": place.world().path("widgets")}),
        ),
    ] {
        let mut input = more;
        input["job_id"] = json!(ended);
        let call = place.call(primitive, &input);
        assert_eq!(
            (call.error_code(), call.effect()),
            ("job_folder_missing", "none"),
            "{primitive}: {}",
            call.line()
        );
        assert_eq!(call.details()["job_id"], json!(ended));
    }

    place.waiting_agent("waiter", MEND);
    let running = place.launched("waiter", &json!({}));
    eventually("the agent runs", || place.tally() == 2);
    let control = place.run(&running);
    fs::rename(place.run(&running), place.world().path("moved")).expect("the folder moves");
    let call = place.call("wait-job", &json!({"job_id": running, "wait_s": 60}));
    assert_eq!(call.error_code(), "job_folder_missing");
    assert_eq!(place.poll(&running)["missing"], true);
    fs::rename(place.world().path("moved"), control).expect("the folder is back");
    place.release();
    assert_eq!(place.ended(&running)["state"], "succeeded");
}

#[test]
fn a_job_that_another_machine_supervises_is_said_to_be_so() {
    let place = Workplace::here();
    place.waiting_agent("waiter", MEND);
    let job_id = place.launched("waiter", &json!({}));
    let job = place.poll(&job_id);
    assert_eq!(
        (&job["supervised_elsewhere"], &job["runner"]),
        (&json!(false), &json!("direct"))
    );
    // The state line of a supervisor on another machine that shares the folder, while the one here stands still.
    let state = place.run(&job_id).join("state");
    let supervisor = place.state_field(&job_id, "sup");
    let supervisor = supervisor.parse().expect("a process");
    signal(supervisor, Signal::STOP.as_raw());
    let here = fs::read_to_string(&state).expect("a state line");
    let there = here
        .replace(&place.state_field(&job_id, "boot"), "00000000-other")
        .replace(&place.state_field(&job_id, "node"), "other.1");
    fs::write(&state, there).expect("another machine's line");
    eventually("the other machine shows", || {
        let job = place.poll(&job_id);
        assert_eq!(job["state"], "running");
        job["supervised_elsewhere"] == true
    });
    fs::write(&state, here).expect("the line of this machine");
    signal(supervisor, Signal::CONT.as_raw());
    place.release();
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["supervised_elsewhere"]),
        (&json!("succeeded"), &json!(false))
    );
    assert_eq!(place.started(1), 1);
}
