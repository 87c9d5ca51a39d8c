//! Limits: all that a task needs or nothing, and back with every end.

use serde_json::{Value, json};

use super::{Queue, with};

fn used(queue: &Queue) -> Value {
    let limits = queue.call("show-limits", &json!({})).ok().at("/limits");
    limits
        .as_array()
        .into_iter()
        .flatten()
        .map(|limit| {
            (
                limit["name"].as_str().expect("a name").to_owned(),
                limit["used"].clone(),
            )
        })
        .collect()
}

#[test]
fn a_task_takes_all_that_it_needs_or_nothing() {
    let queue = Queue::new();
    for (name, total) in [("gpus", 4), ("slots", 2), ("licence", 1)] {
        let set = queue
            .call("set-limit", &json!({"name": name, "total": total}))
            .ok();
        assert_eq!(set.effect(), "applied");
        assert_eq!(
            queue
                .call("set-limit", &json!({"name": name, "total": total}))
                .ok()
                .effect(),
            "replayed"
        );
    }
    let made = queue.enqueue(&json!([
        {"command": ["1"], "resources": {"gpus": 2, "limits": {"licence": 1}}},
        {"command": ["2"], "resources": {"gpus": 2, "limits": {"licence": 1}}},
        {"command": ["3"], "resources": {"gpus": 3}},
        {"command": ["4"], "priority": 1},
        {"command": ["5"], "priority": 0},
    ]));
    let claim = |request: &str| queue.claim(request).ok();
    let first = claim("1");
    assert_eq!(first.text("/tasks/0/task_id"), made[0]);
    // The second lacks the licence and the third a GPU: neither keeps the fourth from running, and nothing is taken for them.
    assert_eq!(claim("2").text("/tasks/0/task_id"), made[3]);
    let none = claim("3");
    assert_eq!(
        (none.at("/none/reason"), none.at("/none/counts/limits")),
        (json!("limits"), json!(3))
    );
    for _ in 0..3 {
        claim("3");
    }
    assert_eq!(used(&queue), json!({"gpus": 2, "licence": 1, "slots": 2}));
    let shown = queue.show(&made[1]).at("/reasons");
    let lacking: Vec<&Value> = shown
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["limit"])
        .collect();
    assert_eq!(lacking, ["licence", "slots"]);
    let by_id = json!({"claimer": "w", "request_id": "id", "task_id": made[2]});
    assert_eq!(
        queue.call("claim-tasks", &by_id).error_code(),
        "task_not_ready"
    );
    queue.call("complete-task", &super::fence(&first)).ok();
    assert_eq!(used(&queue), json!({"gpus": 0, "licence": 0, "slots": 1}));
}

/// A call, the state that it leaves, and what it is given beside the fence.
type End = (&'static str, &'static str, Value);

#[test]
fn every_end_gives_back_what_was_taken() {
    let queue = Queue::new();
    queue
        .call("set-limit", &json!({"name": "slots", "total": 1}))
        .ok();
    let ends: [End; 6] = [
        ("complete-task", "succeeded", json!({})),
        ("fail-task", "failed", json!({"error": "no"})),
        ("release-task", "waiting", json!({"delay_s": 600})),
        (
            "report-progress",
            "budget_exhausted",
            json!({"cost_usd": 5}),
        ),
        ("cancel-task", "cancelled", json!({"force": true})),
        ("recover-tasks", "waiting", json!({})),
    ];
    for (end, state, more) in ends {
        let task_id = queue.one(&json!({"title": end, "budget_usd": 5, "priority": 99}));
        let lease_s = if end == "recover-tasks" { 1 } else { 60 };
        let held = queue.hold(&task_id, lease_s);
        assert_eq!(used(&queue), json!({"slots": 1}), "{end}");
        let input = match end {
            "cancel-task" => with(&json!({"task_id": task_id}), &more),
            "recover-tasks" => {
                queue.outlast(&task_id);
                json!({})
            }
            _ => with(&held, &more),
        };
        queue.call(end, &input).ok();
        assert_eq!(queue.state(&task_id), state, "{end}");
        assert_eq!(used(&queue), json!({"slots": 0}), "{end}");
        if !queue.show(&task_id).at("/task/finished_at").is_string() {
            queue.call("cancel-task", &json!({"task_id": task_id})).ok();
        }
    }
}

#[test]
fn a_limit_can_be_lowered_below_what_is_taken_and_taken_away() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([{"command": ["1"]}, {"command": ["2"]}, {"command": ["3"], "resources": {"slots": 3}}]));
    queue.hold(&made[0], 60);
    queue
        .call("set-limit", &json!({"name": "slots", "total": 0}))
        .ok();
    assert_eq!(queue.claim("a").ok().at("/none/reason"), "limits");
    queue
        .call("set-limit", &json!({"name": "slots", "total": 2}))
        .ok();
    let late = json!({"tasks": [{"command": ["4"], "resources": {"slots": 3}}]});
    let warned = queue.call("enqueue-tasks", &late).ok();
    assert_eq!(warned.warnings().len(), 1);
    assert_eq!(queue.claim("b").ok().text("/tasks/0/task_id"), made[1]);
    assert_eq!(queue.claim("c").ok().at("/none/reason"), "limits");
    queue.call("set-limit", &json!({"name": "slots"})).ok();
    assert_eq!(queue.claim("d").ok().text("/tasks/0/task_id"), made[2]);
    let limits = queue.call("show-limits", &json!({})).ok().at("/limits");
    assert_eq!(
        limits,
        json!([{"name": "slots", "total": null, "used": 5, "free": null, "budget": null}])
    );
}

#[test]
fn nothing_is_taken_of_a_limit_that_cannot_be_read() {
    let queue = Queue::new();
    for name in ["gpus", "slots"] {
        let limit = json!({"name": name, "total": 4});
        queue.call("set-limit", &limit).ok();
    }
    let made = queue.enqueue(&json!([
        {"command": ["1"], "resources": {"gpus": 1}, "priority": 90}, {"command": ["2"]},
    ]));
    let database = rusqlite::Connection::open(queue.world.path("state/legwork/legwork.db"));
    let damage = "UPDATE queue_limits SET record = '{' WHERE name = 'gpus'";
    let changed = database.expect("the database").execute(damage, []);
    assert_eq!(changed.expect("the damage"), 1);
    // The other task runs all the same.
    assert_eq!(queue.claim("a").ok().text("/tasks/0/task_id"), made[1]);
    assert_eq!(queue.claim("b").ok().at("/none/reason"), "limits");
    let shown = queue.call("show-limits", &json!({})).ok();
    assert_eq!(
        (shown.at("/limits/0/name"), shown.warnings().len()),
        (json!("slots"), 1)
    );
    let set = queue
        .call("set-limit", &json!({"name": "gpus", "total": 1}))
        .ok();
    assert_eq!(set.effect(), "applied");
    assert_eq!(queue.claim("c").ok().text("/tasks/0/task_id"), made[0]);
}
