//! Tasks of the queue that do not run before a person lets them.

use serde_json::{Value, json};

use crate::support::{Call, Desk, Surface};

/// Enqueues a task that waits for a person, with more fields, and returns its id.
fn asked(desk: &Desk, more: &Value) -> String {
    let mut task = json!({"command": ["deploy"], "requires_approval": true, "budget_usd": 5.0});
    for (name, value) in more.as_object().into_iter().flatten() {
        task[name] = value.clone();
    }
    let made = desk.call("enqueue-tasks", &json!({"tasks": [task]})).ok();
    made.text("/tasks/0/task/task_id")
}

fn claim(desk: &Desk, request_id: &str) -> Call {
    let input = json!({"claimer": "worker", "request_id": request_id});
    desk.call("claim-tasks", &input).ok()
}

fn decide(task_id: &str, decision: &str) -> Value {
    json!({"task_id": task_id, "decision": decision})
}

fn readiness(desk: &Desk, task_id: &str) -> String {
    let shown = desk.call("show-task", &json!({"task_id": task_id})).ok();
    shown.text("/task/readiness")
}

#[test]
fn a_task_that_needs_a_person_is_listed_and_runs_once_they_let_it() {
    let desk = Desk::usual();
    let other = desk.call("enqueue-tasks", &json!({"tasks": [{"command": ["first"]}]}));
    let first = other.ok().text("/tasks/0/task/task_id");
    let id = asked(&desk, &json!({"depends_on": [first], "title": "Deploy"}));
    let waiting = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(waiting.at("/waiting/0/kind"), "task");
    assert_eq!(waiting.at("/waiting/0/id"), id);
    assert_eq!(waiting.at("/waiting/0/version"), 1);
    assert_eq!(waiting.at("/waiting/0/input/command"), json!(["deploy"]));
    assert_eq!(waiting.at("/waiting/1"), Value::Null);
    let command = waiting.text("/waiting/0/command");
    assert_eq!(
        command,
        format!("legwork decide-approval --task-id {id} --expected-version 1 --decision approve")
    );

    // What it depends on has not succeeded, and a person is asked all the same.
    let mut approve = decide(&id, "approve");
    approve["expected_version"] = json!(1);
    approve["note"] = json!("It is tested.");
    let mut dry = approve.clone();
    dry["dry_run"] = json!(true);
    assert_eq!(desk.call("decide-approval", &dry).ok().effect(), "none");
    assert_eq!(readiness(&desk, &id), "approval");
    let approved = desk.as_person("decide-approval", &approve).ok();
    assert_eq!(approved.effect(), "applied");
    assert_eq!(approved.at("/task/decision/approved"), true);
    assert_eq!(approved.at("/task/decision/by"), "key");
    assert_eq!(approved.at("/task/decision/note"), "It is tested.");
    assert_eq!(approved.at("/task/readiness"), "dependencies");
    // Sent again, by whomever, it says what is so already.
    let again = desk.call("decide-approval", &approve).ok();
    assert_eq!(again.effect(), "replayed");
    let waiting = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(waiting.at("/waiting"), json!([]));
    assert_eq!(desk.events(&id), ["granted"]);

    for (request, task) in [("one", &first), ("two", &id)] {
        let claimed = claim(&desk, request);
        assert_eq!(claimed.at("/tasks/0/task_id"), **task);
        let done = json!({"task_id": task, "attempt": claimed.at("/tasks/0/attempt"), "token": claimed.at("/tasks/0/token")});
        desk.call("complete-task", &done).ok();
    }
    let audit = desk.call("list-audit", &json!({"verify": true})).ok();
    assert_eq!(audit.at("/verified/intact"), true, "{}", audit.line());
}

