//! Workers that are told to end, and tasks that are paused, cancelled or taken away.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};

use super::{TERM, Yard, lives};
use crate::support::eventually;

#[test]
fn a_worker_that_is_told_to_end_lets_what_runs_end_and_takes_no_more() {
    let yard = Yard::new();
    let running = yard.script("echo begun; sleep 0.8; echo done", &json!({"priority": 90}));
    let worker = yard.worker(&["--concurrency", "1"]);
    yard.await_log(&running, "begun");
    let waiting = yard.script("true", &json!({}));
    worker.signal(TERM);
    let ended = worker.ended();
    assert_eq!(ended["end"], "stopped");
    assert_eq!(ended["counts"]["succeeded"], 1);
    assert_eq!(yard.state(&running), "succeeded");
    assert_eq!(yard.state(&waiting), "waiting");
}

#[test]
fn a_worker_whose_queue_was_taken_away_ends() {
    let yard = Yard::new();
    yard.call("peek-queue", &json!({})).ok();
    let worker = yard.worker(&[]);
    eventually("it works", || {
        let status = yard.call("worker-status", &json!({})).ok();
        status.at("/workers/0/session/state") == "running"
    });
    fs::remove_dir_all(yard.world.path("state/legwork")).expect("it is there");
    assert_eq!(worker.ended()["end"], "store_gone");
}

#[test]
fn what_takes_longer_than_the_drain_goes_on_for_the_next_worker() {
    let yard = Yard::new();
    let task_id = yard.script("echo begun; sleep 2; echo done", &json!({}));
    let worker = yard.worker(&["--drain-s", "0"]);
    yard.await_log(&task_id, "begun");
    worker.signal(TERM);
    assert_eq!(worker.ended()["end"], "stopped");
    assert!(lives(yard.leader(&task_id, 1)));
    // One that takes no tasks of its own sees it to its end.
    let ended = yard.drained(&["--concurrency", "0"]);
    assert_eq!(
        (&ended["counts"]["adopted"], &ended["counts"]["succeeded"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(yard.log(&task_id, 1), "begun\ndone\n");
    assert_eq!(yard.show(&task_id).at("/task/attempts"), 1);
}

#[test]
fn a_paused_task_stands_still_and_a_cancelled_one_is_gone() {
    let yard = Yard::new();
    let ticks = yard.world.path("ticks");
    let script = format!(
        "while :; do echo x >>'{}'; sleep 0.05; done",
        ticks.display()
    );
    let task_id = yard.script(&script, &json!({}));
    let count = || fs::read_to_string(&ticks).map_or(0, |text| text.lines().count());
    let worker = yard.worker(&["--concurrency", "1"]);
    eventually("it runs", || count() > 2);

    yard.call("pause-task", &json!({"task_id": task_id})).ok();
    eventually("it stands still", || {
        let before = count();
        thread::sleep(Duration::from_millis(300));
        count() == before
    });
    // Its place is free for others meanwhile.
    let other = yard.script("true", &json!({}));
    yard.await_state(&other, "succeeded");
    let before = count();
    yard.call("resume-task", &json!({"task_id": task_id})).ok();
    eventually("it goes on", || count() > before + 2);

    let leader = yard.leader(&task_id, 1);
    yard.call("cancel-task", &json!({"task_id": task_id})).ok();
    yard.await_state(&task_id, "cancelled");
    assert!(!lives(leader));
    let after = count();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(count(), after);
    worker.signal(TERM);
    assert_eq!(worker.ended()["counts"]["released"], 1);
}

#[test]
fn a_paused_task_still_stands_still_when_its_worker_is_killed() {
    let yard = Yard::new();
    let ticks = yard.world.path("ticks");
    let script = format!(
        "while :; do echo x >>'{}'; sleep 0.05; done",
        ticks.display()
    );
    let task_id = yard.script(&script, &json!({}));
    let count = || fs::read_to_string(&ticks).map_or(0, |text| text.lines().count());
    let worker = yard.worker(&[]);
    eventually("it runs", || count() > 2);
    yard.call("pause-task", &json!({"task_id": task_id})).ok();
    let still = || {
        let before = count();
        thread::sleep(Duration::from_millis(300));
        count() == before
    };
    eventually("it stands still", still);
    worker.killed();
    assert!(still());
    let next = yard.worker(&[]);
    eventually("it is taken over", || {
        let status = yard.call("worker-status", &json!({})).ok();
        status.at("/workers/0/tasks/0/task_id") == json!(task_id)
            && status.at("/stalled") == json!([])
    });
    assert!(still());
    yard.call("cancel-task", &json!({"task_id": task_id})).ok();
    yard.await_state(&task_id, "cancelled");
    drop(next);
}

#[test]
fn a_task_that_is_taken_away_is_ended_and_nothing_is_written_of_it() {
    let yard = Yard::new();
    // It does not mind being asked.
    let task_id = yard.script(
        "trap '' TERM; echo begun; while :; do sleep 0.05; done",
        &json!({}),
    );
    let worker = yard.worker(&[]);
    yard.await_log(&task_id, "begun");
    let leader = yard.leader(&task_id, 1);
    yard.call("cancel-task", &json!({"task_id": task_id, "force": true}))
        .ok();
    assert_eq!(yard.state(&task_id), "cancelled");
    let since = std::time::Instant::now();
    while lives(leader) {
        assert!(
            since.elapsed() < Duration::from_secs(25),
            "it is still there"
        );
        thread::sleep(Duration::from_millis(50));
    }
    worker.signal(TERM);
    let counts: Value = worker.ended()["counts"].clone();
    assert_eq!(
        (&counts["released"], &counts["lost"]),
        (&json!(0), &json!(0))
    );
}
