//! The table of registered hosts, and how a row of it is read.

use crate::{
    contract::{Name, configuration::Host},
    system::store::{Fault, Record, Table},
};

/// The hosts that `add-host` registered.
pub(crate) static HOSTS: Table = Table {
    name: "hosts",
    key: &["name"],
    create: include_str!("hosts.sql"),
    check: |row| host(row).map(drop),
};

/// The columns that [`host`] reads.
pub(super) const COLUMNS: &str = "name, settings, added_at";

/// Reads a host.
pub(super) fn host(row: &Record<'_>) -> Result<(Name, Host), Fault> {
    row.time("added_at")?;
    Ok((row.word("name")?, row.json("settings")?))
}
