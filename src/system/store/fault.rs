//! Why a statement gave no answer, as those learn it who wrote the statement.

use super::{Damage, postgres::Failure};

/// An error of the database inside a read or a write.
///
/// Nouns pass it on, and may set the damage apart that it carries; [`Store`](super::Store) says what the rest means.
#[derive(Debug)]
pub(crate) struct Fault(pub(super) Cause);

/// What went wrong.
#[derive(Debug)]
pub(super) enum Cause {
    /// A row that was read is not as legwork writes it.
    Damage(Box<Damage>),
    /// What was to be written has no form as JSON.
    Encoding(serde_json::Error),
    /// A row is not there that this very transaction wrote.
    Missing,
    /// A query does not select a column that is read of it.
    Unselected(String),
    /// What was committed may not be on the disk.
    Unsynced(std::io::Error),
    /// `SQLite` said so.
    Sqlite(rusqlite::Error),
    /// The server said so, or said nothing.
    Postgres(Box<Failure>),
}

impl Fault {
    /// Says that a row is not there which must be.
    pub(crate) const fn missing() -> Self {
        Self(Cause::Missing)
    }

    /// Says that what was committed may not be on the disk.
    pub(super) const fn unsynced(error: std::io::Error) -> Self {
        Self(Cause::Unsynced(error))
    }

    /// Says that a query does not select a column that is read of it.
    pub(super) fn unselected(column: &str) -> Self {
        Self(Cause::Unselected(column.to_owned()))
    }

    /// Returns what the server answered in place of what was asked.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match &self.0 {
            Cause::Postgres(failure) => Some(failure),
            Cause::Damage(_)
            | Cause::Encoding(_)
            | Cause::Missing
            | Cause::Unselected(_)
            | Cause::Unsynced(_)
            | Cause::Sqlite(_) => None,
        }
    }

    /// Separates damage from other faults.
    pub(crate) fn set_apart<T>(result: Result<T, Self>) -> Result<Result<T, Damage>, Self> {
        match result {
            Ok(read) => Ok(Ok(read)),
            Err(Self(Cause::Damage(damage))) => Ok(Err(*damage)),
            Err(other) => Err(other),
        }
    }
}

impl From<Damage> for Fault {
    fn from(damage: Damage) -> Self {
        Self(Cause::Damage(Box::new(damage)))
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self(Cause::Encoding(error))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self(Cause::Sqlite(error))
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self(Cause::Postgres(Box::new(failure)))
    }
}

impl std::error::Error for Fault {}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Cause::Damage(damage) => damage.fmt(formatter),
            Cause::Encoding(error) => error.fmt(formatter),
            Cause::Missing => formatter.write_str("a row that was just written is not there"),
            Cause::Unselected(column) => write!(formatter, "no query selects {column}"),
            Cause::Unsynced(error) => error.fmt(formatter),
            Cause::Sqlite(error) => error.fmt(formatter),
            Cause::Postgres(failure) => failure.fmt(formatter),
        }
    }
}
