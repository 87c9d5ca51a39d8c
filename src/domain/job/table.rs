//! The tables of jobs and of their events, and how a row of them is read.

use serde_json::Value;

use super::model::{Job, Outcome};
use crate::{
    contract::JobId,
    system::store::{Fault, Record, Table},
};

/// Jobs. The other columns repeat what `record` says, so that jobs can be found by them.
pub(crate) static JOBS: Table = Table {
    name: "jobs",
    key: &["job_id"],
    create: include_str!("jobs.sql"),
    check: |row| {
        let job = job(row)?;
        row.agrees("idempotency_key", &job.idempotency_key)
    },
};

/// What happened to jobs.
pub(crate) static EVENTS: Table = Table {
    name: "events",
    key: &["number"],
    create: include_str!("events.sql"),
    check: |row| event(row).map(drop),
};

/// What can happen to a job.
pub(crate) const EVENT_KINDS: &[&str] = &["recorded", "launched", "state", "outcome", "verified"];

/// By what events of a kind are found.
pub(crate) const EVENTS_BY_KIND: &str = "CREATE INDEX events_by_kind ON events (kind, number);";

/// The columns that [`job`] reads, and the number by which jobs are listed.
pub(super) const JOB_COLUMNS: &str = "number, job_id, idempotency_key, input_digest, host, repository, agent, state, \
    active, outcome, record, created_at, updated_at";

/// The columns that [`event`] reads.
pub(super) const EVENT_COLUMNS: &str = "number, job_id, kind, data, at";

/// Something that happened to a job.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its number, which grows.
    pub(crate) number: i64,
    /// The job.
    pub(crate) job_id: String,
    /// What happened, such as `launched` or `state`.
    pub(crate) kind: String,
    /// Facts about it.
    pub(crate) data: Value,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
}

/// Reads a job, whose columns must say what its record says.
///
/// The key is not compared, because nothing is read off it: a launch finds the row by the column alone.
pub(super) fn job(row: &Record<'_>) -> Result<Job, Fault> {
    let job: Job = row.json("record")?;
    for (column, recorded) in [
        ("job_id", job.job_id.as_str()),
        ("input_digest", &job.input_digest),
        ("host", job.spec.host.as_str()),
        ("repository", job.spec.repository.as_str()),
        ("agent", job.spec.agent.as_str()),
        ("state", job.state.name()),
        ("created_at", &job.created_at),
        ("updated_at", &job.updated_at),
    ] {
        row.agrees(column, recorded)?;
    }
    row.time("created_at")?;
    row.time("updated_at")?;
    if row.flag("active")? == job.state.is_terminal() {
        return Err(row.damaged("active", "it contradicts the state"));
    }
    if row.optional_text("outcome")?.as_deref() != job.outcome.map(Outcome::name) {
        return Err(row.damaged("outcome", "it contradicts the record"));
    }
    Ok(job)
}

/// Reads an event.
pub(super) fn event(row: &Record<'_>) -> Result<Event, Fault> {
    let kind = row.text("kind")?;
    if !EVENT_KINDS.contains(&kind.as_str()) {
        return Err(row.damaged("kind", format!("{kind:?} is no kind of event")));
    }
    Ok(Event {
        number: row.number("number")?,
        job_id: row.word::<JobId>("job_id")?.to_string(),
        kind,
        data: row.json("data")?,
        at: row.time("at")?,
    })
}
