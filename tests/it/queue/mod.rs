//! The queue: tasks, their claims, and what stands in their way.

mod basics;
mod budgets;
mod changes;
mod crowds;
mod dependencies;
mod events;
mod every;
mod fences;
mod kills;
mod limits;
mod progress;

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{Call, World};

/// A world with a queue.
struct Queue {
    world: World,
}

impl Queue {
    fn new() -> Self {
        Self {
            world: World::new(),
        }
    }

    fn call(&self, primitive: &str, input: &Value) -> Call {
        self.world
            .legwork([primitive, "--json", &input.to_string()])
    }

    /// Enqueues tasks, and returns their ids.
    fn enqueue(&self, tasks: &Value) -> Vec<String> {
        let call = self.call("enqueue-tasks", &json!({"tasks": tasks})).ok();
        let count = tasks.as_array().map_or(0, Vec::len);
        (0..count)
            .map(|place| call.text(&format!("/tasks/{place}/task/task_id")))
            .collect()
    }

    /// Enqueues one task that does nothing in particular.
    fn one(&self, more: &Value) -> String {
        self.enqueue(&json!([task(more)])).remove(0)
    }

    /// Claims the first task that can run.
    fn claim(&self, request_id: &str) -> Call {
        let input = json!({"claimer": "worker", "request_id": request_id});
        self.call("claim-tasks", &input)
    }

    /// Claims a task by its id, and returns its fence.
    fn hold(&self, task_id: &str, lease_s: u64) -> Value {
        let request_id = format!(
            "{task_id}.{lease_s}.{}",
            self.show(task_id).at("/task/attempts")
        );
        let input = json!({"claimer": "worker", "request_id": request_id, "task_id": task_id, "lease_s": lease_s});
        let call = self.call("claim-tasks", &input).ok();
        assert_eq!(call.effect(), "applied", "{}", call.line());
        fence(&call)
    }

    fn show(&self, task_id: &str) -> Call {
        self.call("show-task", &json!({"task_id": task_id})).ok()
    }

    fn state(&self, task_id: &str) -> String {
        self.show(task_id).text("/task/state")
    }

    /// Returns the kinds of the reasons why a task does not run.
    fn reasons(&self, task_id: &str) -> Vec<String> {
        let reasons = self.show(task_id).at("/reasons");
        let kinds = reasons.as_array().into_iter().flatten();
        kinds
            .map(|reason| reason["kind"].as_str().expect("a kind").to_owned())
            .collect()
    }

    /// Waits until the lease of a task is over.
    fn outlast(&self, task_id: &str) {
        let until = self.show(task_id).text("/task/lease_until");
        let until: jiff::Timestamp = until.parse().expect("a time");
        while jiff::Timestamp::try_from(std::time::SystemTime::now()).expect("a time") <= until {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Makes a task that differs from others by its fields alone.
fn task(more: &Value) -> Value {
    let mut task = json!({"command": ["true"]});
    for (name, value) in more.as_object().into_iter().flatten() {
        task[name] = value.clone();
    }
    task
}

/// Returns the fence of the first task of a claim.
fn fence(call: &Call) -> Value {
    json!({
        "task_id": call.at("/tasks/0/task_id"),
        "attempt": call.at("/tasks/0/attempt"),
        "token": call.at("/tasks/0/token"),
    })
}

/// Adds fields to an input.
fn with(input: &Value, more: &Value) -> Value {
    let mut whole = input.clone();
    for (name, value) in more.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    whole
}
