//! Which tasks depend on which.

use super::{
    super::{
        id::TaskId,
        model::State,
        table::{self, DEPENDENCIES},
    },
    damage::set_aside,
};
use crate::system::store::{Connection, Fault};

/// Writes what a task depends on in place of what it depended on.
pub(crate) fn replace_dependencies(
    connection: &Connection<'_>,
    task_id: &TaskId,
    others: &[TaskId],
) -> Result<(), Fault> {
    connection.execute(
        "DELETE FROM task_dependencies WHERE task_id = ?1",
        &[task_id.as_str().into()],
    )?;
    for other in others {
        connection.execute(
            "INSERT INTO task_dependencies (task_id, depends_on) VALUES (?1, ?2)",
            &[task_id.as_str().into(), other.as_str().into()],
        )?;
    }
    Ok(())
}

/// Lists what a task depends on, each with its state; none of one that is gone.
pub(crate) fn dependencies(
    connection: &Connection<'_>,
    task_id: &TaskId,
) -> Result<Vec<(TaskId, Option<State>)>, Fault> {
    related(
        connection,
        "SELECT d.task_id, d.depends_on, t.state FROM task_dependencies d LEFT JOIN tasks t ON t.task_id = d.depends_on
         WHERE d.task_id = ?1 ORDER BY coalesce(t.number, 0), d.depends_on LIMIT ?2",
        "depends_on",
        task_id,
        u32::MAX,
    )
}

/// Lists what depends on a task, each with its state.
pub(crate) fn dependents(
    connection: &Connection<'_>,
    task_id: &TaskId,
    limit: u32,
) -> Result<Vec<(TaskId, Option<State>)>, Fault> {
    related(
        connection,
        "SELECT d.task_id, d.depends_on, t.state FROM task_dependencies d LEFT JOIN tasks t ON t.task_id = d.task_id
         WHERE d.depends_on = ?1 ORDER BY d.task_id LIMIT ?2",
        "task_id",
        task_id,
        limit,
    )
}

fn related(
    connection: &Connection<'_>,
    statement: &str,
    column: &str,
    task_id: &TaskId,
    limit: u32,
) -> Result<Vec<(TaskId, Option<State>)>, Fault> {
    let parameters = [task_id.as_str().into(), limit.into()];
    let rows = DEPENDENCIES.rows(connection, statement, &parameters, |row| {
        let other = table::id(row, column)?;
        let state = match row.optional_text("state")? {
            Some(_) => Some(row.word("state")?),
            None => None,
        };
        Ok((other, state))
    })?;
    Ok(set_aside(rows))
}

/// Counts what a task depends on that has not succeeded.
pub(crate) fn unmet(connection: &Connection<'_>, task_id: &TaskId) -> Result<u64, Fault> {
    let count = connection.number(
        "SELECT count(*) FROM task_dependencies d LEFT JOIN tasks t ON t.task_id = d.depends_on
         WHERE d.task_id = ?1 AND (t.state IS NULL OR t.state <> 'succeeded')",
        &[task_id.as_str().into()],
    )?;
    Ok(count.unwrap_or(0).unsigned_abs())
}
