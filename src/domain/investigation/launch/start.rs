//! The run that a launch starts: the agent's command, its limits, and the folder of the job that must be there first.

use serde_json::json;

use super::{plan::Plan, prepare::Prepared};
use crate::{
    domain::{
        investigation::{command, error::Error},
        run::{self, RunId},
        workspace,
    },
    system::{Context, digest},
};

/// Seconds between TERM and KILL where a limit ends the agent.
const GRACE_S: u64 = 10;

/// Bytes kept of each of the agent's logs.
const LOG_BYTES: u64 = 64 << 20;

/// Describes the run of a job to its runner.
pub(super) fn start(
    context: &Context,
    plan: &Plan,
    prepared: &Prepared,
    run: RunId,
) -> Result<run::Start, Error> {
    let command = command::script(&command::Program {
        argv: &prepared.argv,
        workspace: &plan.spec.variables,
        agent: &plan.agent.variables,
        path: &plan.machine.path,
        seed: &plan.spec.seed,
    })?;
    Ok(run::Start {
        run,
        limits: run::Limits {
            wall_s: plan.spec.limits.max_wall_s,
            idle_s: plan.spec.limits.max_idle_s,
            grace_s: GRACE_S,
            log_bytes: LOG_BYTES,
        },
        command,
        stdin: prepared.prompt.text.clone(),
        secrets: run::exports(&prepared.secrets)?,
        worktree: Some(run::Worktree {
            folder: "work",
            base: plan.spec.base_commit.clone(),
        }),
        preparation: preparation(context, plan, prepared),
    })
}

fn preparation(context: &Context, plan: &Plan, prepared: &Prepared) -> run::Preparation {
    let mut record = json!({
        "v": 1,
        "job_id": plan.job_id,
        "idempotency_key": plan.key,
        "spec": plan.spec,
        "session_id": prepared.session_id,
    });
    let redactor = context.redactor();
    // The ids and the words of the record stay what they are, whatever the secrets are.
    for free in [
        "/idempotency_key",
        "/spec/model",
        "/spec/verify",
        "/spec/prepare",
        "/spec/offers",
        "/spec/variables",
    ] {
        if let Some(text) = record.pointer_mut(free) {
            redactor.value(text);
        }
    }
    let program = match prepared.argv.first() {
        Some(program) if !program.contains('\0') => program.clone(),
        // A program inside the worktree cannot be looked for before the worktree is there.
        Some(_) | None => "sh".to_owned(),
    };
    let (repro_file, repro) = prepared
        .repro
        .as_ref()
        .map(|repro| (repro.file.clone(), repro.code.clone()))
        .unwrap_or_default();
    run::Preparation {
        script: [
            workspace::clone_script().as_str(),
            workspace::environment_script(plan.spec.prepare.as_deref(), &plan.spec.variables)
                .as_str(),
            include_str!("prepare.sh"),
        ]
        .join("\n"),
        arguments: vec![
            digest::sha256(plan.key.as_bytes()),
            workspace::mirror(&plan.spec.repository),
            plan.spec.base_commit.clone(),
            program,
            repro_file,
            plan.spec.environment.clone().unwrap_or_default(),
        ],
        files: vec![
            format!("{record}\n").into_bytes(),
            prepared.prompt.text.clone().into_bytes(),
            prepared.issue_text.clone().into_bytes(),
            repro.into_bytes(),
            plan.excludes.join("\n").into_bytes(),
        ],
    }
}
