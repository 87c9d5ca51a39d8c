//! Ending a job, and making sure that its processes are gone.

use super::{error::Error, model::Job, observe, progress::note_status, records};
use crate::{
    contract::{Effect, JobId},
    domain::{host, run, run::State},
    system::{Context, clock, failpoint, files, script::Script},
};

/// A job after it was asked to end.
#[derive(Clone, Debug)]
pub(crate) struct Cancelled {
    /// The job.
    pub(crate) job: Job,
    /// What this call did.
    pub(crate) effect: Effect,
}

/// Ends a job: TERM to all its processes, KILL after `grace_s`, and looks whether they are gone.
///
/// A job that has ended is left as it is.
pub(crate) async fn cancel(
    context: &Context,
    job_id: &JobId,
    grace_s: u64,
    dry_run: bool,
) -> Result<Cancelled, Error> {
    let job = records::find(context, job_id)?;
    if dry_run || job.state.is_terminal() && job.progress.survivors.is_empty() {
        let effect = if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        };
        return Ok(Cancelled { job, effect });
    }
    // A launch of the same job that is under way comes to its end first.
    let locks = context.environment().home().join("locks");
    files::make_private_folder(&locks)?;
    let _lock = files::lock(&locks.join(job_id.as_str())).await?;
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let supervisor = format!(
        "supervise-{}.sh",
        crate::system::digest::sha256(run::SUPERVISOR.as_bytes())
    );
    let script = Script::new(run::CANCEL)
        .argument(job_id.as_str())
        .argument(job.run.to_string())
        .argument(grace_s.to_string())
        .argument(supervisor);
    failpoint::reached("cancel.before");
    context.meter().changing();
    let reply = machine.run(context, script).await?;
    failpoint::reached("cancel.sent");
    let at = clock::now_text();
    let job = match run::parse_answer(&reply.text())? {
        Ok(status) => records::update(context, job_id, |job| note_status(job, &status, at)).await?,
        // Nothing was ever started there, and what was left there keeps it from starting.
        Err(missing) if !missing.claim => {
            records::update(context, job_id, |job| {
                let before = job.state;
                job.state = State::Cancelled;
                job.progress.last_evidence_at = Some(at);
                job.progress.reason = Some("cancelled_before_start".to_owned());
                vec![(
                    "state",
                    serde_json::json!({"from": before, "to": job.state}),
                )]
            })
            .await?
        }
        Err(_claimed) => {
            return Err(Error::NotEnded {
                job_id: job.job_id,
                state: job.state,
                last_evidence_at: Some(at),
            });
        }
    };
    if !job.progress.survivors.is_empty() {
        context.meter().settled(Effect::Partial);
        return Err(Error::Survivors {
            job_id: job.job_id.clone(),
            pids: job.progress.survivors,
        });
    }
    if !job.state.is_terminal() {
        return Err(Error::NotEnded {
            job_id: job.job_id,
            state: job.state,
            last_evidence_at: job.progress.last_evidence_at,
        });
    }
    context.meter().settled(Effect::Applied);
    failpoint::reached("cancel.saved");
    // What the run left behind is looked at once, so that its outcome is known too.
    let seen = observe::poll(context, vec![job.clone()], 0).await?;
    let job = seen.into_iter().next().map_or(job, |observed| observed.job);
    Ok(Cancelled {
        job,
        effect: Effect::Applied,
    })
}
