//! Workers in the background: who they are, how they end, and whom nobody signals.

use std::{fs, process::Command};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Yard, lives};
use crate::support::kill;

#[test]
fn a_worker_in_the_background_is_started_once_and_ends_when_asked() {
    let yard = Yard::new();
    let wrong = yard.call("stop-worker", &json!({"name": "night"}));
    assert_eq!(wrong.error_code(), "worker_not_found");
    let start = json!({"name": "night", "concurrency": 2});
    let dry = yard
        .call("start-worker", &json!({"name": "night", "dry_run": true}))
        .ok();
    assert_eq!((dry.effect(), dry.at("/session")), ("none", Value::Null));
    let started = yard.call("start-worker", &start).ok();
    assert_eq!(started.effect(), "applied");
    assert_eq!(started.text("/session/state"), "running");
    let again = yard.call("start-worker", &start).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(
        again.at("/session/session_id"),
        started.at("/session/session_id")
    );
    let pid = u32::try_from(started.at("/session/pid").as_u64().expect("a number")).expect("a pid");
    assert!(lives(pid));
    let second = yard.world.legwork(["run-worker", "--name", "night"]);
    assert_eq!(second.error_code(), "worker_running");

    let task_id = yard.script("echo hello", &json!({}));
    yard.await_state(&task_id, "succeeded");
    let status = yard.call("worker-status", &json!({"name": "night"})).ok();
    assert_eq!(status.at("/workers/0/session/pid"), json!(pid));

    let session_id = started.text("/session/session_id");
    let restart = json!({"name": "night", "session_id": session_id});
    let restarted = yard.call("restart-worker", &restart).ok();
    assert_eq!(restarted.effect(), "applied");
    assert_eq!(restarted.at("/before/ended"), true);
    assert_ne!(restarted.text("/session/session_id"), session_id);
    assert_eq!(restarted.at("/session/concurrency"), 2);
    let again = yard.call("restart-worker", &restart).ok();
    assert_eq!(again.effect(), "replayed");
    assert_eq!(
        again.at("/session/session_id"),
        restarted.at("/session/session_id")
    );

    let stopped = yard.call("stop-worker", &json!({"name": "night"})).ok();
    assert_eq!(
        (stopped.effect(), stopped.at("/ended")),
        ("applied", json!(true))
    );
    assert_eq!(stopped.text("/session/end"), "stopped");
    let again = yard.call("stop-worker", &json!({"name": "night"})).ok();
    assert_eq!(again.effect(), "replayed");
    let sessions = yard.call("list-sessions", &json!({"limit": 1})).ok();
    assert_eq!(sessions.at("/sessions/0/end"), "stopped");
    let cursor = sessions.at("/next_cursor");
    let more = yard
        .call("list-sessions", &json!({"limit": 1, "cursor": cursor}))
        .ok();
    assert_eq!(more.at("/sessions/0/session_id"), json!(session_id));
    assert_eq!(more.at("/next_cursor"), Value::Null);
    // A cursor is that of one list and its filter alone.
    let other = json!({"name": "night", "cursor": cursor});
    assert_eq!(
        yard.call("list-sessions", &other).error_code(),
        "cursor_invalid"
    );
}

#[test]
fn a_killed_worker_is_known_as_gone_and_another_process_of_its_number_is_left_alone() {
    let yard = Yard::new();
    let started = yard.call("start-worker", &json!({"name": "night"})).ok();
    let pid = u32::try_from(started.at("/session/pid").as_u64().expect("a number")).expect("a pid");
    kill(pid);
    crate::support::eventually("it is gone", || !lives(pid));
    let status = yard.call("worker-status", &json!({"name": "night"})).ok();
    assert_eq!(status.text("/workers/0/session/state"), "gone");

    // Somebody else has its number now.
    let mut other = Command::new("sleep").arg("60").spawn().expect("sleep");
    let database =
        Connection::open(yard.world.path("state/legwork/legwork.db")).expect("the store");
    let record: String = database
        .query_row("SELECT record FROM worker_sessions", [], |row| row.get(0))
        .expect("a session");
    let mut record: Value = serde_json::from_str(&record).expect("JSON");
    record["process"]["pid"] = json!(other.id());
    database
        .execute(
            "UPDATE worker_sessions SET record = ?1",
            [record.to_string()],
        )
        .expect("written");
    let stopped = yard
        .call("stop-worker", &json!({"name": "night", "force": true}))
        .ok();
    assert_eq!(
        (stopped.effect(), stopped.at("/ended")),
        ("replayed", json!(true))
    );
    assert!(
        other.try_wait().expect("known").is_none(),
        "it was signalled"
    );
    other.kill().expect("it is there");
    other.wait().expect("its end");

    let again = yard.call("start-worker", &json!({"name": "night"})).ok();
    assert_eq!(again.effect(), "applied");
    let gone = yard.call("list-sessions", &json!({})).ok();
    assert_eq!(gone.text("/sessions/1/state"), "gone");
    assert_eq!(gone.text("/sessions/1/end"), "killed");
    yard.call("stop-worker", &json!({"name": "night"})).ok();
}

