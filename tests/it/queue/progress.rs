//! Reports, checkpoints and budgets.

use serde_json::json;

use super::{Queue, fence, with};

#[test]
fn checkpoints_are_kept_for_whoever_claims_next() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({}));
    let none = queue.call("load-checkpoint", &json!({"task_id": task_id}));
    assert_eq!(none.error_code(), "checkpoint_not_found");
    let unknown = queue.call("load-checkpoint", &json!({"task_id": "task-9-00000000"}));
    assert_eq!(unknown.error_code(), "task_not_found");
    let held = queue.hold(&task_id, 60);
    for step in 1..=12 {
        let report = with(
            &held,
            &json!({"done_percent": step, "message": "at it", "checkpoint": {"step": step}}),
        );
        assert_eq!(
            queue.call("report-progress", &report).ok().effect(),
            "applied"
        );
        assert_eq!(
            queue.call("report-progress", &report).ok().effect(),
            "replayed"
        );
    }
    queue.call("release-task", &held).ok();
    let claimed = queue.claim("next").ok();
    assert_eq!(claimed.at("/tasks/0/checkpoints"), 12);
    let newest = queue
        .call("load-checkpoint", &json!({"task_id": task_id}))
        .ok();
    assert_eq!(
        (newest.at("/checkpoint"), newest.at("/payload")),
        (json!(12), json!({"step": 12}))
    );
    let third = queue
        .call(
            "load-checkpoint",
            &json!({"task_id": task_id, "checkpoint": 3}),
        )
        .ok();
    assert_eq!(third.at("/payload/step"), 3);
    let dropped = queue.call(
        "load-checkpoint",
        &json!({"task_id": task_id, "checkpoint": 2}),
    );
    assert_eq!(dropped.error_code(), "checkpoint_not_found");
    assert_eq!(
        queue
            .show(&task_id)
            .at("/checkpoints")
            .as_array()
            .map(Vec::len),
        Some(10)
    );
    let large = with(
        &fence(&claimed),
        &json!({"checkpoint": {"x": "y".repeat(300_000)}}),
    );
    let large = queue.world.legwork_with_input(
        ["report-progress", "--spec", "-"],
        large.to_string().as_bytes(),
    );
    assert_eq!(large.error_code(), "spec_invalid");
}

#[test]
fn what_may_be_spent_ends_a_task_and_what_was_done_is_handed_in_once() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({"budget_usd": 1.0, "max_attempts": 3}));
    let held = queue.hold(&task_id, 60);
    let report = |cost: f64| with(&held, &json!({"cost_usd": cost, "wall_s": 10}));
    assert_eq!(
        queue
            .call("report-progress", &report(0.6))
            .ok()
            .text("/task/state"),
        "claimed"
    );
    // A report that was under way takes nothing back.
    let late = queue.call("report-progress", &report(0.2)).ok();
    assert_eq!(
        late.at("/task/spent"),
        json!({"cost_usd": 0.6, "wall_s": 10.0})
    );
    queue.call("release-task", &held).ok();
    let second = fence(&queue.claim("second").ok());
    let over = with(&second, &json!({"cost_usd": 0.5}));
    let spent = queue.call("report-progress", &over).ok();
    assert_eq!(spent.text("/task/state"), "budget_exhausted");
    assert_eq!(
        queue.call("report-progress", &over).error_code(),
        "lease_lost"
    );
    let handed = with(
        &second,
        &json!({"summary": "half of it", "result": {"branch": "half"}}),
    );
    let done = queue.call("complete-task", &handed).ok();
    assert_eq!(
        (done.effect(), done.text("/task/state").as_str()),
        ("applied", "budget_exhausted")
    );
    assert_eq!(queue.show(&task_id).at("/result/branch"), "half");
    assert_eq!(
        queue.call("complete-task", &handed).ok().effect(),
        "replayed"
    );
    let other = with(&second, &json!({"summary": "more"}));
    assert_eq!(
        queue.call("complete-task", &other).error_code(),
        "task_ended"
    );

    let timed = queue.one(&json!({"title": "timed", "max_wall_s": 60}));
    let held = queue.hold(&timed, 60);
    let done = queue
        .call("complete-task", &with(&held, &json!({"wall_s": 61})))
        .ok();
    assert_eq!(done.text("/task/state"), "budget_exhausted");
}
