//! What a host that refused a launch before starting anything means by it.

use super::plan::Plan;
use crate::domain::{investigation::error::Error, workspace};

/// Makes the error of a refused launch from the step at which the host's script stopped.
pub(super) fn refusal(plan: &Plan, step: &str, answer: &str, stderr: String) -> Error {
    let host = plan.machine.name.to_string();
    let failed = |stderr: String| Error::Launch {
        job_id: plan.job_id.clone(),
        host: host.clone(),
        step: step.to_owned(),
        stderr,
    };
    match step {
        "agent" => Error::AgentMissing {
            agent: plan.spec.agent.to_string(),
            program: plan.agent.program.clone(),
            host,
        },
        "worktree" => match workspace::worktree_failure(&plan.machine.name, answer) {
            Some(error) => error.into(),
            None => failed(stderr),
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
        _ => failed(stderr),
    }
}
