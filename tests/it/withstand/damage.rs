//! Rows and tables that are damaged: said by name, and never in the way of the others.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::support::{
    CHECK, Call, Faults, KEY, KEY_VARIABLE, MEND, Workplace, fed, json_lines, schemas, sha256,
};

/// The tables, their key columns, the calls that list them, and the list's field.
const TABLES: &[(&str, &[&str], &str)] = &[
    ("hosts", &["name"], "list-hosts"),
    ("checks", &["host", "subject"], ""),
    ("workspaces", &["host", "repository"], "list-workspaces"),
    ("jobs", &["job_id"], "list-jobs"),
    ("events", &["number"], "list-events"),
    ("issues", &["url"], ""),
    ("verifications", &["name"], ""),
    ("tasks", &["task_id"], "list-tasks"),
    ("task_dependencies", &["task_id", "depends_on"], ""),
    ("task_labels", &["label", "number"], ""),
    ("task_attempts", &["task_id", "attempt"], ""),
    ("task_events", &["task_id", "event"], ""),
    ("task_checkpoints", &["task_id", "checkpoint"], ""),
    ("queue_limits", &["name"], "show-limits"),
    ("queue_ledger", &["name"], ""),
    (
        "authorizations",
        &["authorization_id"],
        "list-authorizations",
    ),
    ("requests", &["request_id"], "list-waiting"),
    ("audit", &["number"], "list-audit"),
    ("audit_head", &["name"], ""),
    ("worker_sessions", &["session_id"], "list-sessions"),
    ("task_series", &["series"], ""),
    ("hooks", &["name"], "list-hooks"),
    ("hook_deliveries", &["number"], ""),
];

/// A place with something in every table: two jobs, two hosts, two workspaces.
struct Store {
    place: Workplace,
    job_id: String,
    task_id: String,
}

impl Store {
    fn new() -> Self {
        let place = Workplace::here();
        let job_id = place.launched("mender", &json!({"max_wall_s": 60}));
        place.ended(&job_id);
        for check in [CHECK, "false"] {
            let input = json!({"job_id": job_id, "check": check, "reds": 1, "greens": 1});
            place.call("check-diff", &input).ok();
        }
        let other = place.launched("mender", &json!({"max_wall_s": 61}));
        place.ended(&other);
        place
            .call(
                "provision-workspace",
                &json!({"repository": "other", "url": place.world().path("widgets")}),
            )
            .ok();
        for name in ["box", "other-box"] {
            place.call("add-host", &json!({"name": name})).ok();
        }
        ask_for_leave(&place);
        let database = Connection::open(home(&place).join("legwork.db")).expect("the database");
        let now = "2026-01-01T00:00:00.000Z";
        for host in ["box", "local"] {
            database
                .execute(
                    "INSERT INTO checks VALUES (?1, 'subject', '[]', ?2, 1)",
                    params![host, now],
                )
                .expect("a check");
            database
                .execute(
                    "INSERT INTO issues VALUES (?1, '\"1\"', '{}', NULL, ?2)",
                    params![format!("https://example.org/{host}"), now],
                )
                .expect("an issue");
        }
        let task_id = fill_queue(&place);
        Self {
            place,
            job_id,
            task_id,
        }
    }

    /// Copies the state, damages the copy, and sends every call that reads the database there.
    fn damaged(&self, damage: impl FnOnce(&Connection)) -> Vec<Value> {
        static COPIES: AtomicUsize = AtomicUsize::new(0);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let copy = self.place.world().path(format!("copy-{number}"));
        fs::create_dir(&copy).expect("a folder");
        let database =
            Connection::open(home(&self.place).join("legwork.db")).expect("the database");
        database
            .execute("VACUUM INTO ?1", [copy.join("legwork.db").to_str()])
            .expect("a copy");
        let database = Connection::open(copy.join("legwork.db")).expect("the copy");
        damage(&database);
        drop(database);
        let answers = self.calls(&copy);
        fs::remove_dir_all(&copy).expect("the copy is there");
        answers
    }

