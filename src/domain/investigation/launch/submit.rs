//! Submitting a launch once.

use super::{
    plan::Plan,
    prepare::Prepared,
    refusal::refusal,
    request::{Launched, Request},
    script::script,
};
use crate::{
    contract::Effect,
    domain::{
        investigation::error::Error,
        job::{self, Job},
        run,
    },
    system::{Context, clock, failpoint, files},
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
    if request.dry_run {
        return Ok(Launched {
            job: plan.job(),
            effect: Effect::None,
            argv: prepared.shown_argv(),
            prompt: Some(prepared.prompt),
        });
    }
    progress.say(&format!(
        "{heading}: waiting for another launch of it to end"
    ));
    // One process of this machine at a time launches a given job; the others wait and then find it launched.
    let locks = context.environment().home().join("locks");
    files::make_private_folder(&locks)?;
    let _lock = files::lock(&locks.join(plan.job_id.as_str())).await?;
    if let Some(job) = plan.existing(context)? {
        return Ok(replay(job));
    }
    let job = job::insert(context, &plan.job()).await?;
    plan.job_id = job.job_id.clone();
    failpoint::reached("launch.recorded");
    progress.say(&format!(
        "{heading}: making its worktree and starting {}",
        plan.spec.agent
    ));
    let launched = send(context, &plan, &prepared, job).await?;
    failpoint::reached("launch.saved");
    Ok(launched)
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
    job: Job,
) -> Result<Launched, Error> {
    let script = script(context, plan, prepared)?;
    context.meter().changing();
    let reply = plan.machine.run(context, script).await?;
    failpoint::reached("launch.sent");
    let answer = reply.text();
    let refused = answer
        .lines()
        .find_map(|line| line.strip_prefix("legwork-refused step="));
    if let Some(step) = refused {
        context.meter().settled(Effect::None);
        return Err(refusal(plan, step, &answer, reply.stderr));
    }
    let Ok(status) = run::parse_answer(&answer)? else {
        return Err(Error::Launch {
            job_id: job.job_id,
            host: plan.machine.name.to_string(),
            step: "supervisor".to_owned(),
            stderr: reply.stderr,
        });
    };
    let job = job::update(context, &job.job_id, |job| {
        job::note_status(job, &status, clock::now_text())
    })
    .await?;
    // A launch whose answer was lost had its effect then, not now.
    let effect = if answer.lines().any(|line| line == "launch-found") {
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
