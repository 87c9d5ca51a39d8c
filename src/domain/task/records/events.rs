//! What happened to tasks, and what their holders saved.

use super::super::{
    id::TaskId,
    model::{Checkpoint, Event},
    table::{self, CHECKPOINTS, EVENTS},
};
use crate::system::store::{Connection, Fault, Rows};

/// Notes an event.
pub(crate) fn put_event(connection: &Connection<'_>, event: &Event) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO task_events (task_id, event, record) VALUES (?1, ?2, ?3)",
        &[
            event.task_id.as_str().into(),
            event.event.into(),
            (&serde_json::to_string(event)?).into(),
        ],
    )?;
    Ok(())
}

/// Lists the newest events of a task, the newest first.
pub(crate) fn events(
    connection: &Connection<'_>,
    task_id: &TaskId,
    limit: u32,
) -> Result<Rows<Event>, Fault> {
    EVENTS.rows(
        connection,
        "SELECT task_id, event, record FROM task_events WHERE task_id = ?1 ORDER BY event DESC LIMIT ?2",
        &[task_id.as_str().into(), limit.into()],
        table::event,
    )
}

/// Writes a checkpoint, and removes those of the task before a number.
pub(crate) fn put_checkpoint(
    connection: &Connection<'_>,
    checkpoint: &Checkpoint,
    first_kept: u32,
) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO task_checkpoints (task_id, checkpoint, record) VALUES (?1, ?2, ?3)",
        &[
            checkpoint.task_id.as_str().into(),
            checkpoint.checkpoint.into(),
            (&serde_json::to_string(checkpoint)?).into(),
        ],
    )?;
    connection.execute(
        "DELETE FROM task_checkpoints WHERE task_id = ?1 AND checkpoint < ?2",
        &[checkpoint.task_id.as_str().into(), first_kept.into()],
    )?;
    Ok(())
}

/// Lists the checkpoints of a task, the newest first.
pub(crate) fn checkpoints(
    connection: &Connection<'_>,
    task_id: &TaskId,
    limit: u32,
) -> Result<Rows<Checkpoint>, Fault> {
    CHECKPOINTS.rows(
        connection,
        "SELECT task_id, checkpoint, record FROM task_checkpoints WHERE task_id = ?1 ORDER BY checkpoint DESC LIMIT ?2",
        &[task_id.as_str().into(), limit.into()],
        table::checkpoint,
    )
}
