//! Ending a job, and making sure that its processes are gone.

use serde_json::json;

use super::{
    error::{Error, LastKnown},
    launch_lock,
    model::{Job, Progress},
    observe,
    progress::note_status,
    records,
};
use crate::{
    contract::{Effect, JobId},
    domain::{
        host,
        run::{self, State},
    },
    system::{Context, clock, failpoint},
};

/// A job after it was asked to end.
#[derive(Clone, Debug)]
pub(crate) struct Cancelled {
    /// The job.
    pub(crate) job: Job,
    /// What this call did.
    pub(crate) effect: Effect,
}

/// Returns how a job is, apart from when that was seen.
fn without_evidence(job: &Job) -> Progress {
    Progress {
        last_evidence_at: None,
        ..job.progress.clone()
    }
}

/// Ends a job: TERM to all its processes, KILL after `grace_s`, and a look whether they are gone.
///
/// A job that has ended is left as it is, unless something of it may live on: then its host is asked to end that.
pub(crate) async fn cancel(
    context: &Context,
    job_id: &JobId,
    grace_s: u64,
    dry_run: bool,
) -> Result<Cancelled, Error> {
    let job = records::find(context, job_id)?;
    if dry_run || job.has_certainly_ended() {
        let effect = if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        };
        return Ok(Cancelled { job, effect });
    }
    // A launch of the same job that is under way comes to its end first.
    let _lock = launch_lock::lock(context, job_id).await?;
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let runner = run::runner(&job.runner)?;
    let run_id = job.run_id()?;
    failpoint::reached("cancel.before");
    context.meter().changing();
    let had_ended = job.state.is_terminal() && !job.was_never_started();
    let before = without_evidence(&job);
    let answer = runner.cancel(context, &machine, &run_id, grace_s).await?;
    failpoint::reached("cancel.sent");
    let at = clock::now_text();
    let job = match answer {
        run::Cancelled::Run(status) => {
            records::update(context, job_id, |job| note_status(job, &status, at)).await?
        }
        run::Cancelled::NeverStarted => {
            records::update(context, job_id, |job| {
                let before = job.state;
                job.state = State::Cancelled;
                job.outcome = None;
                job.progress.last_evidence_at = Some(at);
                job.progress.reason = Some("cancelled_before_start".to_owned());
                vec![("state", json!({"from": before, "to": job.state}))]
            })
            .await?
        }
        run::Cancelled::Silent => {
            return Err(Error::NotEnded(LastKnown {
                last_evidence_at: Some(at),
                ..LastKnown::from(&job)
            }));
        }
    };
    if !job.survivors().is_empty() {
        context.meter().settled(Effect::Partial);
        return Err(Error::Survivors {
            job_id: job.job_id.clone(),
            pids: job.survivors().to_vec(),
        });
    }
    if !job.state.is_terminal() {
        return Err(Error::NotEnded(LastKnown::from(&job)));
    }
    let effect = if had_ended && before == without_evidence(&job) {
        Effect::Replayed
    } else {
        Effect::Applied
    };
    context.meter().settled(effect);
    failpoint::reached("cancel.saved");
    // What the run left behind is looked at now, so that its outcome is known too.
    let observed = observe::poll(context, vec![job.clone()], 0).await?;
    let job = observed
        .into_iter()
        .next()
        .map_or(job, |observed| observed.job);
    Ok(Cancelled { job, effect })
}
