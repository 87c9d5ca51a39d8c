//! Everything that a launch sends, made before anything is recorded or sent.

use std::collections::BTreeMap;

use super::{plan::Plan, request::Request};
use crate::{
    domain::{
        agent,
        investigation::{command, error::Error, prompt_input},
        issue,
        job::IssueRepro,
        prompt,
    },
    system::Context,
};

/// What is sent to the host beside the plan.
pub(super) struct Prepared {
    pub(super) prompt: prompt::Prompt,
    pub(super) issue_text: String,
    pub(super) repro: Option<prompt_input::ReproFile>,
    pub(super) argv: Vec<String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) session_id: String,
}

impl Prepared {
    /// Fetches the issue and makes prompt, command line and secrets.
    pub(super) async fn make(
        context: &Context,
        plan: &Plan,
        request: &Request,
    ) -> Result<Self, Error> {
        let issue = match &request.issue {
            Some(reference) => Some(issue::fetch(context, reference, 300).await?),
            None => None,
        };
        let message = request.message.as_deref();
        let input =
            prompt_input::of_job(context, &plan.job_id, &plan.spec, issue.as_ref(), message)?;
        let session_id = agent::session_id(plan.job_id.as_str());
        let argv = plan.agent.argv(&agent::Request {
            prompt_file: &format!("{}/prompt.md", command::JOB),
            model: plan.spec.model.as_deref(),
            max_turns: plan.spec.limits.max_turns,
            max_cost_usd: plan.spec.limits.max_cost_usd,
            worktree: command::WORKTREE,
            job: command::JOB,
            session_id: &session_id,
        })?;
        Ok(Self {
            issue_text: issue
                .as_ref()
                .map_or_else(String::new, |issue| prompt_input::markdown(context, issue)),
            prompt: input.prompt,
            repro: input.repro,
            argv,
            secrets: plan.agent.secret_values(context.environment())?,
            session_id,
        })
    }

    /// Returns the code of the issue as it is put into the job's folder, to be pinned with the job.
    pub(super) fn issue_repro(&self) -> Option<IssueRepro> {
        self.repro.as_ref().map(|repro| IssueRepro {
            file: repro.file.clone(),
            author: repro.author.clone(),
            code: repro.code.clone(),
        })
    }

    /// Returns the command line for a reader, with `{job}` and `{worktree}` in place of the folders.
    pub(super) fn shown_argv(&self) -> Vec<String> {
        self.argv
            .iter()
            .map(|word| word.replace('\0', ""))
            .collect()
    }
}
