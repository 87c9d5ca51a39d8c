//! Workers that are killed: what they had under way is found, and nothing runs twice.

use std::{fs, thread, time::Duration};

use serde_json::json;

use super::{CONT, STOP, Yard, lives};
use crate::support::{eventually, kill};

#[test]
fn what_a_killed_worker_had_under_way_goes_on_and_is_found() {
    let yard = Yard::new();
    let go = yard.world.path("go");
    let script = format!(
        "echo begun; until [ -e '{}' ]; do sleep 0.05; done; echo done; exit 4",
        go.display()
    );
    let task_id = yard.script(&script, &json!({}));
    let first = yard.worker(&["--name", "first"]);
    yard.await_log(&task_id, "begun");
    first.killed();
    let leader = yard.leader(&task_id, 1);
    assert!(lives(leader), "its process is no part of the worker");
    let status = yard.call("worker-status", &json!({})).ok();
    assert_eq!(status.at("/stalled"), json!([task_id]));
    assert_eq!(status.text("/workers/0/session/state"), "gone");

    let second = yard.worker(&["--name", "second", "--idle-exit-s", "0"]);
    eventually("it is taken over", || {
        yard.show(&task_id).at("/task/claimer") == "second"
    });
    assert_eq!(yard.leader(&task_id, 1), leader);
    fs::write(go, "").expect("a file");
    let ended = second.ended();
    assert_eq!(ended["counts"]["adopted"], 1);
    assert_eq!(ended["counts"]["claimed"], 0);
    let shown = yard.show(&task_id);
    assert_eq!(shown.at("/task/attempts"), 1);
    assert_eq!(shown.at("/result/exit_code"), 4);
    assert_eq!(yard.log(&task_id, 1), "begun\ndone\n");
}

#[test]
fn what_ended_while_no_worker_was_there_is_known_all_the_same() {
    let yard = Yard::new();
    let task_id = yard.script("echo begun; sleep 0.6; echo done", &json!({}));
    let worker = yard.worker(&[]);
    yard.await_log(&task_id, "begun");
    worker.killed();
    yard.await_log(&task_id, "done");
    eventually("its end is written", || {
        yard.file(&task_id, 1, "exit").exists()
    });
    assert_eq!(yard.state(&task_id), "claimed");
    yard.drained(&[]);
    assert_eq!(yard.state(&task_id), "succeeded");
    assert_eq!(yard.log(&task_id, 1), "begun\ndone\n");
}

#[test]
fn a_worker_killed_at_any_point_leaves_tasks_that_run_once() {
    for point in [
        "worker.claimed",
        "worker.started",
        "worker.ended",
        "queue.changed",
        "queue.committed",
    ] {
        let yard = Yard::new();
        yard.enqueue(&yard.marking(6, "true"));
        yard.worker_that(&["--concurrency", "3"], Some(point))
            .dies();
        let ended = yard.drained(&["--concurrency", "3"]);
        assert_eq!(yard.marks(6), vec![1; 6], "{point}: {ended}");
        let left = yard.call("peek-queue", &json!({})).ok();
        assert_eq!(left.at("/states/succeeded"), 6, "{point}: {}", left.line());
    }
}

#[test]
fn workers_killed_again_and_again_lose_no_task_and_run_none_twice() {
    let yard = Yard::new();
    yard.enqueue(&yard.marking(60, "sleep 0.05"));
    for round in 0..8_u64 {
        let worker = yard.worker(&["--concurrency", "4"]);
        thread::sleep(Duration::from_millis(60 + round * 37));
        worker.killed();
    }
    yard.drained(&["--concurrency", "8"]);
    assert_eq!(yard.marks(60), vec![1; 60]);
    let left = yard.call("peek-queue", &json!({})).ok();
    assert_eq!(left.at("/states/succeeded"), 60, "{}", left.line());
}

#[test]
fn an_attempt_whose_process_vanished_is_lost_and_not_for_ever_tried_again() {
    let yard = Yard::new();
    let task_id = yard.script("sleep 60 & echo begun; wait", &json!({}));
    let worker = yard.worker(&["--idle-exit-s", "0"]);
    for attempt in 1..=3 {
        eventually("it begins", || {
            yard.log(&task_id, attempt).contains("begun")
        });
        let leader = yard.leader(&task_id, attempt);
        // The command goes on without the one who would write down its end.
        kill(leader);
        let children = format!(
            "LEGWORK_TASK_RUN={}",
            yard.file(&task_id, attempt, "").display()
        );
        let mark = children.trim_end_matches('/').to_owned();
        eventually("nothing of it is left", || {
            fs::read_dir("/proc")
                .expect("processes")
                .flatten()
                .all(|process| {
                    let variables = fs::read(process.path().join("environ")).unwrap_or_default();
                    !variables
                        .split(|byte| *byte == 0)
                        .any(|variable| variable == mark.as_bytes())
                })
        });
    }
    let ended = worker.ended();
    assert_eq!(ended["counts"]["lost"], 3);
    let shown = yard.show(&task_id);
    assert_eq!(shown.text("/task/state"), "failed");
    assert_eq!(shown.text("/task/reason"), "attempts_lost");
    // A person may let it run again.
    yard.call("retry-task", &json!({"task_id": task_id})).ok();
    assert_eq!(yard.state(&task_id), "waiting");
}

#[test]
fn a_lease_that_runs_out_lets_nobody_claim_what_a_worker_runs() {
    let yard = Yard::new();
    let go = yard.world.path("go");
    let script = format!(
        "echo begun; until [ -e '{}' ]; do sleep 0.05; done",
        go.display()
    );
    let task_id = yard.script(&script, &json!({}));
    let stuck = yard.worker(&["--name", "stuck", "--lease-s", "3"]);
    yard.await_log(&task_id, "begun");
    stuck.signal(STOP);
    eventually("its lease runs out", || {
        let until = yard.show(&task_id).text("/task/lease_until");
        let until: jiff::Timestamp = until.parse().expect("a time");
        until < jiff::Timestamp::now()
    });
    let claim = json!({"claimer": "somebody", "request_id": "1"});
    let claimed = yard.call("claim-tasks", &claim).ok();
    assert_eq!(claimed.at("/tasks"), json!([]));
    let recovered = yard.call("recover-tasks", &json!({})).ok();
    assert_eq!(recovered.at("/recovered"), json!([]));
    assert_eq!(yard.state(&task_id), "claimed");

    let other = yard.worker(&["--name", "other", "--idle-exit-s", "0"]);
    eventually("another one looks after it", || {
        yard.show(&task_id).at("/task/claimer") == "other"
    });
    // The one that was stuck finds out that it is not its any more, and neither ends nor writes anything of it.
    stuck.signal(CONT);
    thread::sleep(Duration::from_millis(600));
    assert!(lives(yard.leader(&task_id, 1)));
    fs::write(go, "").expect("a file");
    assert_eq!(other.ended()["counts"]["succeeded"], 1);
    stuck.signal(super::TERM);
    let ended = stuck.ended();
    assert_eq!(ended["counts"]["succeeded"], 0, "{ended}");
    assert_eq!(yard.show(&task_id).at("/task/attempts"), 1);
}
