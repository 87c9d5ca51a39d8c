//! Claims, leases and fences: who may write to a task, and who is told what.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Queue, fence, task, with};

#[test]
fn tasks_are_claimed_by_priority_those_without_gpus_first_the_oldest_first() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([
        {"command": ["low"], "priority": 10},
        {"command": ["gpu"], "resources": {"gpus": 1}},
        {"command": ["old"]},
        {"command": ["young"]},
        {"command": ["gpu first"], "resources": {"gpus": 1}, "priority": 51},
    ]));
    let dry = json!({"claimer": "w", "request_id": "r", "count": 9, "dry_run": true});
    assert_eq!(queue.call("claim-tasks", &dry).ok().effect(), "none");
    let input = json!({"claimer": "w", "request_id": "r", "count": 9});
    let call = queue.call("claim-tasks", &input).ok();
    let order: Vec<Value> = (0..5)
        .map(|n| call.at(&format!("/tasks/{n}/task_id")))
        .collect();
    assert_eq!(
        order,
        [4, 2, 3, 1, 0].map(|place: usize| json!(made[place]))
    );
    // The same call again gets the same tasks by the same tokens, and another one gets none.
    let again = queue.call("claim-tasks", &input).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(fence(&again), fence(&call));
    let other = queue.claim("other").ok();
    assert_eq!(
        (other.effect(), other.at("/none/reason")),
        ("none", json!("claimed"))
    );
    let changed = with(&input, &json!({"count": 2}));
    assert_eq!(
        queue.call("claim-tasks", &changed).error_code(),
        "idempotency_key_reused"
    );
}

#[test]
fn why_a_task_cannot_be_claimed_is_told_apart() {
    let queue = Queue::new();
    assert_eq!(queue.claim("empty").ok().at("/none/reason"), "empty");
    let made = queue.enqueue(&json!([
        {"name": "a", "command": ["a"], "requires_approval": true},
        {"command": ["b"], "depends_on": ["a"]},
        {"command": ["c"], "not_before": "2100-01-01T00:00:00Z"},
        {"command": ["d"], "agent": "codex"},
    ]));
    let none = |more: Value| {
        let input = with(
            &json!({"claimer": "w", "request_id": "r", "agents": ["claude"]}),
            &more,
        );
        queue.call("claim-tasks", &input).ok().at("/none")
    };
    let found = none(json!({}));
    assert_eq!(found["reason"], "others");
    let counts = json!({"limits": 0, "others": 1, "not_yet": 1, "approval": 1, "dependencies": 1, "paused": 0, "claimed": 0});
    assert_eq!(found["counts"], counts);
    assert!(found["next_due_at"].is_string());
    for task_id in made.iter().take(3) {
        let input = json!({"claimer": "w", "request_id": "id", "task_id": task_id});
        let refused = queue.call("claim-tasks", &input);
        assert_eq!(refused.error_code(), "task_not_ready");
        assert_eq!(
            refused.details()["reasons"].as_array().map(Vec::len),
            Some(1)
        );
    }
    queue.call("cancel-task", &json!({"task_id": made[3]})).ok();
    let ended = json!({"claimer": "w", "request_id": "id", "task_id": made[3]});
    assert_eq!(queue.call("claim-tasks", &ended).error_code(), "task_ended");
    let unknown = with(&ended, &json!({"task_id": "task-77-00000000"}));
    assert_eq!(
        queue.call("claim-tasks", &unknown).error_code(),
        "task_not_found"
    );
    assert_eq!(none(json!({}))["reason"], "not_yet");
    queue.call("pause-task", &json!({"task_id": made[2]})).ok();
    assert_eq!(none(json!({}))["reason"], "approval");
}

#[test]
fn the_loser_of_a_claim_learns_who_holds_the_task_and_until_when() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({}));
    queue.hold(&task_id, 60);
    let input = json!({"claimer": "late", "request_id": "r", "task_id": task_id});
    let refused = queue.call("claim-tasks", &input);
    assert_eq!(
        (refused.error_code(), refused.kind()),
        ("task_claimed", "aborted")
    );
    assert_eq!(refused.details()["claimer"], "worker");
    let until = queue.show(&task_id).at("/task/lease_until");
    assert_eq!(refused.details()["lease_until"], until);
}

