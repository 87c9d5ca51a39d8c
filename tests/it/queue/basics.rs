//! Enqueueing, listing, showing, summing up; keys and what they answer.

use serde_json::{Value, json};

use super::{Queue, task};

fn ids(tasks: &Value) -> Vec<&str> {
    let tasks = tasks.as_array().into_iter().flatten();
    tasks
        .map(|one| one["task"]["task_id"].as_str().expect("an id"))
        .collect()
}

#[test]
fn a_batch_is_enqueued_whole_and_the_same_again_is_a_replay() {
    let queue = Queue::new();
    let batch = json!({"tasks": [
        {"name": "a", "command": ["make"], "labels": ["nightly", "nightly"], "idempotency_key": "build"},
        {"name": "b", "prompt": "Fix it.", "depends_on": ["a"], "priority": 80, "agent": "claude"},
        {"call": {"primitive": "check-store"}, "depends_on": ["b", "a"]},
    ]});
    let mut dry = batch.clone();
    dry["dry_run"] = json!(true);
    let call = queue.call("enqueue-tasks", &dry).ok();
    assert_eq!(call.effect(), "none");
    assert_eq!(call.at("/tasks/2/enqueued"), true);
    assert_eq!(
        queue.call("list-tasks", &json!({})).ok().at("/tasks"),
        json!([])
    );

    let first = queue.call("enqueue-tasks", &batch).ok();
    assert_eq!(first.effect(), "applied");
    let again = queue.call("enqueue-tasks", &batch).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(ids(&first.at("/tasks")), ids(&again.at("/tasks")));
    assert_eq!(again.at("/tasks/0/enqueued"), false);
    assert_eq!(first.at("/tasks/0/task/labels"), json!(["nightly"]));

    // One of the batch is refused, and so none of it is enqueued.
    let other = json!({"tasks": [
        {"command": ["new"]}, {"command": ["other"], "idempotency_key": "build"},
    ]});
    let refused = queue.call("enqueue-tasks", &other);
    assert_eq!(refused.error_code(), "idempotency_key_reused");
    assert_eq!(refused.effect(), "none");
    let listed = queue.call("list-tasks", &json!({})).ok();
    assert_eq!(ids(&listed.at("/tasks")).len(), 3);
    assert_eq!(queue.call("check-store", &json!({})).ok().at("/version"), 9);
}

#[test]
fn what_cannot_be_enqueued_is_named_and_nothing_is() {
    let queue = Queue::new();
    let circle = json!({"tasks": [
        {"name": "a", "command": ["x"], "depends_on": ["c"]}, {"name": "b", "command": ["x"], "depends_on": ["a"]},
        {"name": "c", "command": ["x"], "depends_on": ["b"]},
    ]});
    let refused = queue.call("enqueue-tasks", &circle);
    assert_eq!(refused.error_code(), "dependency_cycle");
    assert_eq!(refused.details()["tasks"], json!(["a", "c", "b", "a"]));
    let unknown = json!({"tasks": [task(&json!({"depends_on": ["task-9-00000000"]}))]});
    let refused = queue.call("enqueue-tasks", &unknown);
    assert_eq!(refused.error_code(), "task_not_found");
    assert_eq!(refused.details()["name"], "task-9-00000000");
    for (wrong, pointer) in [
        (json!({"prompt": "x", "command": ["y"]}), "/tasks/0"),
        (json!({"title": "no work"}), "/tasks/0"),
        (task(&json!({"deadline": "tomorrow"})), "/tasks/0/deadline"),
        (task(&json!({"priority": 101})), "/tasks/0/priority"),
        (
            task(&json!({"resources": {"limits": {"slots": 1}}})),
            "/tasks/0/resources/limits",
        ),
        (task(&json!({"env": {"1X": "y"}})), "/tasks/0/env"),
        (
            json!({"call": {"primitive": "show-task", "input": {"task": 1}}}),
            "/tasks/0/call/input/task",
        ),
    ] {
        let refused = queue.call("enqueue-tasks", &json!({"tasks": [wrong]}));
        assert_eq!(refused.error_code(), "spec_invalid", "{wrong}");
        let violations = refused.details()["violations"].to_string();
        assert!(
            violations.contains(&format!("\"{pointer}\"")),
            "{wrong}: {violations}"
        );
    }
    let call = json!({"tasks": [{"call": {"primitive": "show-tasks"}}]});
    assert_eq!(
        queue.call("enqueue-tasks", &call).error_code(),
        "unknown_primitive"
    );
    assert_eq!(
        queue.call("list-tasks", &json!({})).ok().at("/tasks"),
        json!([])
    );
}

