//! A row of what a query found, and the rows one after another.

use rusqlite::types::ValueRef;

use super::{Fault, Value, postgres};

/// A row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    /// One of `SQLite`.
    Sqlite(&'a rusqlite::Row<'a>),
    /// One of `PostgreSQL`.
    Postgres(&'a tokio_postgres::Row),
}

/// The rows that a query finds, one after another.
pub(super) enum Found<'a> {
    /// Those of `SQLite`, each read when it is asked for.
    Sqlite(rusqlite::Rows<'a>),
    /// Those of `PostgreSQL`, all of which have come.
    Postgres(std::slice::Iter<'a, tokio_postgres::Row>),
}

impl<'a> Row<'a> {
    /// Returns the value of a column by its number.
    pub(super) fn value(self, index: usize) -> Result<Value<'a>, Fault> {
        match self {
            Self::Sqlite(row) => Ok(of_sqlite(row.get_ref(index)?)),
            Self::Postgres(row) => postgres::value(row, index),
        }
    }
}

impl Found<'_> {
    /// Goes on to the next row; nothing behind the last one.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, Fault> {
        match self {
            Self::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            Self::Postgres(rows) => Ok(rows.next().map(Row::Postgres)),
        }
    }
}

const fn of_sqlite(value: ValueRef<'_>) -> Value<'_> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text),
            Err(_) => Value::Bytes(bytes),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
    }
}
