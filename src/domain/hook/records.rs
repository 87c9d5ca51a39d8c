//! Hooks and deliveries in the database: all statements of this noun.

use super::{
    model::{Delivery, Hook},
    table::{self, COLUMNS, DELIVERIES, HOOKS},
};
use crate::{
    contract::Name,
    system::store::{Connection, Fault, Page, Rows},
};

/// Deliveries of each hook that have ended and are kept.
pub(super) const KEPT: u32 = 50;

/// Lists all hooks by name.
pub(super) fn hooks(connection: &Connection<'_>) -> Result<Rows<Hook>, Fault> {
    HOOKS.rows(
        connection,
        "SELECT name, record FROM hooks ORDER BY name",
        &[],
        table::hook,
    )
}

/// Lists hooks by name, behind one.
pub(super) fn list(
    connection: &Connection<'_>,
    after: Option<&str>,
    limit: u32,
) -> Result<Page<Hook>, Fault> {
    let mut values = vec![(i64::from(limit) + 1).into()];
    // Without a bound where there is none, so that a row whose name is damaged is met too.
    let condition = match after {
        Some(after) => {
            values.push(after.into());
            "WHERE name > ?2"
        }
        None => "",
    };
    HOOKS.page(
        connection,
        &format!("SELECT name, record FROM hooks {condition} ORDER BY name LIMIT ?1"),
        &values,
        (limit, &["name"]),
        table::hook,
    )
}

/// Finds a hook.
pub(super) fn hook(connection: &Connection<'_>, name: &Name) -> Result<Option<Hook>, Fault> {
    HOOKS.one(
        connection,
        "SELECT name, record FROM hooks WHERE name = ?1",
        &[name.as_str().into()],
        table::hook,
    )
}

/// Returns whether there is a row for a hook, whatever it holds.
pub(super) fn has_hook(connection: &Connection<'_>, name: &Name) -> Result<bool, Fault> {
    let count = connection.number(
        "SELECT count(*) FROM hooks WHERE name = ?1",
        &[name.as_str().into()],
    )?;
    Ok(count.is_some_and(|count| count > 0))
}

/// Counts the hooks.
pub(super) fn count(connection: &Connection<'_>) -> Result<i64, Fault> {
    Ok(connection
        .number("SELECT count(*) FROM hooks", &[])?
        .unwrap_or(0))
}

/// Writes a new hook.
pub(super) fn insert_hook(connection: &Connection<'_>, hook: &Hook) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO hooks (name, record) VALUES (?1, ?2)",
        &[
            hook.name.as_str().into(),
            (&serde_json::to_string(hook)?).into(),
        ],
    )?;
    Ok(())
}

/// Removes a hook and all that was or is to be delivered to it.
pub(super) fn delete_hook(connection: &Connection<'_>, name: &Name) -> Result<(), Fault> {
    connection.execute(
        "DELETE FROM hook_deliveries WHERE hook = ?1",
        &[name.as_str().into()],
    )?;
    connection.execute("DELETE FROM hooks WHERE name = ?1", &[name.as_str().into()])?;
    Ok(())
}

/// Writes a new delivery under the next number; one with its id stays as it is.
pub(super) fn insert(connection: &Connection<'_>, mut delivery: Delivery) -> Result<(), Fault> {
    let last = connection.number(
        "SELECT coalesce(max(number), 0) FROM hook_deliveries WHERE number < 4000000000000000000",
        &[],
    )?;
    delivery.number = last.unwrap_or(0) + 1;
    connection.execute(
        "INSERT INTO hook_deliveries (number, delivery_id, hook, due_at, record) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (delivery_id) DO NOTHING",
        &[
            delivery.number.into(),
            (&delivery.delivery_id).into(),
            delivery.hook.as_str().into(),
            delivery.due_at.as_ref().into(),
            (&serde_json::to_string(&delivery)?).into(),
        ],
    )?;
    Ok(())
}

/// Writes a delivery over what was there of it, and removes the oldest of its hook that have ended, beyond those that are kept.
pub(super) fn update(connection: &Connection<'_>, delivery: &Delivery) -> Result<(), Fault> {
    connection.execute(
        "UPDATE hook_deliveries SET due_at = ?2, record = ?3 WHERE delivery_id = ?1",
        &[
            (&delivery.delivery_id).into(),
            delivery.due_at.as_ref().into(),
            (&serde_json::to_string(delivery)?).into(),
        ],
    )?;
    if delivery.due_at.is_none() {
        connection.execute(
            "DELETE FROM hook_deliveries WHERE hook = ?1 AND due_at IS NULL AND number < (
                SELECT min(number) FROM (
                    SELECT number FROM hook_deliveries WHERE hook = ?1 AND due_at IS NULL ORDER BY number DESC LIMIT ?2
                ) AS kept
             )",
            &[delivery.hook.as_str().into(), KEPT.into()],
        )?;
    }
    Ok(())
}

/// Finds a delivery by its id.
pub(super) fn find(
    connection: &Connection<'_>,
    delivery_id: &str,
) -> Result<Option<Delivery>, Fault> {
    DELIVERIES.one(
        connection,
        &format!("SELECT {COLUMNS} FROM hook_deliveries WHERE delivery_id = ?1"),
        &[delivery_id.into()],
        table::delivery,
    )
}

/// Lists deliveries that are due, the longest due first.
pub(super) fn due(
    connection: &Connection<'_>,
    now: &str,
    limit: u32,
) -> Result<Rows<Delivery>, Fault> {
    DELIVERIES.rows(
        connection,
        &format!(
            "SELECT {COLUMNS} FROM hook_deliveries WHERE due_at <= ?1 ORDER BY due_at, number LIMIT ?2"
        ),
        &[now.into(), limit.into()],
        table::delivery,
    )
}

/// Returns when the next delivery is due (RFC 3339, UTC).
pub(super) fn next_due(connection: &Connection<'_>) -> Result<Option<String>, Fault> {
    let next = connection.texts(
        "SELECT due_at FROM hook_deliveries WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        &[],
    )?;
    Ok(next.into_iter().next())
}

/// Lists the newest deliveries of a hook, the newest first.
pub(super) fn newest(
    connection: &Connection<'_>,
    hook: &Name,
    limit: u32,
) -> Result<Rows<Delivery>, Fault> {
    DELIVERIES.rows(
        connection,
        &format!(
            "SELECT {COLUMNS} FROM hook_deliveries WHERE hook = ?1 ORDER BY number DESC LIMIT ?2"
        ),
        &[hook.as_str().into(), limit.into()],
        table::delivery,
    )
}

/// Counts the deliveries of a hook that have not ended.
pub(super) fn pending(connection: &Connection<'_>, hook: &Name) -> Result<u64, Fault> {
    let count = connection.number(
        "SELECT count(*) FROM hook_deliveries WHERE hook = ?1 AND due_at IS NOT NULL",
        &[hook.as_str().into()],
    )?;
    Ok(count.unwrap_or(0).unsigned_abs())
}
