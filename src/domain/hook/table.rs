//! The tables of hooks and of what is delivered to them, and how a row of each is read.

use super::model::{Delivery, Hook};
use crate::system::store::{Fault, Record, Table};

/// Hooks.
pub(crate) static HOOKS: Table = Table {
    name: "hooks",
    key: &["name"],
    create: include_str!("hooks.sql"),
    check: |row| hook(row).map(drop),
};

/// What is to be delivered, and what was.
pub(crate) static DELIVERIES: Table = Table {
    name: "hook_deliveries",
    key: &["number"],
    create: include_str!("deliveries.sql"),
    check: |row| delivery(row).map(drop),
};

/// Both of them.
pub(crate) static TABLES: &[&Table] = &[&HOOKS, &DELIVERIES];

/// The columns that [`delivery`] reads.
pub(super) const COLUMNS: &str = "number, delivery_id, hook, due_at, record";

/// Reads a hook.
pub(super) fn hook(row: &Record<'_>) -> Result<Hook, Fault> {
    let hook: Hook = row.json("record")?;
    row.agrees("name", hook.name.as_str())?;
    Ok(hook)
}

/// Reads a delivery.
pub(super) fn delivery(row: &Record<'_>) -> Result<Delivery, Fault> {
    let delivery: Delivery = row.json("record")?;
    row.agrees("delivery_id", &delivery.delivery_id)?;
    row.agrees("hook", delivery.hook.as_str())?;
    if row.optional_text("due_at")?.as_deref() != delivery.due_at.as_deref() {
        return Err(row.damaged("due_at", "it contradicts the record"));
    }
    if row.number("number")? != delivery.number {
        return Err(row.damaged("number", "it contradicts the record"));
    }
    Ok(delivery)
}
