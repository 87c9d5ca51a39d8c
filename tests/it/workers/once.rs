//! What a worker does with a task, and that each runs once however many workers there are.

use serde_json::{Value, json};

use super::Yard;

#[test]
fn what_became_of_a_command_is_its_result() {
    let yard = Yard::new();
    let tasks = yard.enqueue(&json!([
        {"command": ["sh", "-c", "echo out; echo err >&2; pwd; echo \"$COLOUR\""], "cwd": yard.world.path("marks"), "env": {"COLOUR": "blue"}},
        {"command": ["sh", "-c", "exit 3"]},
        {"command": ["no-such-program"]},
        {"command": ["true"], "cwd": "/nowhere/at/all"},
        // What a shell has of its own under these names is not what is meant.
        {"command": ["exit"], "title": "no program"},
        {"command": ["printf", "%s|", "a b", "", "$HOME", "'"]},
        {"command": ["sh", "-c", "kill -9 $$"]},
    ]));
    let ended = yard.drained(&["--concurrency", "3"]);
    assert_eq!(ended["end"], "idle");
    assert_eq!(ended["counts"]["claimed"], 7);
    assert_eq!(ended["counts"]["succeeded"], 2);
    assert_eq!(ended["counts"]["failed"], 5);

    let first = yard.show(&tasks[0]);
    assert_eq!(first.text("/task/state"), "succeeded");
    assert_eq!(first.at("/result/exit_code"), 0);
    let said = format!("out\nerr\n{}\nblue\n", yard.world.path("marks").display());
    assert_eq!(first.text("/result/output_tail"), said);
    assert_eq!(yard.log(&tasks[0], 1), said);
    let failed = yard.show(&tasks[1]);
    assert_eq!(failed.text("/task/state"), "failed");
    assert_eq!(failed.at("/result/exit_code"), 3);
    assert_eq!(yard.show(&tasks[2]).at("/result/exit_code"), 127);
    assert_eq!(yard.show(&tasks[3]).text("/task/reason"), "not_retryable");
    assert_eq!(yard.show(&tasks[4]).at("/result/exit_code"), 127);
    assert_eq!(yard.log(&tasks[5], 1), "a b||$HOME|'|");
    assert_eq!(yard.show(&tasks[6]).at("/result/exit_code"), 137);
}

#[test]
fn a_command_has_no_secret_of_its_worker_and_can_report() {
    let mut yard = Yard::new();
    yard.world.set("SOME_API_TOKEN", "not-for-tasks");
    let report = format!(
        "env | grep -c not-for-tasks; {} report-progress --task-id \"$LEGWORK_TASK_ID\" --attempt \"$LEGWORK_TASK_ATTEMPT\" \
         --token \"$LEGWORK_TASK_TOKEN\" --done-percent 40",
        env!("CARGO_BIN_EXE_legwork")
    );
    let home = yard.world.path("state/legwork");
    let task_id = yard.script(
        &report,
        &json!({"env": {"LEGWORK_HOME": home, "LEGWORK_CONFIG": yard.world.path("config.toml")}}),
    );
    yard.drained(&[]);
    let shown = yard.show(&task_id);
    assert_eq!(
        shown.text("/task/state"),
        "succeeded",
        "{}",
        yard.log(&task_id, 1)
    );
    assert_eq!(shown.at("/task/progress/done_percent"), 40.0);
    assert!(yard.log(&task_id, 1).starts_with("0\n"));
}

#[test]
fn eight_workers_run_two_hundred_tasks_once_each() {
    let yard = Yard::new();
    yard.enqueue(&yard.marking(200, "true"));
    let workers: Vec<_> = (0..8)
        .map(|number| {
            let name = format!("w{number}");
            yard.worker(&["--name", &name, "--concurrency", "2", "--idle-exit-s", "0"])
        })
        .collect();
    let ended: Vec<Value> = workers.into_iter().map(super::Worker::ended).collect();
    assert_eq!(yard.marks(200), vec![1; 200]);
    let sum = |what: &str| -> u64 {
        let counts = ended.iter().map(|one| one["counts"][what].as_u64());
        counts.map(|count| count.expect("a count")).sum()
    };
    assert_eq!((sum("claimed"), sum("succeeded")), (200, 200));
    assert_eq!((sum("refused"), sum("lost")), (0, 0));
    let left = yard.call("peek-queue", &json!({})).ok();
    assert_eq!(left.at("/states/succeeded"), 200, "{}", left.line());
}

#[test]
fn a_failed_attempt_is_tried_again_and_a_limit_of_time_ends_it() {
    let yard = Yard::new();
    let mark = yard.world.path("marks/again");
    let script = format!("echo x >>'{0}'; [ $(wc -l <'{0}') = 2 ]", mark.display());
    let again = yard.script(
        &script,
        &json!({"max_attempts": 3, "backoff": {"initial_s": 0}}),
    );
    let slow = yard.script("sleep 60 & wait", &json!({"max_wall_s": 1}));
    yard.drained(&["--concurrency", "2"]);
    assert_eq!(yard.state(&again), "succeeded");
    assert_eq!(yard.show(&again).at("/task/attempts"), 2);
    assert_eq!(yard.state(&slow), "budget_exhausted");
    assert!(!super::lives(yard.leader(&slow, 1)));
}

#[test]
fn a_worker_takes_what_is_for_it_and_as_many_as_it_is_to() {
    let yard = Yard::new();
    yard.enqueue(&json!([
        {"command": ["true"], "agent": "claude"}, {"command": ["true"], "agent": "codex"}, {"command": ["true"], "title": "any"},
    ]));
    let ended = yard.drained(&["--agents", "codex"]);
    assert_eq!(ended["counts"]["succeeded"], 2);
    yard.enqueue(&json!([
        {"command": ["true"], "title": "1"}, {"command": ["true"], "title": "2"}, {"command": ["true"], "title": "3"},
    ]));
    let ended = yard
        .worker(&["--max-tasks", "2", "--concurrency", "8"])
        .ended();
    assert_eq!(
        (&ended["end"], &ended["counts"]["succeeded"]),
        (&json!("done"), &json!(2))
    );
    assert_eq!(ended["counts"]["claimed"], 2);
}
