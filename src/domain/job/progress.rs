//! Writing the answers of a host about a run into the record of its job.
//!
//! An end that is recorded is never taken back by an answer that was under way meanwhile, and an outcome is decided
//! once, from the evidence of the end.

use serde_json::{Value, json};

use super::model::{Job, NEVER_STARTED, Outcome, Progress};
use crate::{
    domain::run::{Beat, Changes, State, Status, Token},
    system::clock,
};

/// Returns whether an answer is worth a write: the state line is new, or the recorded evidence is older than `fresh`.
pub(super) fn differs(job: &Job, status: &Status, fresh: &str) -> bool {
    job.progress.line.as_deref() != Some(status.line.as_str())
        || job.progress.last_evidence_at.as_deref() < Some(fresh)
}

/// Writes a heartbeat into the record.
pub(super) fn note_beat(job: &mut Job, beat: Option<&Beat>) {
    if let Some(beat) = beat {
        job.progress.beat_at = Some(beat.at);
        job.progress.log_bytes = Some(beat.log);
        job.progress.log_at = beat.log_at.map(text);
    }
}

/// Writes a state line into the record; returns the events to note.
pub(crate) fn note_status(
    job: &mut Job,
    status: &Status,
    at: String,
) -> Vec<(&'static str, Value)> {
    if job.was_never_started() {
        job.outcome = None;
    } else if job.state.is_terminal() && !status.state.is_terminal() {
        return Vec::new();
    }
    let before = job.state;
    let first = job.progress.line.is_none();
    job.state = status.state;
    let progress = &mut job.progress;
    progress.line = Some(status.line.clone());
    progress.last_evidence_at = Some(at);
    progress.started_at = status.started.map(text);
    progress.ended_at = status.ended.map(text);
    progress.wall_s = status
        .ended
        .zip(status.started)
        .map(|(ended, started)| ended.saturating_sub(started));
    progress.exit_code = status.exit;
    progress.signal = status.signal;
    progress.reason.clone_from(&status.reason);
    progress.survivors.clone_from(&status.survivors);
    progress.changes = status.changes;
    progress.contained = status.contained;
    progress.diff_notes.clone_from(&status.diff_notes);
    let mut events = Vec::new();
    if first {
        events.push(("launched", json!({"host": job.spec.host, "run": job.run})));
    }
    if before != status.state {
        events.push((
            "state",
            json!({
                "from": before,
                "to": status.state,
                "exit_code": status.exit,
                "reason": status.reason,
            }),
        ));
    }
    events
}

fn text(epoch: u64) -> String {
    clock::text_of_epoch(i64::try_from(epoch).unwrap_or(i64::MAX))
}

/// Ends a job whose launch never reached the host; returns the events to note.
pub(super) fn note_never_started(job: &mut Job) -> Vec<(&'static str, Value)> {
    // The record may have changed since it was read: a host that has answered meanwhile knows better.
    if job.state.is_terminal() || job.progress.line.is_some() {
        return Vec::new();
    }
    let before = job.state;
    job.state = State::Failed;
    job.outcome = Some(Outcome::Failed);
    job.progress.reason = Some(NEVER_STARTED.to_owned());
    vec![(
        "state",
        json!({"from": before, "to": job.state, "reason": NEVER_STARTED}),
    )]
}

/// Takes back the end of a job whose agent was never started, because it is being launched; returns the events to note.
///
/// `token` is for a run that has none yet.
pub(super) fn note_launching(job: &mut Job, token: Option<Token>) -> Vec<(&'static str, Value)> {
    if job.token.is_none() && job.progress.line.is_none() {
        job.token.clone_from(&token);
    }
    let before = job.state;
    if job.can_start_again() {
        // That run never had an agent; the next one has a number and a control folder of its own.
        job.run += 1;
        job.token = token;
        job.progress = Progress::default();
    } else if !job.was_never_started() {
        return Vec::new();
    }
    job.state = State::Launching;
    job.outcome = None;
    job.progress.reason = None;
    vec![("state", json!({"from": before, "to": job.state}))]
}

/// Decides the outcome of a run that has ended and was not verified.
///
/// An agent that exits 0 with an empty diff has not succeeded, and neither has one whose own log reports a failure.
pub(super) fn outcome(job: &Job) -> Outcome {
    let says_no = job
        .progress
        .summary
        .as_ref()
        .is_some_and(|summary| summary.succeeded == Some(false));
    let has_diff = job.progress.diff_bytes.is_some_and(|bytes| bytes > 0);
    match (job.state, job.progress.changes) {
        (State::Succeeded, _) if says_no => Outcome::Failed,
        (State::Succeeded, _) if has_diff => Outcome::Unverified,
        (State::Succeeded, Some(Changes::Ok)) => Outcome::NoEffect,
        _ => Outcome::Failed,
    }
}
