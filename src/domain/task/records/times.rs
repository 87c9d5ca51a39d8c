//! Tasks that time changes, and those that ended long ago.

use super::{
    super::{
        model::Task,
        table::{self, TASK_COLUMNS, TASKS},
    },
    damage::set_aside,
};
use crate::system::store::{Connection, Fault};

/// Reads tasks that time alone has changed, the longest due first.
pub(crate) fn due(connection: &Connection<'_>, now: &str, limit: u32) -> Result<Vec<Task>, Fault> {
    let statement =
        format!("SELECT {TASK_COLUMNS} FROM tasks WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");
    let parameters = [now.into(), limit.into()];
    let rows = TASKS.rows(connection, &statement, &parameters, table::task)?;
    Ok(set_aside(rows))
}

/// Lists tasks that somebody holds, in the order of their numbers.
pub(crate) fn claimed(connection: &Connection<'_>, limit: u32) -> Result<Vec<Task>, Fault> {
    let statement = format!(
        "SELECT {TASK_COLUMNS} FROM tasks WHERE state = 'claimed' ORDER BY number LIMIT ?1"
    );
    let rows = TASKS.rows(connection, &statement, &[limit.into()], table::task)?;
    Ok(set_aside(rows))
}

/// Returns when time alone changes something next (RFC 3339, UTC).
pub(crate) fn next_due(connection: &Connection<'_>) -> Result<Option<String>, Fault> {
    let next = connection.texts(
        "SELECT due_at FROM tasks WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        &[],
    )?;
    Ok(next.into_iter().next())
}

/// Lists tasks that ended before a time and that nothing depends on, the longest ended first.
pub(crate) fn collectable(
    connection: &Connection<'_>,
    before: &str,
    limit: u32,
) -> Result<Vec<Task>, Fault> {
    ended(connection, "NOT EXISTS", before, limit)
}

/// Lists tasks that ended before a time and that others depend on, the longest ended first.
pub(crate) fn depended_upon(
    connection: &Connection<'_>,
    before: &str,
    limit: u32,
) -> Result<Vec<Task>, Fault> {
    ended(connection, "EXISTS", before, limit)
}

fn ended(
    connection: &Connection<'_>,
    exists: &str,
    before: &str,
    limit: u32,
) -> Result<Vec<Task>, Fault> {
    let statement = format!(
        "SELECT {TASK_COLUMNS} FROM tasks t WHERE finished_at <= ?1
         AND {exists} (SELECT 1 FROM task_dependencies d WHERE d.depends_on = t.task_id)
         ORDER BY finished_at LIMIT ?2"
    );
    let parameters = [before.into(), limit.into()];
    let rows = TASKS.rows(connection, &statement, &parameters, table::task)?;
    Ok(set_aside(rows))
}