#[test]
fn a_task_that_is_rejected_ends_and_says_why() {
    let desk = Desk::usual();
    let id = asked(&desk, &json!({}));
    let mut reject = decide(&id, "reject");
    reject["note"] = json!("Not on a Friday.");
    let rejected = desk.as_person("decide-approval", &reject).ok();
    assert_eq!(rejected.effect(), "applied");
    assert_eq!(rejected.at("/task/state"), "cancelled");
    assert_eq!(rejected.at("/task/reason"), "rejected");
    let again = desk.as_person("decide-approval", &reject).ok();
    assert_eq!(again.effect(), "replayed");
    let shown = desk.call("show-task", &json!({"task_id": id})).ok();
    assert_eq!(shown.at("/task/decision/note"), "Not on a Friday.");
    assert_eq!(shown.at("/events/0/kind"), "rejected");
    assert_eq!(desk.events(&id), ["rejected"]);
    let late = desk.as_person("decide-approval", &decide(&id, "approve"));
    assert_eq!(late.error_code(), "task_ended");
    // Tried again, it waits again.
    desk.call("retry-task", &json!({"task_id": id})).ok();
    assert_eq!(readiness(&desk, &id), "approval");
    desk.as_person("decide-approval", &decide(&id, "approve"))
        .ok();
    assert_eq!(readiness(&desk, &id), "ready");
    // Let run and not begun, it can still be stopped.
    let turned = desk.as_person("decide-approval", &reject).ok();
    assert_eq!(turned.at("/task/state"), "cancelled");
}

#[test]
fn nobody_but_a_person_lets_a_task_run() {
    let mut desk = Desk::usual();
    let id = asked(&desk, &json!({}));
    let edit = json!({"task_id": id, "expected_version": 1, "requires_approval": false});
    let refused = desk.call("edit-task", &edit);
    assert_eq!(refused.error_code(), "spec_invalid");
    for decision in ["approve", "reject"] {
        let input = decide(&id, decision);
        let mut command = desk.world().command("setsid");
        command
            .args(["--wait", env!("CARGO_BIN_EXE_legwork"), "decide-approval"])
            .args(["--json", &input.to_string()]);
        let refused = Call::read(&command.output().expect("setsid starts"));
        assert_eq!(refused.error_code(), "approver_unverified");
        assert_eq!(refused.details()["reason"], "no_terminal");
        assert_eq!(refused.effect(), "none");
        for surface in [Surface::Batch, Surface::Mcp] {
            let answer = desk.over(surface, "decide-approval", &input);
            assert_ne!(answer["ok"], true, "{answer}");
        }
    }
    // The agent of a job has no leave to give, whatever key it holds.
    desk.world_mut()
        .set("LEGWORK_JOB", "widgets-1-0123456789ab");
    let refused = desk.as_person("decide-approval", &decide(&id, "approve"));
    assert_eq!(refused.details()["reason"], "inside_job");
    assert_eq!(readiness(&desk, &id), "approval");
    assert_eq!(claim(&desk, "r").at("/none/reason"), "approval");
    assert_eq!(desk.events(&id), Vec::<String>::new());
}

#[test]
fn what_a_person_lets_run_is_what_they_saw() {
    let desk = Desk::usual();
    let id = asked(&desk, &json!({"max_attempts": 2}));
    let mut approve = decide(&id, "approve");
    approve["expected_version"] = json!(1);
    let edit = |more: Value| {
        let shown = desk.call("show-task", &json!({"task_id": id})).ok();
        let mut input = json!({"task_id": id, "expected_version": shown.at("/task/version")});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        desk.call("edit-task", &input)
    };
    edit(json!({"budget_usd": 500.0})).ok();
    let conflict = desk.as_person("decide-approval", &approve);
    assert_eq!(conflict.error_code(), "version_conflict");
    approve["expected_version"] = json!(2);
    desk.as_person("decide-approval", &approve).ok();
    // When its turn comes may change; what it may cost may not.
    edit(json!({"priority": 90, "labels": ["soon"]})).ok();
    assert_eq!(readiness(&desk, &id), "ready");
    let dearer = edit(json!({"budget_usd": 5000.0})).ok();
    assert_eq!(dearer.at("/task/readiness"), "approval");
    assert_eq!(dearer.at("/task/decision"), Value::Null);
    desk.as_person("decide-approval", &decide(&id, "approve"))
        .ok();
    let claimed = claim(&desk, "one");
    assert_eq!(
        edit(json!({"budget_usd": 9000.0})).error_code(),
        "task_claimed"
    );
    let late = desk.as_person("decide-approval", &decide(&id, "reject"));
    assert_eq!(late.error_code(), "task_claimed");
    // The attempts that it had when a person let it run are all theirs; another one is not.
    let mut failed = json!({"task_id": id, "attempt": claimed.at("/tasks/0/attempt"),
        "token": claimed.at("/tasks/0/token"), "error": "as it was to be", "retry": true});
    let ended = desk.call("fail-task", &failed).ok();
    assert_eq!(ended.at("/task/readiness"), "not_yet");
    edit(json!({"backoff": {"initial_s": 0}})).ok();
    desk.as_person("decide-approval", &decide(&id, "approve"))
        .ok();
    desk.call("cancel-task", &json!({"task_id": id})).ok();
    desk.call("retry-task", &json!({"task_id": id})).ok();
    assert_eq!(readiness(&desk, &id), "approval");
    failed["retry"] = json!(false);
    assert_eq!(desk.call("fail-task", &failed).error_code(), "lease_lost");
}

