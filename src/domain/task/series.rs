//! Tasks that come again: each time is a task of its own, and the next is made in the transaction that ends the one before.
//!
//! So at most one task of a series has not ended, whatever is killed. A task covers all times up to the start of its last attempt:
//! where the next time is over when it ends, one task is made at once for all times that were missed.

use jiff::Timestamp;
use serde_json::json;

use super::{
    every::Every,
    id::TaskId,
    model::{Asked, Occurrence, Series, State, Task},
    records,
    spec::TaskSpec,
};
use crate::{
    contract::Name,
    system::{
        clock, digest,
        store::{Connection, Fault},
    },
};

/// Says for when a new task is made, where it comes again: for the first time that is not over and that it may start at.
pub(super) fn first(spec: &mut TaskSpec, task_id: &TaskId, now: Timestamp) -> Option<Occurrence> {
    let every = every_of(spec)?;
    let earliest = spec
        .not_before
        .as_deref()
        .and_then(|text| text.parse().ok());
    let from = earliest.map_or(now, |earliest: Timestamp| earliest.max(now));
    let scheduled = every.first(from).unwrap_or(from);
    if scheduled > now {
        spec.not_before = Some(clock::text(scheduled));
    }
    Some(Occurrence {
        series: task_id.clone(),
        number: 1,
        scheduled_at: clock::text(scheduled),
        followed_by: None,
    })
}

/// Begins the series of a task that was written, where it is the first of one.
pub(super) fn begin(connection: &Connection<'_>, task: &Task) -> Result<(), Fault> {
    match &task.occurrence {
        Some(occurrence) if occurrence.series == task.task_id => {
            records::put_series(connection, &series_of(task, occurrence))
        }
        Some(_) | None => Ok(()),
    }
}

/// Says which task of a series is at hand, where a task that has ended belongs to one that goes on with another.
pub(super) fn goes_on_with(
    connection: &Connection<'_>,
    task: &Task,
) -> Result<Option<TaskId>, Fault> {
    let Some(occurrence) = &task.occurrence else {
        return Ok(None);
    };
    let series = known(connection, task, occurrence)?;
    Ok((!series.is_over && series.newest != task.task_id).then_some(series.newest))
}

/// Lets the series of an ended task go on with that task.
pub(super) fn revive(connection: &Connection<'_>, task: &Task) -> Result<(), Fault> {
    let Some(occurrence) = &task.occurrence else {
        return Ok(());
    };
    let mut series = known(connection, task, occurrence)?;
    series.newest = task.task_id.clone();
    series.is_over = false;
    records::put_series(connection, &series)
}

/// Returns when a task is to come again.
fn every_of(spec: &TaskSpec) -> Option<Every> {
    Every::parse(spec.every.as_deref()?, spec.time_zone.as_deref()).ok()
}

/// Returns the series of a task; where its row is gone or damaged, as far as the task itself knows it.
pub(super) fn known(
    connection: &Connection<'_>,
    task: &Task,
    occurrence: &Occurrence,
) -> Result<Series, Fault> {
    let found = records::series(connection, &occurrence.series);
    match Fault::set_apart(found)? {
        Ok(Some(series)) => return Ok(series),
        Ok(None) => {}
        Err(damage) => tracing::warn!(%damage, "the series is written anew"),
    }
    Ok(series_of(task, occurrence))
}

fn series_of(task: &Task, occurrence: &Occurrence) -> Series {
    Series {
        series: occurrence.series.clone(),
        idempotency_key: task.key().to_owned(),
        content_digest: task.content_digest.clone(),
        newest: task.task_id.clone(),
        is_over: task.state.is_final(),
        occurrences: occurrence.number,
    }
}

/// Finds the next time of a series, or says in one word why there is none.
pub(super) fn next(
    connection: &Connection<'_>,
    (before, after): (&Task, &Task),
    occurrence: &Occurrence,
    now: Timestamp,
) -> Result<Result<Timestamp, &'static str>, Fault> {
    if after.state == State::Cancelled || before.asked == Some(Asked::Cancel) {
        return Ok(Err("cancelled"));
    }
    let Some(every) = every_of(&after.spec) else {
        return Ok(Err("every_cleared"));
    };
    let scheduled: Timestamp = occurrence.scheduled_at.parse().unwrap_or(now);
    // An attempt that cannot be read keeps nobody from ending the task.
    let attempt = records::attempt(connection, &after.task_id, after.attempts);
    let begun = Fault::set_apart(attempt)?.ok().flatten();
    let begun = begun.and_then(|attempt| attempt.claimed_at.parse().ok());
    let covered = begun.map_or(scheduled, |begun: Timestamp| begun.max(scheduled));
    let Some(next) = every.next(scheduled, covered) else {
        return Ok(Err("no_time_left"));
    };
    let deadline = after.spec.deadline.as_deref();
    if deadline.is_some_and(|deadline| deadline <= clock::text(next).as_str()) {
        return Ok(Err("deadline_passed"));
    }
    Ok(Ok(next))
}

/// Makes the task of the next time: as the one before was asked for in the end, and with nothing of what became of that.
pub(super) fn following(
    last: &Task,
    series: &Series,
    task_id: TaskId,
    scheduled: Timestamp,
    now: String,
) -> Task {
    let scheduled_at = clock::text(scheduled);
    let spec = TaskSpec {
        name: None,
        idempotency_key: None,
        depends_on: Vec::<Name>::new(),
        not_before: Some(scheduled_at.clone()),
        ..last.spec.clone()
    };
    // The key of the series stays with its first task and in its own row; each later one has another that nobody gives.
    let content_digest =
        digest::canonical(&json!(["occurrence", series.series, series.occurrences]));
    let occurrence = Occurrence {
        series: series.series.clone(),
        number: series.occurrences,
        scheduled_at,
        followed_by: None,
    };
    let mut task = Task::new(task_id, spec, content_digest, Some(occurrence));
    task.created_at = now;
    task
}
