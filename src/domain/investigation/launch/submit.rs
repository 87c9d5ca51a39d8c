//! Submitting a launch once.

use super::{
    plan::Plan,
    prepare::Prepared,
    refusal,
    request::{Launched, Request},
    start::start,
};
use crate::{
    contract::Effect,
    domain::{
        investigation::{error::Error, unwritten},
        job::{self, Job, Recorded},
        run::{self, Token},
    },
    system::{Context, clock, digest, failpoint},
};

/// Launches an investigation, or finds the one that was launched before.
pub(crate) async fn launch(context: &Context, request: &Request) -> Result<Launched, Error> {
    let mut plan = Plan::make(context, request)?;
    if let Some(job) = plan.existing(context)? {
        return Ok(replay(job));
    }
    let heading = format!("launching {} on {}", plan.job_id, plan.machine.name);
    let progress = context.progress(&format!("{heading}: reading what it is about"));
    let prepared = Prepared::make(context, &plan, request).await?;
    plan.spec.issue_repro = prepared.issue_repro();
    plan.spec.prompt_sha256 = Some(digest::sha256(prepared.prompt.text.as_bytes()));
    if request.dry_run {
        return Ok(Launched {
            job: plan.job(None),
            effect: Effect::None,
            argv: prepared.shown_argv(),
            prompt: Some(prepared.prompt),
        });
    }
    progress.say(&format!(
        "{heading}: waiting for another launch of it to end"
    ));
    // One process of this machine at a time launches a given job; the others wait and then find it launched.
    let _lock = job::launch_lock(context, &plan.job_id).await?;
    if let Some(job) = plan.existing(context)? {
        return Ok(replay(job));
    }
    let job = plan.job(Some(Token::random()?));
    let mut start = start(context, &plan, &prepared, job.run_id()?)?;
    // From here on a call that is cut off has perhaps recorded or started something.
    context.meter().changing();
    let recorded = record(context, &job).await?;
    start.run = recorded.job.run_id()?;
    failpoint::reached("launch.recorded");
    progress.say(&format!(
        "{heading}: making its worktree and starting {}",
        plan.spec.agent
    ));
    let launched = send(context, &plan, &prepared, &start, &recorded).await?;
    failpoint::reached("launch.saved");
    Ok(launched)
}

async fn record(context: &Context, job: &Job) -> Result<Recorded, Error> {
    let recorded = job::insert(context, job).await;
    if recorded.is_err() {
        context.meter().settled(Effect::None);
    }
    Ok(recorded?)
}

fn replay(job: Job) -> Launched {
    Launched {
        job,
        effect: Effect::Replayed,
        prompt: None,
        argv: Vec::new(),
    }
}

async fn send(
    context: &Context,
    plan: &Plan,
    prepared: &Prepared,
    start: &run::Start,
    recorded: &Recorded,
) -> Result<Launched, Error> {
    let job_id = &recorded.job.job_id;
    let runner = run::runner(&recorded.job.runner)?;
    let started = match runner.start(context, &plan.machine, start).await {
        Ok(started) => started,
        Err(error) => {
            // A job that an earlier call recorded may have been sent by that call.
            if error.is_before_sending() {
                if recorded.is_new {
                    job::withdraw(context, job_id).await?;
                }
                context.meter().settled(Effect::None);
            }
            return Err(error.into());
        }
    };
    failpoint::reached("launch.sent");
    let (status, token, found) = match started {
        run::Started::Run {
            status,
            token,
            found,
        } => (status, token, found),
        run::Started::Refused(refused) => {
            job::withdraw(context, job_id).await?;
            context.meter().settled(refusal::effect(&refused));
            return Err(refusal::refusal(context, plan, refused));
        }
        run::Started::Silent(silent) => {
            let host = plan.machine.name.to_string();
            return Err(
                unwritten::error(&host, &silent).unwrap_or_else(|| Error::LaunchSilent {
                    job_id: job_id.clone(),
                    host,
                    stderr: silent.stderr,
                }),
            );
        }
    };
    let job = job::update(context, job_id, |job| {
        // Another controller may have started the same job before: its run is the one there is.
        job.token = Some(token);
        job::note_status(job, &status, clock::now_text())
    })
    .await?;
    // A launch whose answer was lost had its effect then, not now.
    let effect = if found {
        Effect::Replayed
    } else {
        Effect::Applied
    };
    context.meter().settled(effect);
    Ok(Launched {
        job,
        effect,
        prompt: None,
        argv: prepared.shown_argv(),
    })
}
