//! What a host means that refused a launch before anything was started.

use super::plan::Plan;
use crate::{
    contract::Effect,
    domain::{
        investigation::{error::Error, unwritten},
        run, workspace,
    },
    system::Context,
};

/// Makes the error of a refused launch from the step at which the host stopped.
pub(super) fn refusal(context: &Context, plan: &Plan, refusal: run::Refusal) -> Error {
    let host = plan.machine.name.to_string();
    if let Some(error) = unwritten::error(&host, &refusal) {
        return error;
    }
    if refusal.step == "worktree" {
        let path = refusal.unwritten.as_ref();
        let path = path.map_or("worktree", |unwritten| unwritten.path.as_str());
        let failure = workspace::clone_failure(&plan.machine.name, path, &refusal.stdout);
        if let Some(error) = failure {
            return error.into();
        }
    }
    if matches!(refusal.step.as_str(), "environment" | "prepare") {
        let path = format!("{}/jobs/{}/env", plan.machine.root, plan.job_id);
        let (host, repository) = (&plan.machine.name, &plan.spec.repository);
        let failure =
            workspace::environment_failure(context, host, repository, &path, &refusal.stdout);
        if let Some(error) = failure {
            return error.into();
        }
    }
    match refusal.step.as_str() {
        "agent" => Error::AgentMissing {
            agent: plan.spec.agent.to_string(),
            program: plan.agent.program.clone(),
            host,
        },
        "workspace" => workspace::Error::NotFound {
            host: plan.machine.name.clone(),
            repository: plan.spec.repository.clone(),
        }
        .into(),
        "key" => Error::KeyReused {
            key: plan.key.clone(),
            job_id: plan.job_id.clone(),
        },
        _ => Error::Launch {
            job_id: plan.job_id.clone(),
            host,
            step: refusal.step,
            stderr: refusal.stderr,
        },
    }
}

/// Returns what a refused launch leaves on the host: from the step `folder` on, files that the next launch goes on with.
pub(super) fn effect(refusal: &run::Refusal) -> Effect {
    match refusal.step.as_str() {
        "agent" | "workspace" | "key" | "folder" => Effect::None,
        _ => Effect::Partial,
    }
}
