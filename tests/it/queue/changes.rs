//! Edits, pauses, cancellations, and keeping the queue in order.

use serde_json::{Value, json};

use super::{Queue, with};

#[test]
fn an_edit_wants_the_version_that_it_is_for() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({"deadline": "2100-01-01T00:00:00Z", "labels": ["old"]}));
    let edit = json!({"task_id": task_id, "expected_version": 1, "priority": 90, "labels": ["new"], "clear": ["deadline"]});
    let edited = queue.call("edit-task", &edit).ok();
    assert_eq!(
        (edited.effect(), edited.at("/task/version")),
        ("applied", json!(2))
    );
    assert_eq!(queue.call("edit-task", &edit).ok().effect(), "replayed");
    let stale = with(&edit, &json!({"priority": 10}));
    let refused = queue.call("edit-task", &stale);
    assert_eq!(
        (refused.error_code(), refused.details()["version"].clone()),
        ("version_conflict", json!(2))
    );
    let listed = |label: &str| {
        queue
            .call("list-tasks", &json!({"labels": [label]}))
            .ok()
            .at("/tasks")
            .as_array()
            .map(Vec::len)
    };
    assert_eq!((listed("old"), listed("new")), (Some(0), Some(1)));
    assert_eq!(queue.show(&task_id).at("/spec/deadline"), Value::Null);

    let held = queue.hold(&task_id, 60);
    let version = queue.show(&task_id).at("/task/version");
    let more = json!({"task_id": task_id, "expected_version": version, "resources": {"gpus": 1}});
    assert_eq!(queue.call("edit-task", &more).error_code(), "task_claimed");
    queue.call("complete-task", &held).ok();
    let late = json!({"task_id": task_id, "expected_version": version, "priority": 3});
    assert_eq!(queue.call("edit-task", &late).error_code(), "task_ended");
    let unknown = json!({"task_id": "task-9-00000000", "expected_version": 1});
    assert_eq!(
        queue.call("edit-task", &unknown).error_code(),
        "task_not_found"
    );
}

#[test]
fn a_holder_is_asked_to_pause_or_stop_and_learns_it_with_the_next_call() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({}));
    let named = json!({"task_id": task_id});
    assert_eq!(
        queue.call("pause-task", &named).ok().text("/task/state"),
        "paused"
    );
    assert_eq!(queue.call("pause-task", &named).ok().effect(), "replayed");
    assert_eq!(
        queue.call("resume-task", &named).ok().text("/task/state"),
        "waiting"
    );
    assert_eq!(queue.call("resume-task", &named).ok().effect(), "replayed");

    let held = queue.hold(&task_id, 60);
    assert_eq!(
        queue.call("pause-task", &named).ok().text("/task/state"),
        "claimed"
    );
    assert_eq!(
        queue.call("renew-lease", &held).ok().text("/task/asked"),
        "pause"
    );
    let report = with(&held, &json!({"message": "saving"}));
    assert_eq!(
        queue
            .call("report-progress", &report)
            .ok()
            .text("/task/asked"),
        "pause"
    );
    assert_eq!(
        queue.call("resume-task", &named).ok().at("/task/asked"),
        Value::Null
    );
    queue.call("pause-task", &named).ok();
    assert_eq!(
        queue.call("release-task", &held).ok().text("/task/state"),
        "paused"
    );
    queue.call("resume-task", &named).ok();

    let held = queue.hold(&task_id, 60);
    assert_eq!(
        queue.call("retry-task", &named).error_code(),
        "task_not_ended"
    );
    assert_eq!(
        queue.call("cancel-task", &named).ok().text("/task/asked"),
        "cancel"
    );
    assert_eq!(queue.call("cancel-task", &named).ok().effect(), "replayed");
    assert_eq!(
        queue.call("release-task", &held).ok().text("/task/state"),
        "cancelled"
    );
    for primitive in ["pause-task", "resume-task"] {
        assert_eq!(queue.call(primitive, &named).error_code(), "task_ended");
    }
    assert_eq!(
        queue.call("retry-task", &named).ok().text("/task/state"),
        "waiting"
    );
    let held = queue.hold(&task_id, 60);
    let force = with(&named, &json!({"force": true}));
    assert_eq!(
        queue.call("cancel-task", &force).ok().text("/task/state"),
        "cancelled"
    );
    assert_eq!(queue.call("renew-lease", &held).error_code(), "lease_lost");
    queue.call("retry-task", &named).ok();
    let held = queue.hold(&task_id, 60);
    queue.call("complete-task", &held).ok();
    for primitive in ["cancel-task", "retry-task"] {
        assert_eq!(queue.call(primitive, &named).error_code(), "task_ended");
    }
    for primitive in [
        "pause-task",
        "resume-task",
        "cancel-task",
        "retry-task",
        "show-task",
    ] {
        let unknown = queue.call(primitive, &json!({"task_id": "task-9-00000000"}));
        assert_eq!(unknown.error_code(), "task_not_found");
    }
}