    fn calls(&self, home: &Path) -> Vec<Value> {
        let launch = json!({"repository": "widgets", "agent": "mender", "message": "The greeting is misspelt.", "max_wall_s": 60});
        let provision = json!({"repository": "widgets", "dry_run": true});
        let calls = [
            ("check-store", json!({})),
            ("list-hosts", json!({})),
            ("list-workspaces", json!({})),
            ("list-jobs", json!({})),
            ("list-events", json!({})),
            ("list-authorizations", json!({})),
            ("list-waiting", json!({})),
            ("list-audit", json!({"verify": true})),
            (
                "poll-job",
                json!({"job_ids": [self.job_id, "widgets-x-000000000000"]}),
            ),
            ("poll-job", json!({})),
            ("check-artifacts", json!({"job_id": self.job_id})),
            (
                "cancel-job",
                json!({"job_id": self.job_id, "dry_run": true}),
            ),
            ("launch-investigation", launch),
            ("provision-workspace", provision),
            ("add-host", json!({"name": "box"})),
            ("add-host", json!({"name": "third-box"})),
            ("remove-host", json!({"name": "box"})),
            ("show-limits", json!({})),
            ("list-tasks", json!({})),
            ("peek-queue", json!({})),
            ("show-task", json!({"task_id": self.task_id})),
            (
                "enqueue-tasks",
                json!({"tasks": [{"command": ["true"], "idempotency_key": "another"}]}),
            ),
            (
                "claim-tasks",
                json!({"claimer": "other", "request_id": "other", "count": 5}),
            ),
            ("recover-tasks", json!({})),
            ("collect-tasks", json!({"older_than_s": 0, "dry_run": true})),
            ("list-sessions", json!({})),
            ("worker-status", json!({})),
            ("list-hooks", json!({})),
        ];
        let lines: String = calls
            .iter()
            .enumerate()
            .map(|(id, (primitive, input))| {
                json!({"id": id, "primitive": primitive, "input": input}).to_string() + "\n"
            })
            .collect();
        let mut batch = self.place.world().legwork_command(["batch"]);
        let mut answers = json_lines(&fed(batch.env("LEGWORK_HOME", home), lines));
        answers.sort_by_key(|answer| answer["id"].as_u64());
        assert_eq!(answers.len(), calls.len());
        answers
    }
}

/// Puts something into every table of the queue, and returns the task that is claimed.
fn fill_queue(place: &Workplace) -> String {
    for name in ["slots", "gpus"] {
        let limit = json!({"name": name, "total": 4});
        place.call("set-limit", &limit).ok();
    }
    let tasks = json!({"tasks": [
        {"name": "a", "command": ["true"], "labels": ["one", "two"], "priority": 90, "deadline": "2100-01-01T00:00:00Z", "agent": "claude"},
        {"name": "b", "command": ["false"], "depends_on": ["a"], "labels": ["one"], "agent": "claude"},
        {"name": "c", "command": ["true"], "every": "1h", "labels": ["two"], "agent": "claude"},
    ]});
    place.call("enqueue-tasks", &tasks).ok();
    let claim = json!({"claimer": "worker", "request_id": "first"});
    let claimed = place.call("claim-tasks", &claim).ok();
    let fence = json!({
        "task_id": claimed.at("/tasks/0/task_id"), "attempt": claimed.at("/tasks/0/attempt"), "token": claimed.at("/tasks/0/token"),
    });
    for step in 1..3 {
        let mut report = fence.clone();
        report["checkpoint"] = json!({"step": step});
        place.call("report-progress", &report).ok();
    }
    let hook = json!({"name": "hook", "command": ["true"], "events": ["task.checkpoint"]});
    place.call("add-hook", &hook).ok();
    for request_id in ["one", "two"] {
        let test = json!({"name": "hook", "request_id": request_id});
        place.call("test-hook", &test).ok();
    }
    for _ in 0..2 {
        let worker = ["run-worker", "--concurrency", "0", "--idle-exit-s", "0"];
        place.world().legwork(worker).ok();
    }
    claimed.text("/tasks/0/task_id")
}

/// Lets two calls wait for a person, who grants something twice; then nothing needs leave any more.
fn ask_for_leave(place: &Workplace) {
    let configure = |require: &str| {
        let key = sha256(KEY.as_bytes());
        let text = format!("[authorization]\nkey_sha256 = '{key}'\nrequire = [{require}]\n");
        place.world().configure(&text);
    };
    configure("'local_write'");
    for name in ["one", "two"] {
        let refused = place.call("add-host", &json!({"name": name}));
        assert_eq!(refused.error_code(), "authorization_required");
        let input = json!({"scope": "spend", "note": name}).to_string();
        let mut grant = place
            .world()
            .legwork_command(["grant-authorization", "--json", &input]);
        let granted = grant.env(KEY_VARIABLE, KEY).output();
        Call::read(&granted.expect("legwork starts")).ok();
    }
    configure("");
}

