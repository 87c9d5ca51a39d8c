//! The audit log in the database. All of its statements stand here.

use serde_json::{Map, Value};

use super::{
    error::Error,
    model::{Entry, Head, Note},
    table::{self, AUDIT, AUDIT_HEAD, COLUMNS, NAME},
};
use crate::system::{
    Context, digest,
    store::{Connection, Damage, Fault, Page, Value as Sql},
};

/// What stands in place of a digest before the first entry.
pub(super) const NOTHING_BEFORE: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry as its row has it, read or not.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    /// The number of the row.
    pub(super) number: i64,
    /// Its text.
    pub(super) record: String,
    /// The digest of the entry before, as it says.
    pub(super) previous: String,
    /// Its own digest, as it says.
    pub(super) digest: String,
}

/// Appends an entry, in the transaction of what it tells of.
pub(crate) fn append(connection: &Connection<'_>, note: Note<'_>) -> Result<(), Fault> {
    // As it stands, sound or not: `verify` finds what does not fit.
    let last = AUDIT.one(
        connection,
        "SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1",
        &[],
        |row| Ok((row.number("number")?, row.text("digest")?)),
    )?;
    let noted = Fault::set_apart(head_of(connection))?.ok().flatten();
    let (last, previous) = last.unwrap_or_else(|| (0, NOTHING_BEFORE.to_owned()));
    // Where the end was cut off, the gap in the numbers stays to be seen.
    let number = noted
        .map_or(0, |head| head.number)
        .max(last)
        .saturating_add(1);
    let entry = Entry {
        number,
        at: connection.now_text()?,
        event: note.event,
        by: note.by.to_owned(),
        user: note.user.to_owned(),
        subject: note.subject.to_owned(),
        facts: match note.facts {
            Value::Object(facts) => facts,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        },
    };
    let record = serde_json::to_string(&entry)?;
    let digest = table::digest_of(&previous, &record);
    connection.execute(
        "INSERT INTO audit (number, record, previous, digest) VALUES (?1, ?2, ?3, ?4)",
        &[
            number.into(),
            (&record).into(),
            (&previous).into(),
            (&digest).into(),
        ],
    )?;
    let head = serde_json::to_string(&Head { number, digest })?;
    connection.execute(
        "INSERT INTO audit_head (name, record, digest) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET record = excluded.record, digest = excluded.digest",
        &[
            NAME.into(),
            (&head).into(),
            (&digest::sha256(head.as_bytes())).into(),
        ],
    )?;
    Ok(())
}

/// Lists entries with their digests, newest first; the place of the last one is its number.
pub(crate) fn list(
    context: &Context,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<(Entry, String)>, Error> {
    // The first part has no bound, so that a row whose number is damaged is met too.
    let (statement, parameters) = part("<", "DESC", before, i64::from(limit) + 1);
    Ok(context.store()?.read(|connection| {
        let order = (limit, &["number"][..]);
        AUDIT.page(connection, &statement, &parameters, order, table::entry)
    })?)
}

/// Writes the statement that finds a part of the log, beyond a number where one is given.
fn part(beyond: &str, order: &str, number: Option<i64>, limit: i64) -> (String, Vec<Sql<'static>>) {
    let mut parameters = vec![limit.into()];
    let mut condition = String::new();
    if let Some(number) = number {
        parameters.push(number.into());
        condition = format!("WHERE number {beyond} ?2");
    }
    let statement =
        format!("SELECT {COLUMNS} FROM audit {condition} ORDER BY number {order} LIMIT ?1");
    (statement, parameters)
}

/// Returns where the log ends, as it is noted beside it; nothing where there is no entry.
pub(crate) fn head(context: &Context) -> Result<Option<Head>, Error> {
    let found = context
        .store()?
        .read(|connection| Fault::set_apart(head_of(connection)))?;
    Ok(found.ok().flatten())
}

fn head_of(connection: &Connection<'_>) -> Result<Option<Head>, Fault> {
    AUDIT_HEAD.one(
        connection,
        "SELECT name, record, digest FROM audit_head WHERE name = ?1",
        &[NAME.into()],
        table::head,
    )
}

/// Reads so many entries behind a number, oldest first, as they are; nothing is said of their soundness.
pub(super) fn behind(
    context: &Context,
    number: Option<i64>,
    limit: u32,
) -> Result<Vec<Result<Raw, Damage>>, Error> {
    let (statement, parameters) = part(">", "", number, limit.into());
    let found = context.store()?.read(|connection| {
        // What cannot be read stays in its place in the row of entries.
        AUDIT.rows(connection, &statement, &parameters, |record| {
            let raw = || {
                Ok(Raw {
                    number: record.number("number")?,
                    record: record.text("record")?,
                    previous: record.text("previous")?,
                    digest: record.text("digest")?,
                })
            };
            Fault::set_apart(raw())
        })
    })?;
    Ok(found.read)
}
