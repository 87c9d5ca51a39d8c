//! Calls that are killed, at named points and at any moment: what was acknowledged is there, and the same call again goes on.

use std::{collections::BTreeSet, process::Stdio, thread, time::Duration};

use serde_json::{Value, json};

use super::{Queue, fence, task, with};

impl Queue {
    fn killed(&self, point: &str, primitive: &str, input: &Value) {
        self.world
            .killed(point, [primitive, "--json", &input.to_string()]);
    }
}

#[test]
fn a_kill_at_any_point_loses_nothing_that_was_acknowledged() {
    let queue = Queue::new();
    let before = queue.one(&json!({"title": "before", "priority": 99}));
    for (point, effect) in [
        ("queue.changed", "applied"),
        ("queue.committed", "replayed"),
    ] {
        let batch = json!({"tasks": [task(&json!({"title": point})), task(&json!({"title": format!("{point} too")}))]});
        queue.killed(point, "enqueue-tasks", &batch);
        assert_eq!(
            queue.call("enqueue-tasks", &batch).ok().effect(),
            effect,
            "{point}"
        );
        let claim = json!({"claimer": "worker", "request_id": point});
        queue.killed(point, "claim-tasks", &claim);
        let claimed = queue.call("claim-tasks", &claim).ok();
        assert_eq!(claimed.effect(), effect, "{point}");
        let done = with(&fence(&claimed), &json!({"summary": "done"}));
        queue.killed(point, "complete-task", &done);
        let call = queue.call("complete-task", &done).ok();
        assert_eq!(
            (call.effect(), call.text("/task/state").as_str()),
            (effect, "succeeded"),
            "{point}"
        );
    }
    assert_eq!(queue.state(&before), "succeeded");
    let states = queue.call("peek-queue", &json!({})).ok().at("/states");
    assert_eq!(
        (&states["waiting"], &states["succeeded"], &states["claimed"]),
        (&json!(3), &json!(2), &json!(0))
    );
    queue.call("check-store", &json!({})).ok();
}

/// Sends a call and kills it after so many microseconds; returns its answer where it came to that.
fn hurried(queue: &Queue, primitive: &str, input: &Value, after: u64) -> Option<Value> {
    let mut command = queue
        .world
        .legwork_command([primitive, "--json", &input.to_string()]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("legwork starts");
    thread::sleep(Duration::from_micros(after));
    child.kill().expect("it is a child");
    let output = child.wait_with_output().expect("its end");
    serde_json::from_slice(&output.stdout).ok()
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let queue = Queue::new();
    let mut acknowledged = BTreeSet::new();
    let mut done = BTreeSet::new();
    queue.one(&json!({"title": "first"}));
    for round in 0..60_u64 {
        let after = round * 3_000;
        let batch = json!({"tasks": [task(&json!({"title": format!("{round}")}))]});
        if let Some(answer) = hurried(&queue, "enqueue-tasks", &batch, after) {
            acknowledged.insert(answer["data"]["tasks"][0]["task"]["task_id"].to_string());
        }
        let claim = json!({"claimer": "worker", "request_id": format!("r{round}")});
        hurried(&queue, "claim-tasks", &claim, after);
        let claimed = queue.call("claim-tasks", &claim).ok();
        if claimed.at("/tasks/0").is_null() {
            continue;
        }
        let held = fence(&claimed);
        hurried(&queue, "complete-task", &held, after);
        let call = queue.call("complete-task", &held).ok();
        assert_eq!(call.text("/task/state"), "succeeded");
        assert!(
            done.insert(held["task_id"].to_string()),
            "{held} was claimed twice"
        );
    }
    let listed = queue
        .call("list-tasks", &json!({"limit": 500}))
        .ok()
        .at("/tasks");
    let there: BTreeSet<String> = listed
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["task"]["task_id"].to_string())
        .collect();
    assert!(
        acknowledged.is_subset(&there),
        "{acknowledged:?} and {there:?}"
    );
    assert!(done.is_subset(&there));
    assert!(
        !acknowledged.is_empty() && done.len() > 10,
        "{} and {}",
        acknowledged.len(),
        done.len()
    );
    let states = queue.call("peek-queue", &json!({})).ok().at("/states");
    assert_eq!(states["succeeded"], done.len());
    assert_eq!(states["claimed"], 0);
    queue.call("check-store", &json!({})).ok();
}