fn home(place: &Workplace) -> PathBuf {
    place.world().path("state/legwork")
}

/// Lists the columns of a table and whether each holds numbers.
fn columns(database: &Connection, table: &str) -> Vec<(String, bool)> {
    database
        .prepare("SELECT name, type = 'INTEGER' FROM pragma_table_info(?1)")
        .expect("a query")
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("the columns")
        .collect::<rusqlite::Result<_>>()
        .expect("the columns")
}

/// Notes a fault for every answer that blames legwork, or does not fit its schema.
fn none_is_a_bug(faults: &Faults, case: &str, answers: &[Value]) {
    for answer in answers {
        let mut envelope = answer.as_object().expect("an object").clone();
        envelope.remove("id");
        for fault in schemas::faults("envelope", &Value::Object(envelope)) {
            faults.note(format!("{case}: {fault}"));
        }
        faults.unless(answer["error_code"] != "internal", || {
            format!("{case}: {answer}")
        });
        if answer["error_code"] == "store_damaged" {
            faults.unless(answer["retry_safe"] == false, || {
                format!("{case}: {answer}")
            });
        }
    }
}

fn of<'a>(answers: &'a [Value], primitive: &str) -> &'a Value {
    answers
        .iter()
        .find(|answer| answer["primitive"] == primitive)
        .expect("it was called")
}

type Damage = (
    &'static str,
    &'static [&'static str],
    &'static str,
    String,
    &'static str,
);

/// Lists what is written into which column: table, its key, the primitive that lists it, column, SQL expression.
fn damages(store: &Store) -> Vec<Damage> {
    let database = Connection::open(home(&store.place).join("legwork.db")).expect("the database");
    let mut cases = Vec::new();
    for (table, key, list) in TABLES {
        for (column, is_number) in columns(&database, table) {
            let values: &[&str] = if is_number {
                &["-1", "4611686018427387904"]
            } else {
                &["'{'", "''", "'\u{1b}[2J\u{202e}'"]
            };
            for value in values {
                // What is recorded has no key any more.
                if column == "key" && *value == "''" {
                    continue;
                }
                cases.push((*table, *key, *list, column.clone(), *value));
            }
        }
    }
    for record in [
        "json_set(record, '$.state', 'pondering')",
        "json_set(record, '$.run', -1)",
        "json_set(record, '$.job_id', 'another-x-000000000000')",
        "json_remove(record, '$.created_at')",
        "'null'",
        "'[]'",
    ] {
        cases.push((
            "jobs",
            &["job_id"],
            "list-jobs",
            "record".to_owned(),
            record,
        ));
    }
    cases
}

#[test]
fn every_damaged_column_of_every_table_is_named_and_the_other_rows_are_listed() {
    let store = Store::new();
    let whole = store.damaged(|_| {});
    let faults = Faults::default();
    for answer in &whole[..8] {
        assert_eq!(answer["ok"], true, "{answer}");
    }
    let cases = damages(&store);
    assert!(cases.len() > 90, "only {} cases", cases.len());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((table, key, list, column, value)) =
                    cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let case = format!("{table}.{column} = {value:?}");
                    let mut harmless = false;
                    let answers = store.damaged(|database| {
                        let statement = format!(
                            "UPDATE {table} SET {column} = {value}
                             WHERE rowid = (SELECT min(rowid) FROM {table})"
                        );
                        database.execute(&statement, []).expect(&case);
                        // Free text and numbers that are nothing but numbers cannot be told from good ones.
                        harmless = matches!(
                            (*table, column.as_str()),
                            ("issues", "url" | "etag" | "body" | "link")
                                | ("checks", "subject" | "at_epoch")
                                | ("jobs" | "events" | "requests" | "authorizations", "number")
                        );
                    });
                    none_is_a_bug(&faults, &case, &answers);
                    let checked = of(&answers, "check-store");
                    if harmless {
                        continue;
                    }
                    let damaged = checked["details"]["damaged"].as_array();
                    let named = damaged.into_iter().flatten().any(|one| {
                        let reason = one["reason"].as_str().unwrap_or_default();
                        one["table"] == *table
                            && one["row"].is_string()
                            && (reason.starts_with(&format!("{column}: "))
                                || key.contains(&column.as_str())
                                || column == "record")
                    });
                    faults.unless(checked["error_code"] == "store_damaged" && named, || {
                        format!("{case}: check-store says {checked}")
                    });
                    // Nothing is read off the key, so that only a check of the whole database compares it.
                    if !list.is_empty() && column != "idempotency_key" {
                        let listed = of(&answers, list);
                        let warned = listed["warnings"].as_array().is_some_and(|warnings| {
                            warnings.iter().any(|warning| {
                                warning.as_str().is_some_and(|it| it.contains(table))
                            })
                        });
                        let before = of(&whole, list);
                        let field = before["data"]
                            .as_object()
                            .and_then(|data| data.keys().next());
                        let count = |answer: &Value| {
                            field.map_or(0, |field| {
                                answer["data"][field].as_array().map_or(0, Vec::len)
                            })
                        };
                        faults.unless(listed["ok"] == true && warned, || {
                            format!("{case}: {list} says {listed}")
                        });
                        faults.unless(count(listed) + 1 == count(before), || {
                            format!(
                                "{case}: {list} lists {} of {}",
                                count(listed),
                                count(before)
                            )
                        });
                    }
                }
            });
        }
    });
    faults.none();
}

