//! Single tasks, their labels, and the heads of the lanes in which they wait.

use super::{
    super::{
        id::TaskId,
        model::Task,
        table::{self, TASK_COLUMNS, TASKS},
    },
    damage::set_aside,
};
use crate::{
    contract::Name,
    system::store::{Connection, Fault},
};

/// The head of a lane: what decides which of two tasks comes first.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The task.
    pub(crate) task_id: TaskId,
    /// Its priority.
    pub(crate) priority: i64,
    /// Its number.
    pub(crate) number: i64,
}

/// Finds a task by its id.
pub(crate) fn find(connection: &Connection<'_>, task_id: &TaskId) -> Result<Option<Task>, Fault> {
    one(connection, "task_id", task_id.as_str())
}

/// Finds a task by its idempotency key.
pub(crate) fn find_by_key(connection: &Connection<'_>, key: &str) -> Result<Option<Task>, Fault> {
    one(connection, "idempotency_key", key)
}

fn one(connection: &Connection<'_>, column: &str, value: &str) -> Result<Option<Task>, Fault> {
    let statement = format!("SELECT {TASK_COLUMNS} FROM tasks WHERE {column} = ?1");
    TASKS.one(connection, &statement, &[value.into()], table::task)
}

/// Writes a new task and its labels.
pub(crate) fn insert(connection: &Connection<'_>, task: &Task) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO tasks (number, task_id, idempotency_key, state, readiness, lane, priority, due_at, agent, finished_at, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            task.number().into(),
            task.task_id.as_str().into(),
            task.key().into(),
            task.state.name().into(),
            task.readiness.name().into(),
            (&task.lane().text()).into(),
            task.spec.priority.into(),
            task.due_at.as_ref().into(),
            task.spec.agent.as_ref().map(Name::as_str).into(),
            task.finished_at.as_ref().into(),
            (&serde_json::to_string(task)?).into(),
        ],
    )?;
    insert_labels(connection, task)
}

/// Writes a task over what was there of it.
pub(crate) fn update(connection: &Connection<'_>, task: &Task) -> Result<(), Fault> {
    connection.execute(
        "UPDATE tasks SET state = ?2, readiness = ?3, lane = ?4, priority = ?5, due_at = ?6, agent = ?7, finished_at = ?8,
         record = ?9 WHERE task_id = ?1",
        &[
            task.task_id.as_str().into(),
            task.state.name().into(),
            task.readiness.name().into(),
            (&task.lane().text()).into(),
            task.spec.priority.into(),
            task.due_at.as_ref().into(),
            task.spec.agent.as_ref().map(Name::as_str).into(),
            task.finished_at.as_ref().into(),
            (&serde_json::to_string(task)?).into(),
        ],
    )?;
    Ok(())
}

fn insert_labels(connection: &Connection<'_>, task: &Task) -> Result<(), Fault> {
    for label in &task.spec.labels {
        connection.execute(
            "INSERT INTO task_labels (label, number, task_id) VALUES (?1, ?2, ?3)",
            &[
                label.as_str().into(),
                task.number().into(),
                task.task_id.as_str().into(),
            ],
        )?;
    }
    Ok(())
}

/// Writes the labels of a task in place of those that it had.
pub(crate) fn replace_labels(connection: &Connection<'_>, task: &Task) -> Result<(), Fault> {
    connection.execute(
        "DELETE FROM task_labels WHERE task_id = ?1",
        &[task.task_id.as_str().into()],
    )?;
    insert_labels(connection, task)
}

/// Removes a task and all that belongs to it.
pub(crate) fn delete(connection: &Connection<'_>, task_id: &TaskId) -> Result<(), Fault> {
    for table in [
        "task_labels",
        "task_dependencies",
        "task_attempts",
        "task_events",
        "task_checkpoints",
        "tasks",
    ] {
        connection.execute(
            &format!("DELETE FROM {table} WHERE task_id = ?1"),
            &[task_id.as_str().into()],
        )?;
    }
    Ok(())
}

/// Lists the first of the ready tasks of a lane, in their order.
pub(crate) fn heads(
    connection: &Connection<'_>,
    lane: &str,
    limit: u32,
) -> Result<Vec<Head>, Fault> {
    let rows = TASKS.rows(
        connection,
        "SELECT task_id, priority, number FROM tasks WHERE readiness = 'ready' AND lane = ?1
         ORDER BY priority DESC, number LIMIT ?2",
        &[lane.into(), limit.into()],
        |row| {
            Ok(Head {
                task_id: table::id(row, "task_id")?,
                priority: row.number("priority")?,
                number: row.number("number")?,
            })
        },
    )?;
    Ok(set_aside(rows))
}
