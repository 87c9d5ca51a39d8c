//! What in the database cannot be read: named, so that a person finds it and the rest stays usable.

use std::fmt;

/// A row, or a whole table, that is not as legwork writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The table.
    pub(crate) table: String,
    /// Which row, by its key; nothing where the table itself is wrong.
    pub(crate) row: Option<String>,
    /// What is wrong, the column first where it is one.
    pub(crate) reason: String,
}

impl Damage {
    /// Says that a table itself is wrong.
    pub(super) fn of_table(table: &str, reason: impl Into<String>) -> Self {
        Self {
            table: table.to_owned(),
            row: None,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, reason } = self;
        match row {
            Some(row) => write!(
                formatter,
                "the row {row:?} of the table {table} cannot be read: {reason}"
            ),
            None => write!(formatter, "the table {table} is damaged: {reason}"),
        }
    }
}

impl std::error::Error for Damage {}
