//! Tasks that are calls of primitives.

use serde_json::json;

use super::Yard;
use crate::support::{Call, KEY, KEY_VARIABLE, MEND, Workplace, eventually, sha256};

#[test]
fn the_envelope_of_a_call_is_the_result_of_its_task() {
    let yard = Yard::new();
    let tasks = yard.enqueue(&json!([
        {"call": {"primitive": "add-host", "input": {"name": "box", "destination": "me@box.example.org"}}},
        {"call": {"primitive": "show-task", "input": {"task_id": "task-9-00000000"}}},
    ]));
    let ended = yard.drained(&[]);
    assert_eq!(
        (&ended["counts"]["succeeded"], &ended["counts"]["failed"]),
        (&json!(1), &json!(1))
    );
    let added = yard.show(&tasks[0]);
    assert_eq!(added.text("/result/primitive"), "add-host");
    assert_eq!(added.text("/result/effect"), "applied");
    let failed = yard.show(&tasks[1]);
    assert_eq!(failed.text("/task/state"), "failed");
    assert_eq!(failed.text("/result/error_code"), "task_not_found");
    assert!(failed.text("/task/error").starts_with("task_not_found: "));
}

#[test]
fn an_investigation_lasts_as_long_as_its_job_and_is_launched_once() {
    let place = Workplace::here();
    place.waiting_agent("waiter", MEND);
    let order = Workplace::order("waiter", &json!({}));
    let batch = json!({"tasks": [{"call": {"primitive": "launch-investigation", "input": order}}]});
    let task_id = place
        .call("enqueue-tasks", &batch)
        .ok()
        .text("/tasks/0/task/task_id");
    let state = || {
        let shown = place.call("show-task", &json!({"task_id": task_id})).ok();
        shown.text("/task/state")
    };
    let worker = |arguments: &[&str]| {
        let mut command = place.world().legwork_command(["run-worker"]);
        command.args(arguments).stdout(std::process::Stdio::piped());
        command.spawn().expect("a worker")
    };
    let mut first = worker(&[]);
    assert_eq!(place.started(1), 1);
    assert_eq!(state(), "claimed");
    first.kill().expect("it is there");
    first.wait().expect("its end");
    // The next worker makes the same call, which finds the job.
    let second = worker(&["--idle-exit-s", "0"]);
    eventually("it is taken over", || {
        let status = place.call("worker-status", &json!({})).ok();
        status.at("/stalled") == json!([])
    });
    assert_eq!(state(), "claimed");
    place.release();
    let output = second.wait_with_output().expect("its end");
    assert!(output.status.success());
    assert_eq!(place.started(1), 1);
    let shown = place.call("show-task", &json!({"task_id": task_id})).ok();
    assert_eq!(shown.text("/task/state"), "succeeded", "{}", shown.line());
    assert_eq!(shown.text("/result/data/job/state"), "succeeded");
    assert_eq!(shown.at("/task/attempts"), 1);
}

/// Decides as the person, by the key.
fn as_person(yard: &Yard, input: &serde_json::Value) -> Call {
    let mut command = yard
        .world
        .legwork_command(["decide-approval", "--json", &input.to_string()]);
    let output = command.env(KEY_VARIABLE, KEY).output();
    Call::read(&output.expect("legwork starts")).ok()
}

/// Says which scopes need a grant.
fn require(yard: &Yard, scope: &str) {
    let key = sha256(KEY.as_bytes());
    yard.world.configure(&format!(
        "[authorization]\nkey_sha256 = '{key}'\nrequire = ['{scope}']\n"
    ));
}

#[test]
fn a_call_that_needs_leave_waits_for_it_and_then_runs_once() {
    let yard = Yard::new();
    require(&yard, "destructive");
    let call = json!({"primitive": "collect-tasks", "input": {"older_than_s": 86_400}});
    let task_id = yard.enqueue(&json!([{"call": call}])).remove(0);
    let worker = yard.worker(&["--idle-exit-s", "0"]);
    let waiting = || yard.call("list-waiting", &json!({})).ok();
    eventually("a person is asked", || {
        waiting().at("/waiting/0/id").is_string()
    });
    assert_eq!(yard.show(&task_id).text("/task/state"), "claimed");
    let request_id = waiting().text("/waiting/0/id");
    as_person(
        &yard,
        &json!({"request_id": request_id, "decision": "approve"}),
    );
    assert_eq!(worker.ended()["counts"]["succeeded"], 1);
    let shown = yard.show(&task_id);
    assert_eq!(shown.text("/task/state"), "succeeded", "{}", shown.line());
    assert_eq!(shown.at("/task/attempts"), 1);
    assert_eq!(waiting().at("/waiting"), json!([]));
}

#[test]
fn a_command_that_needs_leave_waits_for_it_before_it_is_claimed() {
    let yard = Yard::new();
    require(&yard, "run_command");
    let task_id = yard.enqueue(&yard.marking(1, "")).remove(0);
    yard.drained(&[]);
    assert_eq!(yard.marks(1), [0]);
    let shown = yard.show(&task_id);
    assert_eq!(
        shown.text("/task/readiness"),
        "approval",
        "{}",
        shown.line()
    );
    as_person(&yard, &json!({"task_id": task_id, "decision": "approve"}));
    yard.drained(&[]);
    assert_eq!(yard.marks(1), [1]);
}
