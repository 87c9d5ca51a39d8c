//! The contract of the store, over both engines.

use std::sync::Arc;

use super::{
    Address, Connection, Fault, Key, Migration, Record, Schema, Store, Table, Value, Written,
};
use crate::{contract::Effect, system::meter::Meter};

#[path = "../../../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the integration tests use more of it")]
#[expect(clippy::disallowed_methods, reason = "it starts a server")]
mod server;

static THINGS: Table = Table {
    name: "things",
    key: &["name"],
    create: "CREATE TABLE things (
                 number INTEGER PRIMARY KEY AUTOINCREMENT,   -- it grows
                 name TEXT NOT NULL UNIQUE,
                 record TEXT,
                 weight REAL,
                 body BLOB
             ) STRICT;
             CREATE INDEX things_by_record ON things (record, number);",
    check: |row| thing(row).map(drop),
};

static SCHEMA: Schema = &[
    Migration::Tables(&[&THINGS]),
    Migration::Statements("ALTER TABLE things ADD COLUMN colour TEXT"),
];

fn thing(row: &Record<'_>) -> Result<(String, Option<String>), Fault> {
    let name = row.text("name")?;
    if name == "broken" {
        return Err(row.damaged("name", "it is broken"));
    }
    Ok((name, row.optional_text("record")?))
}

fn add(connection: &Connection<'_>, name: &str, record: Option<&str>) -> Result<u64, Fault> {
    connection.execute(
        "INSERT INTO things (name, record) VALUES (?1, ?2)",
        &[name.into(), record.into()],
    )
}

/// Calls a test with a store of each engine.
#[expect(
    clippy::needless_pass_by_value,
    reason = "each test is written where it is called"
)]
fn over_both(test: impl AsyncFn(&Store)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let home = tempfile::tempdir().expect("a home");
    let embedded = Store::open(home.path(), SCHEMA).expect("a database");
    runtime.block_on(test(&embedded));
    let server: Arc<server::Postgres> = server::Postgres::shared();
    let address = Address::parse(&server.database()).expect("its address");
    let shared = Store::connect(address, SCHEMA).expect("a database");
    runtime.block_on(test(&shared));
}

#[test]
fn what_is_written_is_read_as_it_was() {
    over_both(async |store| {
        let written = store.write(|connection| {
            connection.execute(
                "INSERT INTO things (name, record, weight, body, colour) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[
                    "ä".into(),
                    None::<&str>.into(),
                    Value::Real(0.25),
                    Value::Bytes(&[0, 255]),
                    "red?".into(),
                ],
            )
        });
        assert_eq!(written.await.expect("a write"), 1);
        let found = store
            .read(|connection| {
                connection.query("SELECT * FROM things", &[], |columns, mut found| {
                    let row = found.next()?.expect("a row");
                    let values = (0..columns.len()).map(|index| row.value(index));
                    let values: Vec<String> = values
                        .map(|value| value.map(|value| format!("{value:?}")))
                        .collect::<Result<_, Fault>>()?;
                    Ok((columns.to_vec(), values))
                })
            })
            .expect("a read");
        assert_eq!(
            found.0,
            ["number", "name", "record", "weight", "body", "colour"]
        );
        assert_eq!(
            found.1,
            [
                "Integer(1)",
                "Text(\"ä\")",
                "Null",
                "Real(0.25)",
                "Bytes([0, 255])",
                "Text(\"red?\")"
            ]
        );
    });
}