#[test]
fn a_table_that_is_gone_or_lost_its_types_is_named() {
    let store = Store::new();
    let faults = Faults::default();
    for (table, _, list) in TABLES {
        let gone = store.damaged(|database| {
            let statement = format!("DROP TABLE {table}");
            database.execute_batch(&statement).expect("it was there");
        });
        let database =
            Connection::open(home(&store.place).join("legwork.db")).expect("the database");
        let names: Vec<String> = columns(&database, table)
            .into_iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let loose = |value: &'static str| {
            let names = names.clone();
            move |database: &Connection| {
                let columns = names.join(", ");
                let mutated = names
                    .iter()
                    .map(|name| format!("{name} = {value}"))
                    .collect::<Vec<_>>()
                    .join(", ");
                database
                    .execute_batch(&format!(
                        "CREATE TABLE loose ({columns}); INSERT INTO loose SELECT * FROM {table};
                         DROP TABLE {table}; ALTER TABLE loose RENAME TO {table};
                         UPDATE {table} SET {mutated} WHERE rowid = (SELECT min(rowid) FROM {table});"
                    ))
                    .expect("a table without types");
            }
        };
        let nulls = store.damaged(loose("NULL"));
        let bytes = store.damaged(loose("X'ff00'"));
        let fractions = store.damaged(loose("0.5"));
        for (case, answers) in [
            ("gone", gone),
            ("NULL", nulls),
            ("bytes", bytes),
            ("fractions", fractions),
        ] {
            let case = format!("{table}: {case}");
            none_is_a_bug(&faults, &case, &answers);
            for primitive in ["check-store", list] {
                if primitive.is_empty() {
                    continue;
                }
                let answer = of(&answers, primitive);
                let said =
                    answer["details"]["reason"].to_string() + &answer["warnings"].to_string();
                faults.unless(said.contains(table), || format!("{case}: {answer}"));
            }
        }
    }
    faults.none();
}

#[test]
fn every_table_is_declared() {
    let place = Workplace::here();
    let database = Connection::open(home(&place).join("legwork.db")).expect("the database");
    let mut tables: Vec<String> = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .expect("a query")
        .query_map([], |row| row.get(0))
        .expect("the tables")
        .collect::<rusqlite::Result<_>>()
        .expect("the tables");
    tables.sort();
    let mut tested: Vec<&str> = TABLES.iter().map(|(table, _, _)| *table).collect();
    tested.sort_unstable();
    assert_eq!(tables, tested, "each table has its cases here");
}

#[test]
fn a_damaged_row_can_be_replaced_by_the_calls_that_own_it() {
    let store = Store::new();
    let world = store.place.world();
    let database = Connection::open(home(&store.place).join("legwork.db")).expect("the database");
    database
        .execute_batch("UPDATE workspaces SET record = '{'; UPDATE hosts SET settings = '{'")
        .expect("damage");
    let refused = store.place.launch("mender", &json!({"message": MEND}));
    assert_eq!(refused.error_code(), "store_damaged", "{}", refused.line());
    for name in ["box", "other-box"] {
        store.place.call("remove-host", &json!({"name": name})).ok();
    }
    store
        .place
        .call("provision-workspace", &json!({"repository": "widgets"}))
        .ok();
    store
        .place
        .call(
            "provision-workspace",
            &json!({"repository": "other", "url": world.path("widgets")}),
        )
        .ok();
    let checked = world.legwork(["check-store"]).ok();
    assert!(checked.at("/rows").as_u64().is_some_and(|rows| rows > 4));
}
