//! Many claimers at once.

use std::{collections::BTreeSet, thread};

use serde_json::{Value, json};

use super::{Queue, task};

#[test]
fn eight_claimers_take_two_hundred_tasks_once_each() {
    let queue = Queue::new();
    queue
        .call("set-limit", &json!({"name": "slots", "total": 8}))
        .ok();
    let tasks: Vec<Value> = (0..200)
        .map(|n| task(&json!({"title": format!("{n}")})))
        .collect();
    let made: BTreeSet<String> = queue.enqueue(&json!(tasks)).into_iter().collect();
    assert_eq!(made.len(), 200);
    let work = |claimer: usize| {
        let mut done = Vec::new();
        loop {
            let request = format!("{claimer}.{}", done.len());
            let input = json!({"claimer": format!("worker-{claimer}"), "request_id": request});
            let call = queue.call("claim-tasks", &input).ok();
            if call.at("/tasks/0").is_null() {
                // Each has at most one task, so that there are slots for all.
                let reason = call.text("/none/reason");
                assert!(
                    matches!(reason.as_str(), "claimed" | "empty"),
                    "{}",
                    call.line()
                );
                return done;
            }
            queue.call("complete-task", &super::fence(&call)).ok();
            done.push(call.text("/tasks/0/task_id"));
        }
    };
    let taken: Vec<Vec<String>> = thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..8)
            .map(|claimer| scope.spawn(move || work(claimer)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker"))
            .collect()
    });
    let all: Vec<String> = taken.into_iter().flatten().collect();
    assert_eq!(all.len(), 200, "none twice");
    assert_eq!(
        all.into_iter().collect::<BTreeSet<String>>(),
        made,
        "none lost"
    );
    let peeked = queue.call("peek-queue", &json!({})).ok();
    assert_eq!(
        (peeked.at("/states/succeeded"), peeked.at("/limits/0/used")),
        (json!(200), json!(0))
    );
    queue.call("check-store", &json!({})).ok();
}

#[test]
fn eight_claimers_in_batches_share_a_limit_that_is_never_exceeded() {
    let queue = Queue::new();
    queue
        .call("set-limit", &json!({"name": "gpus", "total": 5}))
        .ok();
    let tasks: Vec<Value> = (0..40)
        .map(|n| task(&json!({"title": format!("{n}"), "resources": {"gpus": 1 + n % 2}})))
        .collect();
    queue.enqueue(&json!(tasks));
    let calls = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|claimer| {
                let queue = &queue;
                scope.spawn(move || {
                    let claimer = format!("worker-{claimer}");
                    let input = json!({"claimer": claimer, "request_id": "r", "count": 10});
                    queue.call("claim-tasks", &input).ok().at("/tasks")
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker"))
            .collect::<Vec<Value>>()
    });
    let claimed: Vec<&Value> = calls.iter().filter_map(Value::as_array).flatten().collect();
    let gpus: u64 = claimed
        .iter()
        .map(|one| one["spec"]["resources"]["gpus"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(gpus, 5);
    let ids: BTreeSet<&str> = claimed
        .iter()
        .filter_map(|one| one["task_id"].as_str())
        .collect();
    assert_eq!(ids.len(), claimed.len());
}
