//! Writers of one embedded database take turns: none waits for long while others write again and again.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::World;

/// How long the writers write.
const TIME: Duration = Duration::from_secs(4);

/// Starts a service that writes, one call after the other, and returns its longest wait and how many calls it made.
fn write_on(world: &World, writer: usize) -> (Duration, usize) {
    write_while(world, writer, |begun, _calls| begun.elapsed() < TIME)
}

/// Starts a service that writes for as long as it is told to go on.
fn write_while(
    world: &World,
    writer: usize,
    goes_on: impl Fn(Instant, usize) -> bool,
) -> (Duration, usize) {
    let mut batch: Child = world
        .legwork_command(["batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("legwork starts");
    let mut stdin = batch.stdin.take().expect("its stdin");
    let mut lines = BufReader::new(batch.stdout.take().expect("its stdout")).lines();
    let (begun, mut longest, mut calls) = (Instant::now(), Duration::ZERO, 0);
    while goes_on(begun, calls) {
        let since = Instant::now();
        let input = json!({"name": format!("w{writer}-{calls}")});
        let call = json!({"id": calls, "primitive": "add-host", "input": input});
        writeln!(stdin, "{call}").expect("it reads");
        let line = lines.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer["effect"], "applied", "{answer}");
        longest = longest.max(since.elapsed());
        calls += 1;
    }
    drop(stdin);
    batch.wait().expect("it ends");
    (longest, calls)
}

#[test]
fn of_eight_writers_none_waits_for_long() {
    let world = World::new();
    world.legwork(["add-host", "--name", "first"]).ok();
    let written: Vec<(Duration, usize)> = thread::scope(|scope| {
        let world = &world;
        let writers: Vec<_> = (0..8)
            .map(|writer| scope.spawn(move || write_on(world, writer)))
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer"))
            .collect()
    });
    let total: usize = written.iter().map(|(_, calls)| calls).sum();
    let longest = written.iter().map(|(longest, _)| *longest).max();
    let fewest = written.iter().map(|(_, calls)| *calls).min().unwrap_or(0);
    assert!(longest < Some(Duration::from_secs(3)), "{written:?}");
    // Whoever had bad luck got its share all the same.
    assert!(fewest * 8 * 4 > total, "{written:?}");
}

#[test]
fn a_writer_that_takes_no_turn_is_waited_for() {
    let world = World::new();
    world.legwork(["add-host", "--name", "first"]).ok();
    let path = world.path("state/legwork/legwork.db");
    let lock = Connection::open(path).expect("the database");
    lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let call = thread::scope(|scope| {
        let call = scope.spawn(|| world.legwork(["add-host", "--name", "second"]));
        thread::sleep(Duration::from_millis(700));
        drop(lock);
        call.join().expect("a call")
    });
    assert_eq!(call.ok().effect(), "applied");
}

#[test]
fn a_folder_in_which_no_file_can_be_locked_is_written_all_the_same() {
    let world = World::new();
    world.legwork(["add-host", "--name", "first"]).ok();
    let place = world.path("state/legwork/legwork.db.lock");
    fs::remove_file(&place).ok();
    fs::create_dir(&place).expect("something else in its place");
    assert_eq!(
        world
            .legwork(["add-host", "--name", "second"])
            .ok()
            .effect(),
        "applied"
    );
}

#[test]
fn a_service_that_writes_much_keeps_its_log_in_bounds_and_leaves_none_behind() {
    let world = World::new();
    let log = world.path("state/legwork/legwork.db-wal");
    let length = || fs::metadata(&log).map_or(0, |found| found.len());
    let (_, calls) = write_while(&world, 0, |_begun, calls| calls < 600);
    assert_eq!(calls, 600);
    assert!(length() <= 64 * 4200, "{} bytes are left behind", length());
    let mut longest = 0;
    for call in 0..12 {
        world
            .legwork(["add-host", "--name", &format!("one-{call}")])
            .ok();
        longest = longest.max(length());
    }
    assert!(longest < 100 * 4200, "{longest} bytes");
    let hosts = world.legwork(["list-hosts"]).ok().at("/hosts");
    assert_eq!(hosts.as_array().map(Vec::len), Some(613));
}
