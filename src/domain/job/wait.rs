//! Waiting for the end of a job, and holding the ended job to a requirement.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    error::{Error, LastKnown},
    model::{Job, Outcome},
    observe,
    observed::Observed,
    records,
    status_line::{self, Watched},
    verdict::Verdict,
};
use crate::{
    contract::JobId,
    domain::run::State,
    system::{Context, clock},
};

/// The longest single question to a host; a connection that dies meanwhile costs no more than this.
const LONGEST_S: u64 = 120;

/// What an ended job must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Requirement {
    /// The agent ended well and changed something.
    Succeeded,
    /// The fix is verified.
    Fixed,
}

/// Waits until a job has ended.
pub(crate) async fn wait(
    context: &Context,
    job_id: &JobId,
    wait_s: u64,
) -> Result<Observed, Error> {
    let since = clock::instant();
    let allowed = Duration::from_secs(wait_s);
    let mut job = records::find(context, job_id)?;
    let progress = context.progress(&status_line::waiting_for([Watched::from(&job)]));
    loop {
        let left = allowed.saturating_sub(since.elapsed());
        let slice = left.as_secs().min(LONGEST_S);
        let answers = observe::poll_with_progress(context, vec![job], slice, &progress).await?;
        let Some(observed) = answers.into_iter().next() else {
            return Err(Error::NotFound {
                job_id: job_id.clone(),
            });
        };
        if observed.job.state.is_terminal() {
            return Ok(observed);
        }
        // A run that was reported once and whose folder is gone will never report its end.
        if observed.missing && observed.job.progress.line.is_some() {
            return Err(Error::folder_missing(&observed.job));
        }
        if since.elapsed() >= allowed {
            let known = LastKnown::from(&observed.job);
            return Err(if observed.unreachable.is_some() {
                Error::Unreachable(known)
            } else {
                Error::WaitOver(known)
            });
        }
        if observed.unreachable.is_some() || slice == 0 {
            let pause = allowed.saturating_sub(since.elapsed());
            clock::sleep(pause.min(Duration::from_secs(2))).await;
        }
        job = records::find(context, job_id)?;
    }
}

/// Returns a job that has ended with its outcome, after asking its host where the record has no end yet.
pub(crate) async fn ended(context: &Context, job: Job) -> Result<Job, Error> {
    let answers = observe::poll(context, vec![job.clone()], 0).await?;
    let observed = answers.into_iter().next();
    let silent = observed
        .as_ref()
        .is_some_and(|observed| observed.unreachable.is_some());
    let job = observed.map_or(job, |observed| observed.job);
    if job.state.is_terminal() && job.outcome.is_some() {
        return Ok(job);
    }
    let known = LastKnown::from(&job);
    Err(if silent || job.state.is_terminal() {
        Error::Unreachable(known)
    } else {
        Error::NotEnded(known)
    })
}

/// Fails where a verification did not find the fix, whatever an earlier one with another check found.
pub(crate) fn require_verdict(job: &Job, verdict: Verdict) -> Result<(), Error> {
    if verdict == Verdict::Fixed {
        return require(job, Requirement::Fixed);
    }
    Err(unmet(job, Requirement::Fixed))
}

/// Fails where an ended job does not meet a requirement.
pub(crate) fn require(job: &Job, requirement: Requirement) -> Result<(), Error> {
    let outcome = job.outcome;
    let met = match requirement {
        Requirement::Succeeded => {
            job.state == State::Succeeded
                && matches!(outcome, Some(Outcome::Unverified | Outcome::Fixed))
        }
        Requirement::Fixed => outcome == Some(Outcome::Fixed),
    };
    if met {
        return Ok(());
    }
    Err(unmet(job, requirement))
}

fn unmet(job: &Job, requirement: Requirement) -> Error {
    Error::Requirement {
        job_id: job.job_id.clone(),
        required: match requirement {
            Requirement::Succeeded => "succeeded",
            Requirement::Fixed => "fixed",
        }
        .to_owned(),
        state: job.state,
        outcome: job.outcome.map(|outcome| outcome.name().to_owned()),
    }
}