#[test]
fn what_waits_for_nobody_cannot_be_decided() {
    let desk = Desk::usual();
    let made = desk.call("enqueue-tasks", &json!({"tasks": [{"command": ["true"]}]}));
    let id = made.ok().text("/tasks/0/task/task_id");
    for decision in ["approve", "reject"] {
        let refused = desk.as_person("decide-approval", &decide(&id, decision));
        assert_eq!(refused.error_code(), "request_unknown");
        assert_eq!(refused.effect(), "none");
    }
    let unknown = desk.as_person("decide-approval", &decide("task-9-00000000", "approve"));
    assert_eq!(unknown.error_code(), "task_not_found");
    for bad in [
        json!({"decision": "approve"}),
        json!({"decision": "approve", "task_id": id, "request_id": "req-0123456789abcdef"}),
        json!({"decision": "approve", "request_id": "req-0123456789abcdef", "expected_version": 1}),
    ] {
        let refused = desk.as_person("decide-approval", &bad);
        assert_eq!(refused.error_code(), "spec_invalid", "{bad}");
    }
}

#[test]
fn calls_and_tasks_that_wait_are_one_list_of_pages() {
    let desk = Desk::requiring(&["remote_write"]);
    let call = desk.refused("verify-fix", &json!({"job_id": "widgets-1-0123456789ab"}));
    let tasks: Vec<String> = (0..3)
        .map(|n| asked(&desk, &json!({"command": [n.to_string()]})))
        .collect();
    let broken = json!({"tasks": [
        {"name": "first", "command": ["first"]},
        {"command": ["second"], "depends_on": ["first"], "on_dependency_failure": "hold"},
    ]});
    let held = desk.call("enqueue-tasks", &broken).ok();
    let held = held.text("/tasks/1/task/task_id");
    let claimed = claim(&desk, "one");
    let failed = json!({
        "task_id": claimed.at("/tasks/0/task_id"), "attempt": claimed.at("/tasks/0/attempt"),
        "token": claimed.at("/tasks/0/token"), "error": "it broke",
    });
    desk.call("fail-task", &failed).ok();
    let mut seen = Vec::new();
    let mut input = json!({"limit": 2});
    loop {
        let page = desk.call("list-waiting", &input).ok();
        let waiting = page.at("/waiting");
        let waiting = waiting.as_array().expect("a list");
        assert!(waiting.len() <= 2);
        seen.extend(waiting.iter().map(|one| one["id"].clone()));
        input["cursor"] = page.at("/next_cursor");
        if input["cursor"].is_null() {
            break;
        }
    }
    let wanted: Vec<Value> = std::iter::once(&call)
        .chain(&tasks)
        .chain([&held])
        .map(|id| json!(id))
        .collect();
    assert_eq!(seen, wanted);
    // What it says lets that one run, and it waits for nobody any more.
    let last = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(last.text("/waiting/4/kind"), "held_task");
    assert_eq!(
        last.text("/waiting/4/command"),
        format!("legwork resume-task --task-id {held}")
    );
    desk.call("resume-task", &json!({"task_id": held})).ok();
    let left = desk.call("list-waiting", &json!({})).ok();
    assert_eq!(left.at("/waiting/4"), Value::Null);
}
