//! The audit log: what is in it, and that nobody changes it unseen.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Desk, Faults, sha256};

/// Makes a desk with a log of some entries.
fn desk() -> Desk {
    let desk = Desk::requiring(&["local_write"]);
    for name in ["one", "two", "three"] {
        let id = desk.refused("add-host", &json!({"name": name}));
        desk.approve(&id);
        desk.call("resume-call", &json!({"request_id": id})).ok();
    }
    desk
}

fn verified(desk: &Desk, input: &Value) -> Value {
    desk.call("list-audit", input).ok().at("/verified")
}

#[test]
fn it_says_who_let_what_through_and_what_came_of_it() {
    let desk = desk();
    let listed = desk.call("list-audit", &json!({"verify": true})).ok();
    assert_eq!(
        listed.at("/verified"),
        json!({"intact": true, "entries": 12, "findings": [], "omitted": 0})
    );
    assert_eq!(listed.at("/head/number"), 12);
    assert_eq!(listed.at("/head/digest"), listed.at("/entries/0/digest"));
    let newest = listed.at("/entries/0");
    assert_eq!(newest["event"], "ended");
    assert_eq!(newest["facts"]["primitive"], "add-host");
    assert_eq!(newest["facts"]["effect"], "applied");
    assert_eq!(newest["facts"]["succeeded"], true);
    let granted = listed.at("/entries/2");
    assert_eq!(
        (&granted["event"], &granted["by"]),
        (&json!("granted"), &json!("key"))
    );

    // Page by page it is the same.
    let mut numbers = Vec::new();
    let mut input = json!({"limit": 5});
    loop {
        let page = desk.call("list-audit", &input).ok();
        let entries = page.at("/entries");
        let of_page = entries.as_array().into_iter().flatten();
        numbers.extend(of_page.filter_map(|entry| entry["number"].as_i64()));
        input["cursor"] = page.at("/next_cursor");
        if input["cursor"].is_null() {
            break;
        }
    }
    assert_eq!(numbers, (1..=12).rev().collect::<Vec<i64>>());

    // Anybody can reckon it with nothing but the database.
    let mut previous = "0".repeat(64);
    let database = desk.database();
    let mut statement = database
        .prepare("SELECT record, previous, digest FROM audit ORDER BY number")
        .expect("a query");
    let rows: Vec<(String, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("the entries")
        .collect::<rusqlite::Result<_>>()
        .expect("the entries");
    for (record, before, digest) in rows {
        assert_eq!(before, previous);
        assert_eq!(digest, sha256(format!("{before}\n{record}").as_bytes()));
        previous = digest;
    }
}

/// Ways to tamper with the log, and a finding that each must lead to.
const TAMPERED: &[(&str, &str, &str)] = &[
    (
        "a word of a record",
        "UPDATE audit SET record = replace(record, 'granted', 'revoked') WHERE number = 6",
        "changed",
    ),
    (
        "a digest",
        "UPDATE audit SET digest = replace(digest, substr(digest, 1, 1), 'z') WHERE number = 6",
        "changed",
    ),
    ("an entry in the middle", "DELETE FROM audit WHERE number = 6", "removed"),
    ("the first entry", "DELETE FROM audit WHERE number = 1", "removed"),
    ("the last entry", "DELETE FROM audit WHERE number = 12", "end"),
    ("the last three", "DELETE FROM audit WHERE number >= 10", "end"),
    ("everything", "DELETE FROM audit", "end"),
    (
        "two entries",
        "UPDATE audit SET number = -1 WHERE number = 5; UPDATE audit SET number = 5 WHERE number = 6;
         UPDATE audit SET number = 6 WHERE number = -1",
        "changed",
    ),
    (
        "where it ends",
        "DELETE FROM audit_head",
        "end",
    ),
];

#[test]
fn what_was_changed_taken_out_or_moved_is_found() {
    let faults = Faults::default();
    let desk = desk();
    let kept = desk.world().path("kept.db");
    let database = desk.database();
    database
        .execute("VACUUM INTO ?1", [kept.to_str()])
        .expect("a copy");
    drop(database);
    let restore = |change: &dyn Fn(&Connection)| {
        for file in ["legwork.db", "legwork.db-wal", "legwork.db-shm"] {
            std::fs::remove_file(desk.world().path("state/legwork").join(file)).ok();
        }
        std::fs::copy(&kept, desk.world().path("state/legwork/legwork.db")).expect("the copy");
        let database = desk.database();
        database
            .pragma_update(None, "journal_mode", "wal")
            .expect("a mode");
        change(&database);
    };
    for (what, statements, kind) in TAMPERED {
        restore(&|database| database.execute_batch(statements).expect(what));
        let found = verified(&desk, &json!({"verify": true}));
        let has = found["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|finding| finding["kind"] == *kind);
        faults.unless(found["intact"] == false && has, || {
            format!("{what}: {found}")
        });
        // It goes on, and what was found stays to be found.
        desk.refused("add-host", &json!({"name": "later"}));
        let later = verified(&desk, &json!({"verify": true}));
        let hides = *what == "where it ends";
        faults.unless(later["intact"] == false || hides, || {
            format!("{what} is hidden by what comes later: {later}")
        });
    }
    // One who knows how the digests are made writes an entry anew, and has to write all that follow.
    restore(&|database| rewrite(database, 6, 6));
    let found = verified(&desk, &json!({"verify": true}));
    faults.unless(found["findings"][0]["kind"] == "unlinked", || {
        format!("an entry written anew: {found}")
    });
    // Having done that too, they are found by a digest that was noted elsewhere.
    restore(&|_| {});
    let known = desk
        .call("list-audit", &json!({}))
        .ok()
        .text("/head/digest");
    restore(&|database| rewrite(database, 6, 12));
    let found = verified(&desk, &json!({"verify": true}));
    faults.unless(found["intact"] == true, || {
        format!("all written anew: {found}")
    });
    let found = verified(&desk, &json!({"known_digest": known}));
    faults.unless(
        found["intact"] == false && found["findings"][0]["kind"] == "unknown_digest",
        || format!("all written anew: {found}"),
    );
    faults.none();
}

/// Changes an entry and gives it and those behind it digests that fit, as far as a number, and the end if that is it.
fn rewrite(database: &Connection, first: i64, last: i64) {
    for number in first..=last {
        let (record, mut previous): (String, String) = database
            .query_row(
                "SELECT record, previous FROM audit WHERE number = ?1",
                [number],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("an entry");
        if number > first {
            previous = database
                .query_row(
                    "SELECT digest FROM audit WHERE number = ?1",
                    [number - 1],
                    |row| row.get(0),
                )
                .expect("the entry before");
        }
        let record = if number == first {
            record
                .replace("\"by\":\"key\"", "\"by\":\"terminal\"")
                .replace("\"by\":\"caller\"", "\"by\":\"terminal\"")
        } else {
            record
        };
        let digest = sha256(format!("{previous}\n{record}").as_bytes());
        database
            .execute(
                "UPDATE audit SET record = ?2, previous = ?3, digest = ?4 WHERE number = ?1",
                rusqlite::params![number, record, previous, digest],
            )
            .expect("a change");
        if number == 12 {
            let head = json!({"number": number, "digest": digest}).to_string();
            database
                .execute(
                    "UPDATE audit_head SET record = ?1, digest = ?2",
                    [&head, &sha256(head.as_bytes())],
                )
                .expect("a change");
        }
    }
}
