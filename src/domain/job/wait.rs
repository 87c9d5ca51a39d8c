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
    verdict::CaveatKind,
};
use crate::{
    contract::{Code, JobId},
    domain::run::State,
    system::{Context, clock},
};

/// The longest single question to a host; a connection that dies meanwhile costs no more than this.
const LONGEST_S: u64 = 120;

/// A look that takes less than this, with nothing new, was no waiting: the next one is made after a pause.
const QUICK: Duration = Duration::from_secs(1);

/// The pause before the next look where a host cannot be asked to wait.
const PAUSE: Duration = Duration::from_secs(2);

/// So many looks in a row may find a host without a state of a run that it had reported: another supervisor may be writing it.
const LOOKS_WITHOUT_STATE: u32 = 4;

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
    let mut without_state = 0;
    loop {
        let left = allowed.saturating_sub(since.elapsed());
        let slice = left.as_secs().min(LONGEST_S);
        let (before, asked) = (job.progress.line.clone(), clock::instant());
        let answers = observe::poll_with_progress(context, vec![job], slice, &progress).await?;
        let Some(observed) = answers.into_iter().next() else {
            return Err(Error::NotFound {
                job_id: job_id.clone(),
            });
        };
        if observed.job.state.is_terminal() {
            return Ok(observed);
        }
        // A run that was reported once and whose folder or state is gone will never report its end.
        let was_reported = observed.job.progress.line.is_some();
        without_state = if observed.stateless && was_reported {
            without_state + 1
        } else {
            0
        };
        if observed.missing && was_reported || without_state >= LOOKS_WITHOUT_STATE {
            return Err(Error::folder_missing(&observed.job));
        }
        let unreachable = observed.unreachable.as_ref();
        if unreachable.is_some_and(|why| why.code == Code::RunUnsupported) {
            return Err(Error::unsupported(&observed.job));
        }
        if since.elapsed() >= allowed {
            let known = LastKnown::from(&observed.job);
            return Err(if observed.unreachable.is_some() {
                Error::Unreachable(known)
            } else {
                Error::WaitOver(known)
            });
        }
        let is_idle = observed.job.progress.line == before && asked.elapsed() < QUICK;
        if observed.unreachable.is_some() || slice == 0 || is_idle {
            let pause = allowed.saturating_sub(since.elapsed());
            clock::sleep(pause.min(PAUSE)).await;
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

/// Fails where an ended job does not meet a requirement.
///
/// A fix that is verified with a caveat that blocks is none, unless the caveat is named in `accept`.
pub(crate) fn require(
    job: &Job,
    requirement: Requirement,
    accept: &[CaveatKind],
) -> Result<(), Error> {
    let outcome = job.outcome;
    let caveats: Vec<CaveatKind> = job
        .verification()
        .into_iter()
        .flat_map(|verified| verified.blocking(accept))
        .map(|caveat| caveat.kind)
        .collect();
    let met = match requirement {
        Requirement::Succeeded => {
            job.state == State::Succeeded
                && matches!(outcome, Some(Outcome::Unverified | Outcome::Fixed))
        }
        Requirement::Fixed => outcome == Some(Outcome::Fixed) && caveats.is_empty(),
    };
    if met {
        return Ok(());
    }
    Err(Error::Requirement {
        job_id: job.job_id.clone(),
        required: match requirement {
            Requirement::Succeeded => "succeeded",
            Requirement::Fixed => "fixed",
        }
        .to_owned(),
        state: job.state,
        outcome: outcome.map(|outcome| outcome.name().to_owned()),
        caveats: caveats
            .into_iter()
            .filter(|_| outcome == Some(Outcome::Fixed))
            .map(CaveatKind::name)
            .collect(),
    })
}
