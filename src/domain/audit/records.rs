//! The audit log in the database. All of its statements stand here.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use super::{
    error::Error,
    model::{Entry, Head, Note},
    table::{self, AUDIT, AUDIT_HEAD, COLUMNS, NAME},
};
use crate::system::{
    Context, clock, digest,
    store::{Damage, Page},
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
pub(crate) fn append(connection: &Connection, note: Note<'_>) -> rusqlite::Result<()> {
    let last: Option<(i64, String)> = connection
        .prepare_cached("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let noted = Damage::set_apart(head_of(connection))?.ok().flatten();
    let (last, previous) = last.unwrap_or_else(|| (0, NOTHING_BEFORE.to_owned()));
    // Where the end was cut off, the gap in the numbers stays to be seen.
    let number = noted
        .map_or(0, |head| head.number)
        .max(last)
        .saturating_add(1);
    let entry = Entry {
        number,
        at: clock::now_text(),
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
    let record = text(&entry)?;
    let digest = table::digest_of(&previous, &record);
    connection
        .prepare_cached(
            "INSERT INTO audit (number, record, previous, digest) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![number, record, previous, digest])?;
    let head = text(&Head { number, digest })?;
    let of_head = digest::sha256(head.as_bytes());
    connection
        .prepare_cached(
            "INSERT INTO audit_head (name, record, digest) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET record = excluded.record, digest = excluded.digest",
        )?
        .execute(params![NAME, head, of_head])
        .map(|_rows| ())
}

/// Lists entries with their digests, newest first; the place of the last one is its number.
pub(crate) fn list(
    context: &Context,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<(Entry, String)>, Error> {
    // The first part has no bound, so that a row whose number is damaged is met too.
    let earlier = before.map_or("?1 IS NULL", |_| "number < ?1");
    let statement =
        format!("SELECT {COLUMNS} FROM audit WHERE {earlier} ORDER BY number DESC LIMIT ?2");
    Ok(context.store()?.read(|connection| {
        AUDIT.page(
            &mut connection.prepare(&statement)?,
            params![before, i64::from(limit) + 1],
            (limit, &["number"]),
            table::entry,
        )
    })?)
}

/// Returns where the log ends, as it is noted beside it; nothing where there is no entry.
pub(crate) fn head(context: &Context) -> Result<Option<Head>, Error> {
    let found = context
        .store()?
        .read(|connection| Damage::set_apart(head_of(connection)))?;
    Ok(found.ok().flatten())
}

fn head_of(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("SELECT name, record, digest FROM audit_head WHERE name = ?1")?
        .query_row([NAME], |row| table::head(&AUDIT_HEAD.record(row)))
        .optional()
}

/// Reads so many entries behind a number, oldest first, as they are; nothing is said of their soundness.
pub(super) fn behind(
    context: &Context,
    number: Option<i64>,
    limit: u32,
) -> Result<Vec<Result<Raw, Damage>>, Error> {
    let later = number.map_or("?1 IS NULL", |_| "number > ?1");
    let statement = format!("SELECT {COLUMNS} FROM audit WHERE {later} ORDER BY number LIMIT ?2");
    Ok(context.store()?.read(|connection| {
        let mut statement = connection.prepare(&statement)?;
        let mut rows = statement.query(params![number, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let record = AUDIT.record(row);
            let raw = || {
                Ok(Raw {
                    number: record.number("number")?,
                    record: record.text("record")?,
                    previous: record.text("previous")?,
                    digest: record.text("digest")?,
                })
            };
            found.push(Damage::set_apart(raw())?);
        }
        Ok(found)
    })?)
}

fn text<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
