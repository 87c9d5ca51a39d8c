//! A server that crashes, hangs or restarts: calls say so in time, and nothing that was acknowledged is lost.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::world_on;
use crate::support::{Call, Postgres, World, at_once, eventually, name_of};

fn add(world: &World, name: &str) -> Call {
    world.legwork(["add-host", "--name", name])
}

/// Checks that a call says that the server gives no answer, and that it may be sent again.
#[track_caller]
fn is_unavailable(call: &Call, effects: &[&str]) {
    assert_eq!(call.error_code(), "store_unavailable", "{}", call.line());
    assert_eq!(call.kind(), "unavailable");
    assert!(effects.contains(&call.effect()), "{}", call.line());
    let line: Value = serde_json::from_str(call.line()).expect("JSON");
    assert_eq!(line["retry_safe"], true);
}

#[test]
fn a_server_that_is_gone_is_unavailable_and_comes_back_with_all_it_acknowledged() {
    let server = Arc::new(Postgres::start());
    let (world, _url) = world_on(&server);
    assert_eq!(add(&world, "before").ok().effect(), "applied");
    server.crash();
    for call in [add(&world, "during"), world.legwork(["list-hosts"])] {
        is_unavailable(&call, &["none"]);
    }
    server.start_again();
    assert_eq!(add(&world, "before").ok().effect(), "replayed");
    assert_eq!(add(&world, "during").ok().effect(), "applied");
}

#[test]
fn a_server_that_hangs_is_unavailable_within_seconds() {
    let server = Arc::new(Postgres::start());
    let (world, _url) = world_on(&server);
    add(&world, "before").ok();
    server.signal_all("STOP");
    let since = Instant::now();
    let calls = at_once([
        world.legwork_command(["add-host", "--name", "during"]),
        world.legwork_command(["list-hosts"]),
    ]);
    let took = since.elapsed();
    server.signal_all("CONT");
    for call in &calls {
        is_unavailable(call, &["none"]);
    }
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(add(&world, "during").ok().effect(), "applied");
}

#[test]
fn a_service_goes_on_when_the_server_has_restarted() {
    let server = Arc::new(Postgres::start());
    let (world, _url) = world_on(&server);
    let mut batch = world
        .legwork_command(["batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("legwork starts");
    let mut stdin = batch.stdin.take().expect("its stdin");
    let mut lines = BufReader::new(batch.stdout.take().expect("its stdout")).lines();
    let mut ask = |primitive: &str, input: &Value| -> Value {
        let call = json!({"id": 1, "primitive": primitive, "input": input});
        writeln!(stdin, "{call}").expect("it reads");
        let line = lines.next().expect("an answer").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    let box_one = json!({"name": "one"});
    assert_eq!(ask("add-host", &box_one)["effect"], "applied");
    server.crash();
    let gone = ask("list-hosts", &json!({}));
    assert_eq!(gone["error_code"], "store_unavailable", "{gone}");
    server.start_again();
    assert_eq!(ask("add-host", &box_one)["effect"], "replayed");
    drop(stdin);
    batch.wait().expect("it ends");
}

#[test]
fn a_crash_under_many_writers_loses_nothing_that_was_acknowledged() {
    let server = Arc::new(Postgres::start());
    let (world, _url) = world_on(&server);
    add(&world, "first").ok();
    let over = AtomicBool::new(false);
    // Each writer counts up, and sends a call again until it is done.
    let written: Vec<usize> = thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let (world, over) = (&world, &over);
                scope.spawn(move || {
                    let mut number = 0;
                    while !over.load(Ordering::Relaxed) {
                        let call = add(world, &format!("w{writer}-{number}"));
                        if call.is_ok() {
                            number += 1;
                        } else {
                            is_unavailable(&call, &["none", "unknown"]);
                            thread::sleep(Duration::from_millis(50));
                        }
                    }
                    number
                })
            })
            .collect();
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(700));
            server.crash();
            thread::sleep(Duration::from_millis(100));
            server.start_again();
        }
        thread::sleep(Duration::from_millis(300));
        over.store(true, Ordering::Relaxed);
        let counts = writers.into_iter().map(thread::ScopedJoinHandle::join);
        counts.map(|count| count.expect("a writer")).collect()
    });
    assert!(written.iter().sum::<usize>() > 12, "{written:?}");
    let hosts = world.legwork(["list-hosts"]).ok().at("/hosts");
    let names: Vec<&str> = hosts
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|host| host["name"].as_str())
        .collect();
    for (writer, count) in written.iter().enumerate() {
        for number in 0..*count {
            let name = format!("w{writer}-{number}");
            assert!(names.contains(&name.as_str()), "{name} was acknowledged");
        }
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_unknown_and_then_found() {
    let server = Arc::new(Postgres::start());
    let (world, url) = world_on(&server);
    add(&world, "first").ok();
    // The commit is carried out and then held up, so that its answer comes too late.
    let database = name_of(&url).to_owned();
    server.ask(
        &database,
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON hosts DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION hold()",
    );
    let call = thread::scope(|scope| {
        let call = scope.spawn(|| add(&world, "second"));
        let asks =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%COMMIT' AND state = 'active'";
        eventually("it commits", || server.ask(&database, asks) == "1");
        server.crash();
        call.join().expect("a call")
    });
    is_unavailable(&call, &["unknown"]);
    server.start_again();
    server.ask(&database, "DROP TRIGGER hold ON hosts");
    // This one was not done; the same call finds that out and does it.
    let again = add(&world, "second").ok();
    assert!(["applied", "replayed"].contains(&again.effect()));
    assert_eq!(add(&world, "second").ok().effect(), "replayed");
}
