//! What a read or a write is given to ask the database with: one interface, whichever engine answers.
//!
//! Parameters stand in statements as `?1`, `?2` …; a statement is prepared once a connection.

use jiff::Timestamp;
use rusqlite::{
    Statement, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use super::{Damage, Fault, Value, postgres::Session, row::Found};
use crate::system::clock;

/// Statements that stay prepared: one change of the queue uses twenty.
pub(super) const PREPARED: usize = 96;

/// Reads the clock of a server, in microseconds since 1970.
const CLOCK: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// A connection to the database.
#[derive(Debug)]
pub(crate) struct Connection<'a>(Engine<'a>);

/// Who answers.
#[derive(Debug)]
enum Engine<'a> {
    /// `SQLite`, in this process.
    Sqlite(&'a rusqlite::Connection),
    /// A server.
    Postgres(&'a Session),
}

impl<'a> Connection<'a> {
    /// Asks a database of `SQLite`.
    pub(super) const fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self(Engine::Sqlite(connection))
    }

    /// Asks a server.
    pub(super) const fn postgres(session: &'a Session) -> Self {
        Self(Engine::Postgres(session))
    }
}

impl Connection<'_> {
    /// Carries out a statement, and returns how many rows it changed.
    pub(crate) fn execute(&self, statement: &str, parameters: &[Value<'_>]) -> Result<u64, Fault> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(statement)?;
                bind(&mut statement, parameters)?;
                Ok(statement.raw_execute()? as u64)
            }
            Engine::Postgres(session) => session.execute(statement, parameters),
        }
    }

    /// Returns the text in the first column of each row, none of which may be anything else.
    pub(crate) fn texts(
        &self,
        statement: &str,
        parameters: &[Value<'_>],
    ) -> Result<Vec<String>, Fault> {
        self.query(statement, parameters, |_columns, mut found| {
            let mut texts = Vec::new();
            while let Some(row) = found.next()? {
                let value = row.value(0)?;
                let text = value.text();
                texts.push(
                    text.ok_or_else(|| unexpected(statement, value, "text"))?
                        .to_owned(),
                );
            }
            Ok(texts)
        })
    }

    /// Returns the number in the first column of the first row; nothing where there is no row.
    pub(crate) fn number(
        &self,
        statement: &str,
        parameters: &[Value<'_>],
    ) -> Result<Option<i64>, Fault> {
        self.query(statement, parameters, |_columns, mut found| {
            let Some(row) = found.next()? else {
                return Ok(None);
            };
            let value = row.value(0)?;
            let number = value.integer();
            number
                .ok_or_else(|| unexpected(statement, value, "a number"))
                .map(Some)
        })
    }

    /// Returns the time by the clock that is the same for all who use the database: of those on many machines the server's.
    pub(crate) fn now(&self) -> Result<Timestamp, Fault> {
        match &self.0 {
            Engine::Sqlite(_) => Ok(clock::now()),
            Engine::Postgres(_) => {
                let microseconds = self.number(CLOCK, &[])?.unwrap_or_default();
                Ok(Timestamp::from_microsecond(microseconds).unwrap_or_default())
            }
        }
    }

    /// Returns whether processes of other machines may use the database.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.0, Engine::Postgres(_))
    }

    /// Returns that time as it stands in records (RFC 3339, UTC, milliseconds).
    pub(crate) fn now_text(&self) -> Result<String, Fault> {
        self.now().map(clock::text)
    }

    /// Reads several things as they were at one moment, and locks the database once for all of them.
    pub(crate) fn at_one_moment<T>(
        &self,
        ask: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let _moment = connection.unchecked_transaction()?;
                ask()
            }
            Engine::Postgres(session) => session.at_one_moment(ask),
        }
    }

    /// Asks, and lets `read` go through what is found; it is told the names of the columns.
    pub(super) fn query<T>(
        &self,
        statement: &str,
        parameters: &[Value<'_>],
        read: impl FnOnce(&[String], Found<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(statement)?;
                let columns: Vec<String> = statement
                    .column_names()
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
                bind(&mut statement, parameters)?;
                read(&columns, Found::Sqlite(statement.raw_query()))
            }
            Engine::Postgres(session) => {
                let answer = session.query(statement, parameters)?;
                read(&answer.columns, Found::Postgres(answer.rows.iter()))
            }
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Gives a statement its parameters, all of which it must take.
fn bind(statement: &mut Statement<'_>, parameters: &[Value<'_>]) -> Result<(), Fault> {
    let wanted = statement.parameter_count();
    if wanted != parameters.len() {
        return Err(rusqlite::Error::InvalidParameterCount(parameters.len(), wanted).into());
    }
    for (index, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, parameter)?;
    }
    Ok(())
}

/// Says that a column read by itself holds something else, which only a damaged row does.
fn unexpected(statement: &str, found: Value<'_>, wanted: &str) -> Fault {
    let table = statement
        .split_once("FROM ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .unwrap_or("?");
    Damage::of_table(table, format!("{} in place of {wanted}", found.kind())).into()
}
