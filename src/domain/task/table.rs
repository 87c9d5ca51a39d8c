//! The tables of tasks, and how a row of each is read.
//!
//! A record holds everything; the columns beside it repeat what rows are found by, and must agree with it.

use super::{
    id::TaskId,
    ledger::{self, Ledger},
    limit::Limit,
    model::{Attempt, Checkpoint, Event, Series, Task},
};
use crate::{
    contract::Name,
    system::store::{Fault, Record, Table},
};

/// Tasks.
pub(crate) static TASKS: Table = Table {
    name: "tasks",
    key: &["task_id"],
    create: include_str!("tasks.sql"),
    check: |row| task(row).map(drop),
};

/// Which tasks depend on which.
pub(crate) static DEPENDENCIES: Table = Table {
    name: "task_dependencies",
    key: &["task_id", "depends_on"],
    create: include_str!("dependencies.sql"),
    check: |row| {
        id(row, "task_id")?;
        id(row, "depends_on").map(drop)
    },
};

/// The labels of tasks.
pub(crate) static LABELS: Table = Table {
    name: "task_labels",
    key: &["label", "number"],
    create: include_str!("labels.sql"),
    check: |row| {
        row.word::<Name>("label")?;
        let task_id = id(row, "task_id")?;
        number(row, "number", task_id.number())
    },
};

/// The claims of tasks.
pub(crate) static ATTEMPTS: Table = Table {
    name: "task_attempts",
    key: &["task_id", "attempt"],
    create: include_str!("attempts.sql"),
    check: |row| attempt(row).map(drop),
};

/// What happened to tasks.
pub(crate) static EVENTS: Table = Table {
    name: "task_events",
    key: &["task_id", "event"],
    create: include_str!("events.sql"),
    check: |row| event(row).map(drop),
};

/// What holders of tasks saved.
pub(crate) static CHECKPOINTS: Table = Table {
    name: "task_checkpoints",
    key: &["task_id", "checkpoint"],
    create: include_str!("checkpoints.sql"),
    check: |row| checkpoint(row).map(drop),
};

/// The named limits.
pub(crate) static LIMITS: Table = Table {
    name: "queue_limits",
    key: &["name"],
    create: include_str!("limits.sql"),
    check: |row| limit(row).map(drop),
};

/// The counts over all tasks.
pub(crate) static LEDGER: Table = Table {
    name: "queue_ledger",
    key: &["name"],
    create: include_str!("ledger.sql"),
    check: |row| ledger(row).map(drop),
};

/// Tasks that come again, one after another.
pub(crate) static SERIES: Table = Table {
    name: "task_series",
    key: &["series"],
    create: include_str!("series.sql"),
    check: |row| series(row).map(drop),
};

/// All that the queue began with, in the order in which they are made.
pub(crate) static TABLES: &[&Table] = &[
    &TASKS,
    &DEPENDENCIES,
    &LABELS,
    &ATTEMPTS,
    &EVENTS,
    &CHECKPOINTS,
    &LIMITS,
    &LEDGER,
];

/// By what tasks that wait for a person are found.
pub(crate) const BY_APPROVAL: &str = include_str!("by_approval.sql");

/// What orders the events of all tasks.
pub(crate) const EVENTS_IN_ORDER: &str = include_str!("events_in_order.sql");

/// The columns that [`task`] reads.
pub(super) const TASK_COLUMNS: &str = "number, task_id, idempotency_key, state, readiness, lane, priority, due_at, \
    agent, finished_at, record";

/// Reads a task.
pub(super) fn task(row: &Record<'_>) -> Result<Task, Fault> {
    let task: Task = row.json("record")?;
    row.agrees("task_id", task.task_id.as_str())?;
    number(row, "number", task.task_id.number())?;
    number(row, "priority", Some(i64::from(task.spec.priority)))?;
    for (column, recorded) in [
        ("idempotency_key", task.key()),
        ("state", task.state.name()),
        ("readiness", task.readiness.name()),
        ("lane", &task.lane().text()),
    ] {
        row.agrees(column, recorded)?;
    }
    for (column, recorded) in [
        ("due_at", task.due_at.as_deref()),
        ("agent", task.spec.agent.as_ref().map(Name::as_str)),
        ("finished_at", task.finished_at.as_deref()),
    ] {
        if row.optional_text(column)?.as_deref() != recorded {
            return Err(row.damaged(column, "it contradicts the record"));
        }
    }
    if task.lease.is_some() != (task.state == super::model::State::Claimed) {
        return Err(row.damaged("record", "its lease contradicts its state"));
    }
    Ok(task)
}

/// Reads a claim.
pub(super) fn attempt(row: &Record<'_>) -> Result<Attempt, Fault> {
    let attempt: Attempt = row.json("record")?;
    row.agrees("task_id", attempt.task_id.as_str())?;
    row.agrees("claimer", attempt.claimer.as_str())?;
    row.agrees("request_id", attempt.request_id.as_str())?;
    number(row, "attempt", Some(i64::from(attempt.attempt)))?;
    Ok(attempt)
}

/// Numbers from here on were never given.
const NO_NUMBER: i64 = 4_000_000_000_000_000_000;

/// Reads an event.
pub(super) fn event(row: &Record<'_>) -> Result<Event, Fault> {
    let event: Event = row.json("record")?;
    row.agrees("task_id", event.task_id.as_str())?;
    number(row, "event", Some(i64::from(event.event)))?;
    // Events from before they were numbered have neither.
    let numbered = row.optional_number("number")?;
    if numbered.is_some_and(|number| !(1..NO_NUMBER).contains(&number)) {
        return Err(row.damaged("number", "no event has such a number"));
    }
    if let Some(kind) = row.optional_text("kind")?
        && kind != event.kind
    {
        return Err(row.damaged("kind", "it contradicts the record"));
    }
    Ok(event)
}

/// Reads a checkpoint.
pub(super) fn checkpoint(row: &Record<'_>) -> Result<Checkpoint, Fault> {
    let checkpoint: Checkpoint = row.json("record")?;
    row.agrees("task_id", checkpoint.task_id.as_str())?;
    number(row, "checkpoint", Some(i64::from(checkpoint.checkpoint)))?;
    Ok(checkpoint)
}

/// Reads a limit.
pub(super) fn limit(row: &Record<'_>) -> Result<Limit, Fault> {
    let limit: Limit = row.json("record")?;
    row.agrees("name", limit.name.as_str())?;
    Ok(limit)
}

/// Reads a series.
pub(super) fn series(row: &Record<'_>) -> Result<Series, Fault> {
    let series: Series = row.json("record")?;
    row.agrees("series", series.series.as_str())?;
    row.agrees("idempotency_key", &series.idempotency_key)?;
    row.agrees("newest", series.newest.as_str())?;
    id(row, "series")?;
    Ok(series)
}

/// Reads the ledger.
pub(super) fn ledger(row: &Record<'_>) -> Result<Ledger, Fault> {
    row.agrees("name", ledger::NAME)?;
    row.json("record")
}

/// Reads the id of a task.
pub(super) fn id(row: &Record<'_>, column: &str) -> Result<TaskId, Fault> {
    let id: TaskId = row.word(column)?;
    if id.number().is_none() {
        return Err(row.damaged(column, "no task has such an id"));
    }
    Ok(id)
}

fn number(row: &Record<'_>, column: &str, recorded: Option<i64>) -> Result<(), Fault> {
    if Some(row.number(column)?) == recorded {
        Ok(())
    } else {
        Err(row.damaged(column, "it contradicts the record"))
    }
}