#[test]
fn a_worker_that_cannot_start_says_why() {
    let yard = Yard::new();
    yard.call("peek-queue", &json!({})).ok();
    let locks = yard.world.path("state/legwork/locks");
    fs::create_dir_all(&locks).expect("a folder");
    let lock = fs::File::create(locks.join("worker.night")).expect("a file");
    lock.lock().expect("the lock");
    let refused = yard.call("start-worker", &json!({"name": "night"}));
    assert_eq!(refused.error_code(), "worker_not_started");
    assert_eq!(refused.effect(), "none");
    lock.unlock().expect("it is free");

    // Its log cannot be written.
    fs::create_dir_all(yard.world.path("state/legwork/workers/night.log")).expect("in the way");
    let refused = yard.call("start-worker", &json!({"name": "night"}));
    assert!(!refused.is_ok());
    assert_eq!(refused.effect(), "none");
    let started = yard.call("start-worker", &json!({"name": "day"})).ok();
    assert_eq!(started.effect(), "applied");
}

#[test]
fn a_worker_that_is_busy_is_not_restarted_before_it_has_ended_unless_by_force() {
    let yard = Yard::new();
    let unknown = json!({"name": "nobody", "session_id": "session-1-00000000"});
    assert_eq!(
        yard.call("restart-worker", &unknown).error_code(),
        "worker_not_found"
    );
    let nobody = yard.call("worker-status", &json!({"name": "nobody"}));
    assert_eq!(nobody.error_code(), "worker_not_found");
    let go = yard.world.path("go");
    let script = format!(
        "echo begun; n=0; while [ ! -e '{}' ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.1; done; echo done",
        go.display()
    );
    let task_id = yard.script(&script, &json!({}));
    let started = yard.call("start-worker", &json!({"name": "night"})).ok();
    yard.await_log(&task_id, "begun");
    let session_id = started.at("/session/session_id");
    let restart = json!({"name": "night", "session_id": session_id, "wait_s": 0});
    let busy = yard.call("restart-worker", &restart);
    assert_eq!(busy.error_code(), "worker_not_ended");
    let stopping = yard
        .call("stop-worker", &json!({"name": "night", "wait_s": 0}))
        .ok();
    assert_eq!(stopping.at("/ended"), false);
    assert_eq!(stopping.at("/under_way"), json!([task_id]));
    let mut forced = restart.clone();
    forced["force"] = json!(true);
    let restarted = yard.call("restart-worker", &forced).ok();
    assert_eq!(restarted.effect(), "applied");
    assert_eq!(restarted.text("/before/session/state"), "gone");
    fs::write(go, "").expect("a file");
    yard.await_state(&task_id, "succeeded");
    assert_eq!(yard.log(&task_id, 1), "begun\ndone\n");
    assert_eq!(yard.show(&task_id).at("/task/attempts"), 1);
}

#[test]
fn the_unit_of_a_worker_is_installed_and_taken_away_again() {
    let yard = Yard::new();
    let target = json!({"target": "systemd_user"});
    let installed = yard.call("install-assets", &target).ok();
    assert_eq!(installed.effect(), "applied");
    let unit = yard
        .world
        .path("config/systemd/user/legwork-worker.service");
    let text = fs::read_to_string(&unit).expect("the unit");
    let program = format!("ExecStart=\"{}\" run-worker", env!("CARGO_BIN_EXE_legwork"));
    assert!(text.contains(&program), "{text}");
    let home = yard.world.path("state/legwork");
    assert!(text.contains(&format!("Environment=\"LEGWORK_HOME={}\"", home.display())));
    // What a worker runs must outlive it.
    assert!(text.contains("KillMode=process\n"));
    assert_eq!(
        yard.call("install-assets", &target).ok().effect(),
        "replayed"
    );
    let hook = json!({"target": "systemd_user", "hook": true});
    assert_eq!(
        yard.call("install-assets", &hook).error_code(),
        "spec_invalid"
    );
    fs::write(&unit, format!("{text}# mine\n")).expect("an edit");
    assert_eq!(
        yard.call("install-assets", &target).error_code(),
        "asset_edited"
    );
    fs::write(&unit, text).expect("as it was");
    yard.call("remove-assets", &target).ok();
    assert!(!unit.exists());
}
