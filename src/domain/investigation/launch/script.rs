//! The one script of a launch: it puts the job's folder in place, starts the run, and reports its state.

use serde_json::json;

use super::{plan::Plan, prepare::Prepared};
use crate::{
    domain::{
        investigation::{command, error::Error},
        run, workspace,
    },
    system::{Context, digest, script::Script},
};

/// Makes the script, for at most one round trip.
pub(super) fn script(context: &Context, plan: &Plan, prepared: &Prepared) -> Result<Script, Error> {
    let supervisor = format!(
        "supervise-{}.sh",
        digest::sha256(run::SUPERVISOR.as_bytes())
    );
    let command = command::script(&command::Program {
        argv: &prepared.argv,
        workspace: &plan.spec.variables,
        agent: &plan.agent.variables,
        path: &plan.machine.path,
        environment: plan.spec.environment.as_deref(),
        seed: &plan.spec.seed,
    })?;
    let spec = run::Spec {
        job: plan.job_id.clone(),
        run: 1,
        wall_s: plan.spec.limits.max_wall_s,
        idle_s: plan.spec.limits.max_idle_s,
        grace_s: 10,
        log_cap: 64 << 20,
        beat_s: 5,
        cwd: "/".to_owned(),
        changes: None,
    }
    .render()?;
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
    let (repro_name, repro) = prepared
        .repro
        .as_ref()
        .map(|repro| (repro.file.clone(), repro.code.clone()))
        .unwrap_or_default();
    let body = [
        workspace::worktree_script().as_str(),
        include_str!("launch.sh"),
        run::START,
    ]
    .join("\n");
    let has_secrets = if prepared.secrets.is_empty() {
        "no"
    } else {
        "yes"
    };
    Ok(Script::new(body)
        .argument(plan.job_id.as_str())
        .argument(digest::sha256(plan.key.as_bytes()))
        .argument(&plan.spec.seed)
        .argument(&plan.spec.base_commit)
        .argument(supervisor)
        .argument(program)
        .argument(has_secrets)
        .argument(repro_name)
        .payload(run::SUPERVISOR)
        .payload(format!("{record}\n"))
        .payload(prepared.prompt.text.as_str())
        .payload(spec)
        .payload(command)
        .payload(command::exports(&prepared.secrets)?)
        .payload(prepared.issue_text.as_str())
        .payload(repro))
}