#[test]
fn a_stale_holder_changes_nothing() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({"max_attempts": 3}));
    let stale = queue.hold(&task_id, 1);
    queue.outlast(&task_id);
    let input = json!({"claimer": "second", "request_id": "r", "lease_s": 60});
    let second = queue.call("claim-tasks", &input).ok();
    assert_eq!(second.at("/tasks/0/took_over/attempt"), 1);
    assert_eq!(second.at("/tasks/0/took_over/claimer"), "worker");
    let before = queue.show(&task_id).data().clone();
    let forged = with(&fence(&second), &json!({"token": "2-0000000000000000"}));
    for held in [&stale, &forged] {
        for (primitive, more) in [
            ("renew-lease", json!({})),
            (
                "report-progress",
                json!({"done_percent": 5, "checkpoint": {"a": 1}}),
            ),
            ("release-task", json!({})),
            ("complete-task", json!({"summary": "done"})),
            ("fail-task", json!({"error": "no"})),
        ] {
            let refused = queue.call(primitive, &with(held, &more));
            assert_eq!(refused.error_code(), "lease_lost", "{primitive}");
            assert_eq!(refused.details()["claimer"], "second", "{primitive}");
            assert_eq!(refused.effect(), "none", "{primitive}");
        }
    }
    assert_eq!(queue.show(&task_id).data(), &before);
    assert_eq!(before["attempts"][1]["end"], "lost");
    assert_eq!(
        (&before["task"]["failures"], &before["attempts"][0]["end"]),
        (&json!(0), &Value::Null)
    );
    let done = queue.call("complete-task", &fence(&second)).ok();
    assert_eq!(done.text("/task/state"), "succeeded");
    assert_eq!(
        queue.call("complete-task", &fence(&second)).ok().effect(),
        "replayed"
    );
    let other = with(&fence(&second), &json!({"summary": "something else"}));
    assert_eq!(
        queue.call("complete-task", &other).error_code(),
        "task_ended"
    );
    assert_eq!(
        queue.call("release-task", &fence(&second)).error_code(),
        "task_ended"
    );
    let fail = with(&fence(&second), &json!({"error": "no"}));
    assert_eq!(queue.call("fail-task", &fail).error_code(), "task_ended");
}

#[test]
fn a_lease_that_nobody_claimed_since_can_be_renewed() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({}));
    let held = queue.hold(&task_id, 1);
    queue.outlast(&task_id);
    let renewed = queue
        .call("renew-lease", &with(&held, &json!({"lease_s": 60})))
        .ok();
    assert_eq!(renewed.effect(), "applied");
    let again = queue
        .call("renew-lease", &with(&held, &json!({"lease_s": 60})))
        .ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(
        again.at("/task/lease_until"),
        renewed.at("/task/lease_until")
    );
}

#[test]
fn failures_back_off_until_none_is_left_and_a_release_burns_none() {
    let queue = Queue::new();
    let backoff = json!({"initial_s": 1, "factor": 2, "most_s": 60});
    let task_id = queue.one(&json!({"max_attempts": 2, "backoff": backoff}));
    let held = queue.hold(&task_id, 60);
    let released = queue
        .call("release-task", &with(&held, &json!({"note": "later"})))
        .ok();
    assert_eq!(
        (
            released.text("/task/state").as_str(),
            released.at("/task/failures")
        ),
        ("waiting", json!(0))
    );
    assert_eq!(
        queue
            .call("release-task", &with(&held, &json!({"note": "later"})))
            .ok()
            .effect(),
        "replayed"
    );

    let held = queue.hold(&task_id, 60);
    let error = json!({"error": "it broke"});
    let failed = queue.call("fail-task", &with(&held, &error)).ok();
    assert_eq!(failed.text("/task/readiness"), "not_yet");
    assert_eq!(
        queue.call("fail-task", &with(&held, &error)).ok().effect(),
        "replayed"
    );
    assert_eq!(queue.reasons(&task_id), ["backing_off"]);
    let since = Instant::now();
    let waited = json!({"claimer": "w", "request_id": "waited", "wait_s": 20});
    let third = queue.call("claim-tasks", &waited).ok();
    assert_eq!(third.at("/tasks/0/attempt"), 3);
    assert!(
        since.elapsed() < Duration::from_secs(15),
        "{:?}",
        since.elapsed()
    );
    let last = queue.call("fail-task", &with(&fence(&third), &error)).ok();
    assert_eq!(
        (
            last.text("/task/state").as_str(),
            last.text("/task/reason").as_str()
        ),
        ("failed", "attempts_exhausted")
    );
    let final_one = queue.one(&json!({"title": "another", "max_attempts": 5}));
    let held = queue.hold(&final_one, 60);
    let never = with(&held, &json!({"error": "hopeless", "retry": false}));
    assert_eq!(
        queue.call("fail-task", &never).ok().text("/task/state"),
        "failed"
    );
}

#[test]
fn a_claim_that_waits_gets_a_task_that_comes_meanwhile() {
    let queue = Queue::new();
    let input = json!({"claimer": "w", "request_id": "r", "wait_s": 30}).to_string();
    let mut waiting = queue
        .world
        .legwork_command(["claim-tasks", "--json", &input]);
    let child = crate::support::start(&mut waiting);
    thread::sleep(Duration::from_millis(300));
    let task_id = queue.one(&task(&json!({"title": "late"})));
    let call = crate::support::Call::read(&child.wait_with_output().expect("its end")).ok();
    assert_eq!(call.text("/tasks/0/task_id"), task_id);
    let since = Instant::now();
    let none = queue
        .call(
            "claim-tasks",
            &json!({"claimer": "w", "request_id": "s", "wait_s": 1}),
        )
        .ok();
    assert_eq!(none.at("/none/reason"), "claimed");
    assert!(
        since.elapsed() >= Duration::from_secs(1),
        "{:?}",
        since.elapsed()
    );
}