#[test]
fn lists_name_damage_and_go_on_page_by_page() {
    over_both(async |store| {
        let written = store.write(|connection| {
            for name in ["b", "B", "broken", "a", "Z"] {
                add(connection, name, Some("x"))?;
            }
            Ok(())
        });
        written.await.expect("a write");
        let page = |after: Option<&str>| {
            let statement = if after.is_some() {
                "SELECT name, record FROM things WHERE name > ?2 ORDER BY name LIMIT ?1"
            } else {
                "SELECT name, record FROM things ORDER BY name LIMIT ?1"
            };
            let mut parameters: Vec<Value<'_>> = vec![Value::Integer(4)];
            parameters.extend(after.map(Value::from));
            store
                .read(|connection| {
                    THINGS.page(connection, statement, &parameters, (3, &["name"]), thing)
                })
                .expect("a page")
        };
        let first = page(None);
        let names = |page: &super::Page<(String, Option<String>)>| -> Vec<String> {
            page.read.iter().map(|(name, _)| name.clone()).collect()
        };
        // Text is ordered by its bytes, whatever language a server speaks.
        assert_eq!(
            (names(&first), first.more),
            (vec!["B".into(), "Z".into(), "a".into()], true)
        );
        assert_eq!(first.last, Some(vec![Key::Text("a".to_owned())]));
        let second = page(Some("a"));
        assert_eq!((names(&second), second.more), (vec!["b".into()], false));
        assert_eq!(second.damaged.len(), 1);
        assert_eq!(second.damaged[0].row.as_deref(), Some("broken"));
        let one = store.read(|connection| {
            THINGS.one(
                connection,
                "SELECT name, record FROM things WHERE name = ?1",
                &["Z".into()],
                thing,
            )
        });
        let z = ("Z".to_owned(), Some("x".to_owned()));
        assert_eq!(one.expect("a read"), Some(z));
        let damaged = store.read(|connection| {
            THINGS.one(
                connection,
                "SELECT name, record FROM things WHERE name = ?1",
                &["broken".into()],
                thing,
            )
        });
        assert!(matches!(damaged, Err(super::Error::Records { .. })));
        let texts = store.read(|connection| {
            connection.texts(
                "SELECT name FROM things WHERE record = ?1 ORDER BY number DESC LIMIT 2",
                &["x".into()],
            )
        });
        assert_eq!(texts.expect("a read"), ["Z", "a"]);
    });
}

#[test]
fn a_write_happens_wholly_or_not_at_all() {
    over_both(async |store| {
        let failed = store.write(|connection| {
            add(connection, "one", None)?;
            add(connection, "one", None)
        });
        let error = failed.await.expect_err("the same name twice");
        assert!(matches!(error, super::Error::Records { .. }), "{error:?}");
        let count = || {
            store
                .read(|connection| connection.number("SELECT count(*) FROM things", &[]))
                .expect("a read")
        };
        assert_eq!(count(), Some(0));
        let meter = Meter::default();
        let dry = store.write_metered(&meter, |connection| {
            add(connection, "two", None)?;
            Ok(Written::Unchanged(()))
        });
        dry.await.expect("a write");
        assert_eq!(count(), Some(0));
        assert_eq!(meter.effect_of_failure(), Effect::None);
        let done = store.write_metered(&meter, |connection| {
            add(connection, "three", None).map(Written::Changed)
        });
        done.await.expect("a write");
        assert_eq!(count(), Some(1));
        assert_eq!(meter.effect_of_failure(), Effect::Partial);
        // What failed keeps nobody from writing.
        let again = store.write(|connection| add(connection, "four", None));
        again.await.expect("a write");
        assert_eq!(count(), Some(2));
        let wrong = store.read(|connection| connection.number("SELECT nothing FROM things", &[]));
        assert!(
            matches!(wrong, Err(super::Error::Statement(_))),
            "{wrong:?}"
        );
        let checked = store.check().expect("a whole database");
        assert_eq!((checked.version, checked.rows), (2, 2));
    });
}

#[test]
fn several_things_are_read_as_they_were_at_one_moment() {
    over_both(async |store| {
        let written = store.write(|connection| add(connection, "one", None));
        written.await.expect("a write");
        let read = store.read(|connection| {
            connection.at_one_moment(|| {
                let count = || connection.number("SELECT count(*) FROM things", &[]);
                Ok((count()?, count()?))
            })
        });
        assert_eq!(read.expect("a read"), (Some(1), Some(1)));
        let written = store.write(|connection| add(connection, "two", None));
        written.await.expect("a write, for nothing stayed open");
    });
}

#[test]
fn writes_at_once_of_one_process_all_happen() {
    over_both(async |store| {
        let writes = (0..12).map(|number| async move {
            let name = format!("n{number}");
            store.write(|connection| add(connection, &name, None)).await
        });
        for done in futures_util::future::join_all(writes).await {
            done.expect("a write");
        }
        let numbers =
            store.read(|connection| connection.number("SELECT max(number) FROM things", &[]));
        assert_eq!(numbers.expect("a read"), Some(12));
    });
}
