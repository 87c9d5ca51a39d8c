//! The table of sessions of workers, and how a row of it is read.

use super::session::{Session, number};
use crate::system::store::{Fault, Record, Table};

/// The sessions of workers.
pub(crate) static SESSIONS: Table = Table {
    name: "worker_sessions",
    key: &["session_id"],
    create: include_str!("sessions.sql"),
    check: |row| session(row).map(drop),
};

/// The columns that [`session`] reads.
pub(super) const COLUMNS: &str = "number, session_id, worker, ended_at, record";

/// Reads a session.
pub(super) fn session(row: &Record<'_>) -> Result<Session, Fault> {
    let session: Session = row.json("record")?;
    row.agrees("session_id", session.session_id.as_str())?;
    row.agrees("worker", session.worker.as_str())?;
    if row.optional_text("ended_at")?.as_deref() != session.ended_at.as_deref() {
        return Err(row.damaged("ended_at", "it contradicts the record"));
    }
    if Some(row.number("number")?) != number(&session.session_id) {
        return Err(row.damaged("number", "it contradicts the record"));
    }
    Ok(session)
}
