//! The tables of registered hosts and of what was found out about hosts, and how a row of them is read.

use crate::{
    contract::{Name, configuration::Host},
    system::store::{Record, Table},
};

/// The hosts that `add-host` registered.
pub(crate) static HOSTS: Table = Table {
    name: "hosts",
    key: &["name"],
    create: include_str!("hosts.sql"),
    check: |row| host(row).map(drop),
};

/// Preflights that passed: a cache, whose answers the preflight reads.
pub(crate) static CHECKS: Table = Table {
    name: "checks",
    key: &["host", "subject"],
    create: include_str!("checks.sql"),
    check: |row| {
        row.word::<Name>("host")?;
        row.text("subject")?;
        row.json::<Vec<serde_json::Value>>("answer")?;
        row.time("at")?;
        row.number("at_epoch").map(drop)
    },
};

/// The columns that [`host`] reads.
pub(super) const COLUMNS: &str = "name, settings, added_at";

/// Reads a host.
pub(super) fn host(row: &Record<'_, '_>) -> rusqlite::Result<(Name, Host)> {
    row.time("added_at")?;
    Ok((row.word("name")?, row.json("settings")?))
}
