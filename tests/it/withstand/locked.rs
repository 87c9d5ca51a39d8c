//! A database that another process holds locked: a call's own limit ends its wait, and no other call stands still.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{MEND, Workplace};

/// A place whose database is locked for writing until the connection is dropped.
fn locked() -> (Workplace, Connection) {
    let place = Workplace::here();
    place.agent("mender", MEND);
    let path = place.world().path("state/legwork/legwork.db");
    let lock = Connection::open(path).expect("the database");
    lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    (place, lock)
}

#[test]
fn the_limit_of_a_call_ends_its_wait_for_the_database() {
    let (place, lock) = locked();
    for (primitive, input) in [
        (
            "launch-investigation",
            Workplace::order("mender", &json!({"timeout_s": 2})),
        ),
        (
            "provision-workspace",
            json!({"repository": "other", "url": place.world().path("widgets"), "timeout_s": 2}),
        ),
    ] {
        let since = Instant::now();
        let call = place.call(primitive, &input);
        let took = since.elapsed();
        assert_eq!(call.error_code(), "deadline_exceeded", "{}", call.line());
        assert!(took < Duration::from_secs(6), "{primitive} took {took:?}");
    }
    assert_eq!(place.tally(), 0);
    drop(lock);
    place.launch("mender", &json!({"timeout_s": 60})).ok();
}

#[test]
fn a_call_that_waits_for_the_database_keeps_no_other_from_its_answer() {
    let (place, lock) = locked();
    let mut child = place
        .world()
        .legwork_command(["batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("legwork starts");
    let mut stdin = child.stdin.take().expect("its stdin");
    let mut answers = BufReader::new(child.stdout.take().expect("its stdout")).lines();
    let mut next = || -> Value {
        let line = answers.next().expect("an answer").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    let send = |stdin: &mut std::process::ChildStdin, call: Value| {
        writeln!(stdin, "{call}").expect("it reads");
        stdin.flush().expect("it reads");
    };
    let waits = json!({"id": "waits", "primitive": "add-host", "input": {"name": "box"}});
    send(&mut stdin, waits);
    for id in 0..5 {
        let since = Instant::now();
        let asks = json!({"id": id, "primitive": "list-jobs", "input": {}});
        send(&mut stdin, asks);
        assert_eq!(next()["id"], id, "it must not wait for the other");
        assert!(since.elapsed() < Duration::from_secs(5));
    }
    drop(lock);
    let waited = next();
    assert_eq!(
        (&waited["id"], &waited["effect"]),
        (&json!("waits"), &json!("applied"))
    );
    drop(stdin);
    child.wait().expect("it ends");
}
