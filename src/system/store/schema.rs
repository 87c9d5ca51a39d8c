//! The schema: which steps made it, and which tables there are.

use super::Table;

/// A step in the history of the schema. The number of steps is the version of a database.
#[derive(Debug)]
pub(crate) enum Migration {
    /// New tables.
    Tables(&'static [&'static Table]),
    /// Statements that change tables which are there.
    Statements(&'static str),
}

/// The history of the schema, oldest first. It only grows at its end.
pub(crate) type Schema = &'static [Migration];

/// Returns the version of a database that has taken all steps.
pub(super) fn version_of(schema: Schema) -> i64 {
    i64::try_from(schema.len()).unwrap_or(i64::MAX)
}

/// Iterates over the statements of a step.
pub(super) fn statements(migration: &Migration) -> impl Iterator<Item = &'static str> {
    let (tables, statements): (&[&Table], _) = match migration {
        Migration::Tables(tables) => (*tables, None),
        Migration::Statements(statements) => (&[], Some(*statements)),
    };
    tables.iter().map(|table| table.create).chain(statements)
}

/// Iterates over all tables.
pub(super) fn tables(schema: Schema) -> impl Iterator<Item = &'static Table> {
    schema
        .iter()
        .flat_map(|migration| match migration {
            Migration::Tables(tables) => *tables,
            Migration::Statements(_) => &[],
        })
        .copied()
}