#[test]
fn a_key_whose_task_failed_answers_it_and_says_how_to_try_again() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({"idempotency_key": "fix-12"}));
    let fence = queue.hold(&task_id, 60);
    queue
        .call("fail-task", &super::with(&fence, &json!({"error": "no"})))
        .ok();
    let batch = json!({"tasks": [task(&json!({"idempotency_key": "fix-12"}))]});
    let again = queue.call("enqueue-tasks", &batch).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(again.at("/tasks/0/task/state"), "failed");
    assert!(!again.warnings().is_empty());
    let next = &again.next()[0];
    assert_eq!(next.primitive, "retry-task");
    let retried = queue.call(&next.primitive, &next.input).ok();
    assert_eq!(
        (retried.effect(), retried.text("/task/state").as_str()),
        ("applied", "waiting")
    );
    assert_eq!(
        queue.call(&next.primitive, &next.input).ok().effect(),
        "replayed"
    );
    assert_eq!(queue.claim("again").ok().at("/tasks/0/attempt"), 2);
}

#[test]
fn lists_are_paged_and_filtered() {
    let queue = Queue::new();
    let tasks: Vec<Value> = (0..7)
        .map(|number| {
            let label = if number % 2 == 0 { "even" } else { "odd" };
            let agent = if number < 3 { "claude" } else { "codex" };
            task(&json!({"title": format!("{number}"), "labels": [label, "all"], "agent": agent}))
        })
        .collect();
    let made = queue.enqueue(&json!(tasks));
    let mut found = Vec::new();
    let mut input = json!({"limit": 3});
    loop {
        let page = queue.call("list-tasks", &input).ok();
        found.extend(ids(&page.at("/tasks")).into_iter().map(str::to_owned));
        let next = page.at("/next_cursor");
        if next.is_null() {
            break;
        }
        input["cursor"] = next;
    }
    let newest_first: Vec<String> = made.iter().rev().cloned().collect();
    assert_eq!(found, newest_first);
    for (filter, expected) in [
        (json!({"labels": ["even"]}), vec![6, 4, 2, 0]),
        (json!({"labels": ["all", "odd"]}), vec![5, 3, 1]),
        (json!({"labels": ["even"], "agent": "claude"}), vec![2, 0]),
        (json!({"states": ["claimed", "failed"]}), vec![]),
        (
            json!({"states": ["waiting"], "agent": "codex"}),
            vec![6, 5, 4, 3],
        ),
    ] {
        let listed = queue.call("list-tasks", &filter).ok().at("/tasks");
        let wanted: Vec<&str> = expected
            .into_iter()
            .map(|place: usize| made[place].as_str())
            .collect();
        assert_eq!(ids(&listed), wanted, "{filter}");
    }
    input["labels"] = json!(["even"]);
    assert_eq!(
        queue.call("list-tasks", &input).error_code(),
        "cursor_invalid"
    );
}

#[test]
fn a_tree_shows_what_a_task_depends_on_page_by_page() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([
        {"name": "d", "command": ["d"]},
        {"name": "c", "command": ["c"], "depends_on": ["d"]},
        {"name": "b", "command": ["b"], "depends_on": ["d"]},
        {"name": "a", "command": ["a"], "depends_on": ["b", "c"]},
    ]));
    let mut seen = Vec::new();
    let mut input = json!({"tree": made[3], "limit": 2});
    loop {
        let page = queue.call("list-tasks", &input).ok();
        for one in page.at("/tasks").as_array().into_iter().flatten() {
            seen.push((one["task"]["task_id"].clone(), one["depth"].clone()));
        }
        let next = page.at("/next_cursor");
        if next.is_null() {
            break;
        }
        input["cursor"] = next;
    }
    let wanted: Vec<(Value, Value)> = [(3, 0), (1, 1), (2, 1), (0, 2)]
        .map(|(place, depth): (usize, u32)| (json!(made[place]), json!(depth)))
        .into();
    assert_eq!(seen, wanted);
    let unknown = queue.call("list-tasks", &json!({"tree": "task-99-00000000"}));
    assert_eq!(unknown.error_code(), "task_not_found");
}

