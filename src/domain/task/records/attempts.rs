//! The claims of tasks.

use super::{
    super::{
        id::TaskId,
        model::Attempt,
        table::{self, ATTEMPTS},
    },
    damage::set_aside,
};
use crate::{
    contract::Name,
    system::store::{Connection, Fault, Rows},
};

/// Finds an attempt.
pub(crate) fn attempt(
    connection: &Connection<'_>,
    task_id: &TaskId,
    attempt: u32,
) -> Result<Option<Attempt>, Fault> {
    ATTEMPTS.one(
        connection,
        "SELECT task_id, attempt, claimer, request_id, record FROM task_attempts WHERE task_id = ?1 AND attempt = ?2",
        &[task_id.as_str().into(), attempt.into()],
        table::attempt,
    )
}

/// Lists the attempts that one call made.
pub(crate) fn attempts_of_request(
    connection: &Connection<'_>,
    claimer: &Name,
    request_id: &Name,
) -> Result<Vec<Attempt>, Fault> {
    let rows = ATTEMPTS.rows(
        connection,
        "SELECT task_id, attempt, claimer, request_id, record FROM task_attempts
         WHERE claimer = ?1 AND request_id = ?2",
        &[claimer.as_str().into(), request_id.as_str().into()],
        table::attempt,
    )?;
    Ok(set_aside(rows))
}

/// Lists the newest attempts of a task, the newest first.
pub(crate) fn attempts(
    connection: &Connection<'_>,
    task_id: &TaskId,
    limit: u32,
) -> Result<Rows<Attempt>, Fault> {
    ATTEMPTS.rows(
        connection,
        "SELECT task_id, attempt, claimer, request_id, record FROM task_attempts WHERE task_id = ?1
         ORDER BY attempt DESC LIMIT ?2",
        &[task_id.as_str().into(), limit.into()],
        table::attempt,
    )
}

/// Writes an attempt, new or over what was there of it.
pub(crate) fn put_attempt(connection: &Connection<'_>, attempt: &Attempt) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO task_attempts (task_id, attempt, claimer, request_id, record) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (task_id, attempt) DO UPDATE SET record = excluded.record",
        &[
            attempt.task_id.as_str().into(),
            attempt.attempt.into(),
            attempt.claimer.as_str().into(),
            attempt.request_id.as_str().into(),
            (&serde_json::to_string(attempt)?).into(),
        ],
    )?;
    Ok(())
}
