//! Budgets that tasks share: what is spent of them, and what waits once they are spent.

use serde_json::{Value, json};

use super::{Queue, fence, with};

/// Returns what `show-limits` says of a budget.
fn budget(queue: &Queue, name: &str) -> Value {
    let limits = queue.call("show-limits", &json!({})).ok().at("/limits");
    let found = limits
        .as_array()
        .into_iter()
        .flatten()
        .find(|limit| limit["name"] == name);
    found.expect("the budget")["budget"].clone()
}

fn set(queue: &Queue, name: &str, terms: &Value) -> String {
    let set = queue.call("set-limit", &json!({"name": name, "budget": terms}));
    set.ok().effect().to_owned()
}

#[test]
fn once_a_budget_is_spent_none_of_its_tasks_is_claimed_and_others_are() {
    let queue = Queue::new();
    let terms = json!({"cost_usd": 1.0, "wall_s": 1000});
    assert_eq!(set(&queue, "team", &terms), "applied");
    assert_eq!(set(&queue, "team", &terms), "replayed");
    let made = queue.enqueue(&json!([
        {"command": ["1"], "budgets": ["team"]},
        {"command": ["2"], "budgets": ["team", "other"]},
        {"command": ["3"], "budgets": ["team"], "priority": 90},
        {"command": ["4"], "priority": 1},
    ]));
    let first = fence(&queue.claim("1").ok());
    assert_eq!(first["task_id"], made[2]);
    let second = fence(&queue.claim("2").ok());
    assert_eq!(second["task_id"], made[0]);
    // A report that is repeated, or says less, counts once.
    for cost in [0.6, 0.6, 0.2] {
        let report = with(&first, &json!({"cost_usd": cost, "wall_s": 5}));
        queue.call("report-progress", &report).ok();
    }
    let seen = budget(&queue, "team");
    assert_eq!(seen["spent"], json!({"cost_usd": 0.6, "wall_s": 5.0}));
    assert_eq!(seen["is_spent"], false);
    // The one at work goes on, and what it reports at its end counts too.
    let done = with(&second, &json!({"cost_usd": 0.5}));
    assert_eq!(
        queue.call("complete-task", &done).ok().text("/task/state"),
        "succeeded"
    );
    queue.call("complete-task", &done).ok();
    let seen = budget(&queue, "team");
    assert_eq!(
        (
            &seen["spent"]["cost_usd"],
            &seen["is_spent"],
            &seen["starts_anew_at"]
        ),
        (&json!(1.1), &json!(true), &Value::Null)
    );
    queue.call("release-task", &first).ok();
    assert_eq!(queue.claim("3").ok().text("/tasks/0/task_id"), made[3]);
    let none = queue.claim("4").ok();
    assert_eq!(
        (none.at("/none/reason"), none.at("/none/counts/limits")),
        (json!("limits"), json!(2))
    );
    assert_eq!(queue.reasons(&made[1]), ["budget"]);
    let reason = queue.show(&made[1]).at("/reasons/0");
    assert_eq!(reason["limit"], "team");
    let message = reason["message"].as_str().expect("a sentence");
    assert!(message.contains("1.10 of 1.00 US dollars"), "{message}");
    let by_id = json!({"claimer": "w", "request_id": "id", "task_id": made[1]});
    assert_eq!(
        queue.call("claim-tasks", &by_id).error_code(),
        "task_not_ready"
    );
    // More of it lets them go on; what was spent stays spent.
    let dry = json!({"name": "team", "budget": {"cost_usd": 2.0}, "dry_run": true});
    queue.call("set-limit", &dry).ok();
    assert_eq!(budget(&queue, "team")["is_spent"], true);
    assert_eq!(set(&queue, "team", &json!({"cost_usd": 2.0})), "applied");
    assert_eq!(budget(&queue, "team")["spent"]["cost_usd"], 1.1);
    assert_eq!(queue.claim("5").ok().text("/tasks/0/task_id"), made[2]);
    // Without a budget of that name there is none.
    queue.call("set-limit", &json!({"name": "team"})).ok();
    assert_eq!(queue.claim("6").ok().text("/tasks/0/task_id"), made[1]);
}

#[test]
fn a_budget_of_each_day_says_when_it_starts_anew() {
    let queue = Queue::new();
    let terms = json!({"wall_s": 10, "per": "day"});
    assert_eq!(set(&queue, "daily", &terms), "applied");
    let made = queue.enqueue(&json!([
        {"command": ["1"], "budgets": ["daily"]},
        {"command": ["2"], "budgets": ["daily"]},
    ]));
    let held = fence(&queue.claim("1").ok());
    let failed = with(&held, &json!({"error": "it broke", "wall_s": 11}));
    queue.call("fail-task", &failed).ok();
    let anew = budget(&queue, "daily")["starts_anew_at"].clone();
    assert!(
        anew.as_str()
            .is_some_and(|time| time.ends_with("T00:00:00.000Z")),
        "{anew}"
    );
    assert_eq!(queue.show(&made[1]).at("/reasons/0/until"), anew);
    let none = queue.claim("2").ok();
    assert_eq!(none.at("/tasks"), json!([]));
    assert_eq!(none.at("/none/next_due_at"), anew);
}

#[test]
fn what_is_no_budget_is_refused_and_what_is_a_limit_is_none() {
    let queue = Queue::new();
    for wrong in [
        json!({"name": "x", "total": 1, "budget": {"cost_usd": 1}}),
        json!({"name": "x", "budget": {}}),
        json!({"name": "x", "budget": {"cost_usd": -1}}),
        json!({"name": "x", "budget": {"per": "week", "cost_usd": 1}}),
    ] {
        let call = queue.call("set-limit", &wrong);
        assert_eq!(call.error_code(), "spec_invalid", "{}", call.line());
    }
    // A limit of the same name does not keep a task back that only spends of it.
    queue
        .call("set-limit", &json!({"name": "x", "total": 0}))
        .ok();
    let made = queue.one(&json!({"budgets": ["x"]}));
    assert_eq!(queue.claim("1").ok().text("/tasks/0/task_id"), made);
}

#[test]
fn an_edit_changes_the_budgets_of_a_task() {
    let queue = Queue::new();
    set(&queue, "empty", &json!({"cost_usd": 0}));
    let made = queue.one(&json!({"budgets": ["empty"]}));
    assert_eq!(queue.reasons(&made), ["budget"]);
    let version = queue.show(&made).at("/task/version");
    let edit = json!({"task_id": made, "expected_version": version, "budgets": []});
    queue.call("edit-task", &edit).ok();
    assert_eq!(queue.claim("1").ok().text("/tasks/0/task_id"), made);
}
