//! Many calls at once against one stock server: none fails, and none is done twice.

use std::{collections::BTreeSet, ops::Range};

use serde_json::{Value, json};

use crate::support::{CHECK, Call, MEND, Workplace, at_once};

fn names(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| call.text("/job/job_id")).collect()
}

#[test]
fn thirty_two_identical_launches_are_one_agent() {
    let (place, host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", MEND);
    let order = Workplace::order("waiter", &json!({"host": host.alias()}));
    let calls = place.at_once([("launch-investigation", &order); 32]);
    assert_eq!(names(&calls).len(), 1);
    let applied = calls
        .iter()
        .filter(|call| call.effect() == "applied")
        .count();
    let replayed = calls
        .iter()
        .filter(|call| call.effect() == "replayed")
        .count();
    assert_eq!((applied, replayed), (1, 31));
    assert_eq!(place.started(1), 1);
    place.release();
    let job = place.ended(&calls[0].text("/job/job_id"));
    assert_eq!(job["outcome"], "unverified");
    assert_eq!(place.started(1), 1);
}

#[test]
fn the_same_launch_from_twelve_machines_is_one_agent() {
    let (place, host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", MEND);
    // Each has a state folder of its own, as machines that know nothing of one another do.
    let send = |numbers: Range<usize>, primitive: &str, input: &Value| -> Vec<Call> {
        let calls = numbers.map(|number| {
            let home = place.world().path(format!("state {number}"));
            let input = input.to_string();
            let mut call = place.world().legwork_command([primitive, "--json", &input]);
            call.env("LEGWORK_HOME", home);
            call
        });
        at_once(calls).into_iter().map(Call::ok).collect()
    };
    let workspace = json!({"host": host.alias(), "repository": "widgets"});
    for number in (0..12).step_by(4) {
        send(number..number + 4, "provision-workspace", &workspace);
    }
    let order = Workplace::order("waiter", &json!({"host": host.alias()}));
    let calls = send(0..12, "launch-investigation", &order);
    assert_eq!(names(&calls).len(), 1);
    assert!(calls.iter().all(|call| call.at("/job/state") == "running"));
    assert_eq!(place.started(1), 1);
    place.release();
    let wait =
        json!({"job_id": calls[0].text("/job/job_id"), "wait_s": 60, "require": "succeeded"});
    send(0..12, "wait-job", &wait);
    assert_eq!(place.started(1), 1);
}

#[test]
fn thirty_two_different_launches_on_one_repository_are_thirty_two_jobs() {
    let (place, host) = Workplace::over_ssh("box");
    let orders: Vec<Value> = (0..32)
        .map(|number| {
            let more = json!({"host": host.alias(), "message": format!("The greeting, {number}.")});
            Workplace::order("mender", &more)
        })
        .collect();
    let calls = place.at_once(orders.iter().map(|order| ("launch-investigation", order)));
    assert_eq!(names(&calls).len(), 32);
    assert!(
        calls
            .iter()
            .all(|call| call.effect() == "applied" && call.round_trips() == 1)
    );
    for job_id in names(&calls) {
        assert_eq!(place.ended(&job_id)["outcome"], "unverified");
    }
    assert_eq!(place.started(32), 32);
}

#[test]
fn forty_mixed_calls_at_once_all_succeed() {
    let (place, host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", MEND);
    let ended = place.launched("mender", &json!({"host": host.alias(), "verify": CHECK}));
    place.ended(&ended);
    let running: Vec<String> = (0..6)
        .map(|number| {
            let key = format!("running {number}");
            place.launched(
                "waiter",
                &json!({"host": host.alias(), "idempotency_key": key}),
            )
        })
        .collect();
    // Nobody has a connection yet: all of them want one at the same time.
    let sockets = place.world().path("state/legwork/ssh");
    for entry in std::fs::read_dir(&sockets).expect("the sockets").flatten() {
        if entry.path().is_dir() {
            std::fs::remove_dir_all(entry.path()).expect("a socket");
        }
    }
    let mut calls = Vec::new();
    for number in 0..6 {
        let key = format!("new {number}");
        let order = json!({"host": host.alias(), "idempotency_key": key});
        calls.push(("launch-investigation", Workplace::order("waiter", &order)));
        calls.push(("poll-job", json!({})));
        calls.push(("poll-job", json!({"job_ids": running, "wait_s": 1})));
        calls.push(("tail-log", json!({"job_id": running[number]})));
        calls.push((
            "cancel-job",
            json!({"job_id": running[number], "grace_s": 2}),
        ));
        calls.push(("list-jobs", json!({})));
    }
    calls.push(("verify-fix", json!({"job_id": ended})));
    calls.push(("verify-fix", json!({"job_id": ended})));
    calls.push((
        "provision-workspace",
        json!({"host": "box", "repository": "widgets"}),
    ));
    calls.push((
        "check-workspace",
        json!({"host": "box", "repository": "widgets"}),
    ));
    assert_eq!(calls.len(), 40);
    let answers = place.at_once(calls.iter().map(|(primitive, input)| (*primitive, input)));
    for answer in &answers {
        assert!(answer.is_ok(), "{}", answer.line());
        assert!(
            !answer.line().contains("\"unreachable\":{"),
            "{}",
            answer.line()
        );
    }
    let verdicts: Vec<Value> = answers[36..38]
        .iter()
        .map(|call| call.at("/verdict"))
        .collect();
    assert_eq!(verdicts, ["fixed", "fixed"]);
    place.release();
    for (_, input) in calls
        .iter()
        .filter(|(name, _)| *name == "launch-investigation")
    {
        let job_id = place
            .call("launch-investigation", input)
            .ok()
            .text("/job/job_id");
        assert_eq!(place.ended(&job_id)["outcome"], "unverified");
    }
    for job_id in &running {
        assert_eq!(place.ended(job_id)["state"], "cancelled");
    }
    assert_eq!(place.started(13), 13);
}
