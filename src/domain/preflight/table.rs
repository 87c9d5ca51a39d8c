//! The table of preflights that passed.

use crate::{contract::Name, system::store::Table};

/// Preflights that passed: a cache.
pub(crate) static PASSES: Table = Table {
    name: "checks",
    key: &["host", "subject"],
    create: include_str!("checks.sql"),
    check: |row| {
        row.word::<Name>("host")?;
        row.text("subject")?;
        // A pass of another version is not read as one, so what it holds may be of another shape.
        row.json::<Vec<serde_json::Value>>("answer")?;
        row.time("at")?;
        row.number("at_epoch").map(drop)
    },
};
