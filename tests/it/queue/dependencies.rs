//! What tasks depend on: readiness, policies, circles.

use serde_json::{Value, json};

use super::{Queue, with};

fn complete(queue: &Queue, task_id: &str) {
    let held = queue.hold(task_id, 60);
    queue.call("complete-task", &held).ok();
}

#[test]
fn a_task_is_ready_once_all_that_it_depends_on_has_succeeded() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([
        {"name": "a", "command": ["a"]}, {"name": "b", "command": ["b"]},
        {"name": "c", "command": ["c"], "depends_on": ["a", "b"]},
    ]));
    complete(&queue, &made[0]);
    assert_eq!(queue.show(&made[2]).text("/task/readiness"), "dependencies");
    let shown = queue.show(&made[2]);
    assert_eq!(shown.at("/reasons").as_array().map(Vec::len), Some(1));
    assert_eq!(shown.at("/reasons/0/task_id"), json!(made[1]));
    complete(&queue, &made[1]);
    assert_eq!(queue.show(&made[2]).text("/task/readiness"), "ready");
    assert_eq!(
        queue.show(&made[0]).at("/dependents/0/task_id"),
        json!(made[2])
    );
    // What depends on something that succeeded before is ready at once.
    let late = queue.one(&json!({"depends_on": [made[0]]}));
    assert_eq!(queue.show(&late).text("/task/readiness"), "ready");
}

#[test]
fn what_does_not_succeed_fails_skips_or_holds_what_depends_on_it() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([
        {"name": "root", "command": ["root"]},
        {"name": "fails", "command": ["1"], "depends_on": ["root"]},
        {"name": "skips", "command": ["2"], "depends_on": ["root"], "on_dependency_failure": "skip"},
        {"name": "holds", "command": ["3"], "depends_on": ["root"], "on_dependency_failure": "hold"},
        {"command": ["4"], "depends_on": ["fails"]},
        {"command": ["5"], "depends_on": ["skips"], "on_dependency_failure": "skip"},
        {"command": ["6"], "depends_on": ["holds"]},
    ]));
    let held = queue.hold(&made[0], 60);
    queue
        .call("fail-task", &with(&held, &json!({"error": "no"})))
        .ok();
    let states: Vec<String> = made.iter().map(|id| queue.state(id)).collect();
    assert_eq!(
        states,
        [
            "failed", "failed", "skipped", "held", "failed", "skipped", "waiting"
        ]
    );
    assert_eq!(
        queue.show(&made[4]).text("/task/reason"),
        "dependency_failed"
    );
    // One that is enqueued later has the same fate.
    let late = queue.one(&json!({"depends_on": [made[0]], "title": "late"}));
    assert_eq!(queue.state(&late), "failed");

    let resumed = queue.call("resume-task", &json!({"task_id": made[3]})).ok();
    assert_eq!(resumed.text("/task/readiness"), "dependencies");
    let retried = queue.call("retry-task", &json!({"task_id": made[0]})).ok();
    assert_eq!(retried.text("/task/readiness"), "ready");
    complete(&queue, &made[0]);
    complete(&queue, &made[3]);
    assert_eq!(queue.show(&made[6]).text("/task/readiness"), "ready");
}

#[test]
fn an_edit_changes_dependencies_and_refuses_a_circle() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([
        {"name": "a", "command": ["a"]}, {"name": "b", "command": ["b"], "depends_on": ["a"]},
        {"name": "c", "command": ["c"], "depends_on": ["b"]},
    ]));
    let circle = json!({"task_id": made[0], "expected_version": 1, "depends_on": [made[2]]});
    let refused = queue.call("edit-task", &circle);
    assert_eq!(refused.error_code(), "dependency_cycle");
    let way: Vec<Value> = [0, 2, 1, 0].map(|place: usize| json!(made[place])).into();
    assert_eq!(refused.details()["tasks"], json!(way));
    let unknown = with(&circle, &json!({"depends_on": ["task-99-00000000"]}));
    assert_eq!(
        queue.call("edit-task", &unknown).error_code(),
        "task_not_found"
    );
    let free = json!({"task_id": made[2], "expected_version": 1, "depends_on": []});
    let freed = queue.call("edit-task", &free).ok();
    assert_eq!(
        (freed.effect(), freed.text("/task/readiness").as_str()),
        ("applied", "ready")
    );
    assert_eq!(queue.call("edit-task", &free).ok().effect(), "replayed");
    // Now the other way round is none.
    assert_eq!(
        queue
            .call("edit-task", &circle)
            .ok()
            .text("/task/readiness"),
        "dependencies"
    );
}
