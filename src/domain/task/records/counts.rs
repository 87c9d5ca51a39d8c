//! The limits, and the counts over all tasks.

use std::cell::RefCell;

use jiff::Timestamp;

use super::super::{
    ledger::{self, Ledger},
    limit::Limit,
    table::{self, LEDGER, LIMITS, TASK_COLUMNS, TASKS},
};
use crate::{
    contract::Name,
    system::store::{Connection, Damage, Fault},
};

/// Numbers of events that are left out where nobody knows which was given last.
const EVENTS_LEFT_OUT: i64 = 1_000_000;

/// The limits as far as they can be read.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Those that can be read, by name.
    pub(crate) read: Vec<Limit>,
    /// What limits that cannot be read may be called: of these nobody knows how much there is.
    pub(crate) unknown: Vec<Name>,
    /// The rows that cannot be read.
    pub(crate) damaged: Vec<Damage>,
}

impl Limits {
    /// Returns them as they stand now: budgets may have started anew.
    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self {
            read: self.read.into_iter().map(|limit| limit.at(now)).collect(),
            ..self
        }
    }
}

/// Lists the limits.
pub(crate) fn limits(connection: &Connection<'_>) -> Result<Limits, Fault> {
    let names = RefCell::new(Vec::new());
    let rows = LIMITS.rows(
        connection,
        "SELECT name, record FROM queue_limits ORDER BY name",
        &[],
        |row| {
            table::limit(row).inspect_err(|_| {
                let column = row.word::<Name>("name").ok();
                let recorded = row.json::<Limit>("record").ok().map(|limit| limit.name);
                names
                    .borrow_mut()
                    .extend(column.into_iter().chain(recorded));
            })
        },
    )?;
    let mut unknown: Vec<Name> = names.into_inner();
    unknown.retain(|name| rows.read.iter().all(|limit| limit.name != *name));
    Ok(Limits {
        read: rows.read,
        unknown,
        damaged: rows.damaged,
    })
}

/// Writes a limit, new or over what was there of it.
pub(crate) fn put_limit(connection: &Connection<'_>, limit: &Limit) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO queue_limits (name, record) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        &[
            limit.name.as_str().into(),
            (&serde_json::to_string(limit)?).into(),
        ],
    )?;
    Ok(())
}

/// Returns whether there is a row for a limit, whatever it holds.
pub(crate) fn has_limit(connection: &Connection<'_>, name: &Name) -> Result<bool, Fault> {
    let count = connection.number(
        "SELECT count(*) FROM queue_limits WHERE name = ?1",
        &[name.as_str().into()],
    )?;
    Ok(count.is_some_and(|count| count > 0))
}

/// Removes a limit.
pub(crate) fn delete_limit(connection: &Connection<'_>, name: &Name) -> Result<(), Fault> {
    connection.execute(
        "DELETE FROM queue_limits WHERE name = ?1",
        &[name.as_str().into()],
    )?;
    Ok(())
}

/// Reads the ledger; nothing where there is none yet, or it cannot be read.
pub(crate) fn ledger(connection: &Connection<'_>) -> Result<Result<Option<Ledger>, Damage>, Fault> {
    Fault::set_apart(LEDGER.one(
        connection,
        "SELECT name, record FROM queue_ledger WHERE name = ?1",
        &[ledger::NAME.into()],
        table::ledger,
    ))
}

/// Writes the ledger.
pub(crate) fn put_ledger(connection: &Connection<'_>, ledger: &Ledger) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO queue_ledger (name, record) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        &[
            ledger::NAME.into(),
            (&serde_json::to_string(ledger)?).into(),
        ],
    )?;
    Ok(())
}

/// Makes the ledger again from all tasks that can be read; the only look at all of them.
pub(crate) fn counted(connection: &Connection<'_>) -> Result<Ledger, Fault> {
    let counts = RefCell::new(Ledger::default());
    let statement = format!("SELECT {TASK_COLUMNS} FROM tasks");
    TASKS.rows(connection, &statement, &[], |row| {
        table::task(row).map(|task| counts.borrow_mut().enter(&task))
    })?;
    let mut ledger = counts.into_inner();
    // No number and no token is given twice, not even where the tasks that had them cannot be read.
    let last_number = connection.number(
        "SELECT coalesce(max(number), 0) FROM tasks WHERE number < 4000000000000000000",
        &[],
    )?;
    ledger.last_number = ledger.last_number.max(last_number.unwrap_or(0));
    let last_event = connection.number(
        "SELECT coalesce(max(number), 0) FROM task_events WHERE number < 4000000000000000000",
        &[],
    )?;
    let attempts = connection.number("SELECT count(*) FROM task_attempts", &[])?;
    ledger.last_token = attempts.unwrap_or(0).unsigned_abs();
    // Nor of an event, which may be that of a task that was removed.
    ledger.last_event = match last_event.unwrap_or(0) {
        0 if ledger.last_number == 0 => 0,
        last => last + EVENTS_LEFT_OUT,
    };
    Ok(ledger)
}
