//! What happened to tasks, and what their holders saved.

use super::super::{
    id::TaskId,
    model::{Checkpoint, Event},
    table::{self, CHECKPOINTS, EVENTS},
};
use crate::system::store::{Connection, Fault, Page, Rows, Value as Sql};

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventFilter {
    /// Only those of this task.
    pub(crate) task_id: Option<TaskId>,
    /// Only those of these kinds; any where empty.
    pub(crate) kinds: Vec<String>,
    /// Only those behind this number.
    pub(crate) after: i64,
    /// At most so many.
    pub(crate) limit: u32,
}

/// Notes an event, under its number among those of all tasks.
pub(crate) fn put_event(
    connection: &Connection<'_>,
    event: &Event,
    number: i64,
) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO task_events (task_id, event, number, kind, record) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            event.task_id.as_str().into(),
            event.event.into(),
            number.into(),
            (&event.kind).into(),
            (&serde_json::to_string(event)?).into(),
        ],
    )?;
    Ok(())
}

/// Lists events of all tasks or of one, oldest first, each with its number; the place of the last one is its number.
pub(crate) fn events_in_order(
    connection: &Connection<'_>,
    filter: &EventFilter,
) -> Result<Page<(i64, Event)>, Fault> {
    let most = i64::from(filter.limit) + 1;
    let mut parameters: Vec<Sql<'_>> = vec![most.into(), filter.after.into()];
    let mut conditions = "number > ?2".to_owned();
    if let Some(task_id) = &filter.task_id {
        parameters.push(task_id.as_str().into());
        conditions += " AND task_id = ?3";
    }
    let looks: Vec<String> = filter
        .kinds
        .iter()
        .map(|kind| {
            parameters.push(kind.into());
            // Each kind by itself, because one look for several would sort all events of any of them.
            format!(
                "SELECT found FROM (SELECT number AS found FROM task_events WHERE {conditions} AND kind = ?{} ORDER BY number LIMIT ?1) AS k",
                parameters.len()
            )
        })
        .collect();
    if !looks.is_empty() {
        conditions = format!("number > ?2 AND number IN ({})", looks.join(" UNION ALL "));
    }
    let statement = format!(
        "SELECT task_id, event, number, kind, record FROM task_events WHERE {conditions} ORDER BY number LIMIT ?1"
    );
    let order = (filter.limit, &["number"][..]);
    EVENTS.page(connection, &statement, &parameters, order, |row| {
        Ok((row.number("number")?, table::event(row)?))
    })
}

/// Lists the newest events of a task, the newest first.
pub(crate) fn events(
    connection: &Connection<'_>,
    task_id: &TaskId,
    limit: u32,
) -> Result<Rows<Event>, Fault> {
    EVENTS.rows(
        connection,
        "SELECT task_id, event, number, kind, record FROM task_events WHERE task_id = ?1 ORDER BY event DESC LIMIT ?2",
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