#[test]
fn leases_that_ran_out_are_lost_attempts_and_never_failures() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([{"command": ["1"]}, {"command": ["2"]}]));
    for task_id in &made {
        queue.hold(task_id, 1);
    }
    queue.call("cancel-task", &json!({"task_id": made[1]})).ok();
    for task_id in &made {
        queue.outlast(task_id);
    }
    // Looking changes nothing, and says that it can be claimed.
    assert_eq!(queue.state(&made[0]), "claimed");
    let dry = queue.call("recover-tasks", &json!({"dry_run": true})).ok();
    assert_eq!(
        (dry.effect(), dry.at("/recovered").as_array().map(Vec::len)),
        ("none", Some(2))
    );
    let recovered = queue.call("recover-tasks", &json!({})).ok();
    assert_eq!(
        (recovered.effect(), recovered.at("/recovered/0/claimer")),
        ("applied", json!("worker"))
    );
    assert_eq!(
        queue.call("recover-tasks", &json!({})).ok().effect(),
        "replayed"
    );
    let states: Vec<String> = made.iter().map(|id| queue.state(id)).collect();
    assert_eq!(states, ["waiting", "cancelled"]);
    let shown = queue.show(&made[0]);
    assert_eq!(
        (shown.at("/attempts/0/end"), shown.at("/task/failures")),
        (json!("lost"), json!(0))
    );
    assert_eq!(shown.at("/events/0/kind"), "lost");
}

#[test]
fn a_deadline_that_passes_before_the_start_fails_the_task() {
    let queue = Queue::new();
    let soon = jiff::Timestamp::try_from(std::time::SystemTime::now()).expect("a time");
    let soon = soon + jiff::SignedDuration::from_millis(300);
    let task_id = queue.one(&json!({"deadline": soon.to_string(), "requires_approval": true}));
    let waited = json!({"claimer": "w", "request_id": "r", "wait_s": 2});
    assert_eq!(
        queue.call("claim-tasks", &waited).ok().at("/none/reason"),
        "empty"
    );
    let shown = queue.show(&task_id);
    assert_eq!(
        (
            shown.text("/task/state").as_str(),
            shown.text("/task/reason").as_str()
        ),
        ("failed", "deadline_passed")
    );
}

#[test]
fn what_ended_is_collected_unless_something_depends_on_it() {
    let queue = Queue::new();
    // What is removed is gone, and a person has said that it may be.
    queue.world.configure("[authorization]\nrequire = []\n");
    let made = queue.enqueue(&json!([
        {"name": "a", "command": ["a"], "labels": ["x"]}, {"name": "b", "command": ["b"], "depends_on": ["a"]},
        {"name": "c", "command": ["c"], "depends_on": ["b"]}, {"name": "d", "command": ["d"]},
    ]));
    for task_id in [&made[0], &made[1], &made[3]] {
        let held = queue.hold(task_id, 60);
        queue.call("complete-task", &held).ok();
    }
    let old = queue
        .call("collect-tasks", &json!({"older_than_s": 3600}))
        .ok();
    assert_eq!(
        (old.effect(), old.at("/removed_tasks")),
        ("replayed", json!([]))
    );
    let all = json!({"older_than_s": 0});
    let dry = queue
        .call("collect-tasks", &with(&all, &json!({"dry_run": true})))
        .ok();
    assert_eq!(
        (dry.effect(), dry.at("/removed_tasks/0/task_id")),
        ("none", json!(made[3]))
    );
    let removed = queue.call("collect-tasks", &all).ok();
    assert_eq!(
        removed.at("/removed_tasks").as_array().map(Vec::len),
        Some(1)
    );
    let kept: Vec<Value> = (0..2)
        .map(|n| removed.at(&format!("/kept/{n}/task_id")))
        .collect();
    assert_eq!(kept, [json!(made[0]), json!(made[1])]);
    queue.call("cancel-task", &json!({"task_id": made[2]})).ok();
    let rest = queue.call("collect-tasks", &all).ok();
    assert_eq!(rest.at("/removed_tasks").as_array().map(Vec::len), Some(3));
    assert_eq!(
        queue.call("list-tasks", &json!({})).ok().at("/tasks"),
        json!([])
    );
    assert_eq!(
        queue
            .call("peek-queue", &json!({}))
            .ok()
            .at("/states/succeeded"),
        0
    );
    // What is left of them is the numbers: none is given twice.
    let next = queue.one(&json!({"title": "next"}));
    assert!(next.starts_with("task-5-"), "{next}");
}