#[test]
fn a_summary_counts_every_state_and_what_waits_for_what() {
    let queue = Queue::new();
    queue
        .call("set-limit", &json!({"name": "slots", "total": 1}))
        .ok();
    let made = queue.enqueue(&json!([
        {"name": "first", "command": ["1"], "priority": 90},
        {"name": "second", "command": ["2"], "priority": 10},
        {"command": ["3"], "depends_on": ["first"]},
        {"command": ["4"], "requires_approval": true},
        {"command": ["5"], "not_before": "2100-01-01T00:00:00+01:00"},
        {"name": "paused", "command": ["6"]},
        {"name": "gone", "command": ["7"]},
        {"command": ["8"], "depends_on": ["gone"], "on_dependency_failure": "skip"},
        {"command": ["9"], "depends_on": ["gone"], "on_dependency_failure": "hold"},
        {"command": ["10"], "depends_on": ["gone"]},
        {"command": ["11"], "resources": {"slots": 0, "limits": {"licence": 1}}, "priority": 20},
    ]));
    queue.hold(&made[0], 600);
    queue.call("pause-task", &json!({"task_id": made[5]})).ok();
    queue.call("cancel-task", &json!({"task_id": made[6]})).ok();
    let peeked = queue.call("peek-queue", &json!({})).ok();
    assert_eq!(
        peeked.at("/states"),
        json!({"waiting": 5, "claimed": 1, "paused": 1, "held": 1, "succeeded": 0, "failed": 1, "cancelled": 1,
            "skipped": 1, "budget_exhausted": 0}),
    );
    assert_eq!(
        peeked.at("/waiting_for"),
        json!({"nothing": 1, "limits": 1, "not_yet": 1, "approval": 1, "dependencies": 1}),
    );
    assert_eq!(
        peeked.at("/limits/0"),
        json!({"name": "slots", "total": 1, "used": 1, "free": 0, "budget": null})
    );
    let heads: Vec<Value> = (0..2)
        .map(|n| peeked.at(&format!("/heads/{n}/task_id")))
        .collect();
    assert_eq!(heads, [json!(made[10]), json!(made[1])]);
    for (place, reason) in [
        (1, "limit"),
        (2, "dependency"),
        (3, "approval"),
        (4, "not_before"),
        (5, "paused"),
        (0, "claimed"),
        (6, "ended"),
    ] {
        assert!(
            queue.reasons(&made[place]).contains(&reason.to_owned()),
            "{place}"
        );
    }
    assert_eq!(queue.reasons(&made[10]), Vec::<String>::new());
}

#[test]
fn a_database_from_before_the_queue_gets_one() {
    let queue = Queue::new();
    queue.call("add-host", &json!({"name": "box"})).ok();
    let database = rusqlite::Connection::open(queue.world.path("state/legwork/legwork.db"))
        .expect("the database");
    let tables: Vec<String> = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND (name LIKE 'task%' OR name LIKE 'queue%' OR name LIKE 'worker%'
            OR name LIKE 'hook%' OR name IN ('authorizations', 'requests', 'audit', 'audit_head'))")
        .expect("a query")
        .query_map([], |row| row.get(0))
        .expect("the tables")
        .collect::<rusqlite::Result<_>>()
        .expect("the tables");
    assert_eq!(tables.len(), 16, "{tables:?}");
    for table in tables {
        let drop = format!("DROP TABLE {table}");
        database.execute_batch(&drop).expect("the table");
    }
    database
        .execute_batch("DROP INDEX events_by_kind; PRAGMA user_version = 1")
        .expect("the version");
    drop(database);
    let task_id = queue.one(&json!({}));
    assert_eq!(queue.state(&task_id), "waiting");
    queue.call("check-store", &json!({})).ok();
    let hosts = queue.call("list-hosts", &json!({})).ok().at("/hosts");
    assert!(hosts.to_string().contains("\"box\""), "{hosts}");
}

#[test]
fn counts_that_are_damaged_are_made_again() {
    let queue = Queue::new();
    let made = queue.enqueue(&json!([{"command": ["1"]}, {"command": ["2"]}]));
    let held = queue.hold(&made[0], 60);
    let database = rusqlite::Connection::open(queue.world.path("state/legwork/legwork.db"));
    let changed = database
        .expect("the database")
        .execute("UPDATE queue_ledger SET record = '{'", []);
    assert_eq!(changed.expect("the damage"), 1);
    assert_eq!(
        queue.call("check-store", &json!({})).error_code(),
        "store_damaged"
    );
    let peeked = queue.call("peek-queue", &json!({})).ok();
    assert_eq!(peeked.warnings().len(), 1);
    let counts =
        |call: &crate::support::Call| (call.at("/states/waiting"), call.at("/states/claimed"));
    assert_eq!(counts(&peeked), (json!(1), json!(1)));
    queue.call("complete-task", &held).ok();
    let next = queue.one(&json!({"title": "next"}));
    assert!(next.starts_with("task-3-"), "{next}");
    let peeked = queue.call("peek-queue", &json!({})).ok();
    assert_eq!(counts(&peeked), (json!(2), json!(0)));
    queue.call("check-store", &json!({})).ok();
}
