//! The plan of a launch: the request with configuration and defaults filled in. Looks at this machine only.

use super::{
    identity::{self, Identity},
    request::Request,
};
use crate::{
    contract::{JobId, Name, text},
    domain::{
        agent, host,
        investigation::{error::Error, prompt_input::check_message},
        issue,
        job::{self, Author, Job, JobSpec, Limits, Progress},
        repository,
        run::{self, State, Token},
        workspace,
    },
    system::{Context, clock, digest, machine::Machine},
};

/// The longest title of a job, in characters.
const MAX_TITLE: usize = 120;

/// A launch with everything decided that this machine can decide alone.
pub(super) struct Plan {
    pub(super) job_id: JobId,
    pub(super) key: String,
    pub(super) input_digest: String,
    pub(super) spec: JobSpec,
    pub(super) machine: Machine,
    pub(super) agent: agent::Agent,
    /// What the configuration leaves out of the diff.
    pub(super) excludes: Vec<String>,
}

impl Plan {
    /// Fills in configuration and defaults.
    pub(super) fn make(context: &Context, request: &Request) -> Result<Self, Error> {
        if request.issue.is_none() {
            check_message(request.message.as_deref())?;
        }
        let configuration = context.configuration()?;
        let machine = host::resolve(context, request.host.as_ref())?;
        let workspace = workspace::ready(context, &machine.name, &request.repository)?;
        let agent_name = request
            .agent
            .clone()
            .or_else(|| configuration.defaults.agent.clone())
            .unwrap_or_else(|| Name::fixed("claude"));
        let agent = agent::resolve(configuration, agent_name.as_str())?;
        let limits = limits(context, request, &agent)?;
        let model = request.model.clone().or_else(|| agent.model.clone());
        let verify_author = if request.verify.is_some() {
            Author::Caller
        } else {
            Author::Configuration
        };
        let verify = request.verify.clone().or_else(|| workspace.verify.clone());
        let reference = request
            .issue
            .as_deref()
            .map(|text| issue::identity(context, text))
            .transpose()?;
        let input_digest = digest::canonical(&Identity {
            host: &machine.name,
            repository: &request.repository,
            base_commit: &workspace.base_commit,
            agent: &agent_name,
            model: model.as_deref(),
            issue: reference,
            message: request.message.as_deref(),
            verify: verify.as_deref(),
            regression: &request.regression,
            limits: &limits,
        });
        let key = request
            .idempotency_key
            .clone()
            .unwrap_or_else(|| input_digest.clone());
        // Titles and issue references are shown and sent around: no secret of this machine may be in them.
        let redactor = context.redactor();
        let clean = |text: &str| redactor.text(text).into_owned();
        let topic = clean(&identity::topic(request));
        Ok(Self {
            job_id: identity::job_id(&request.repository, &text::strip(&topic), &key),
            key,
            input_digest,
            spec: JobSpec {
                host: machine.name.clone(),
                repository: request.repository.clone(),
                base_commit: workspace.base_commit,
                adapter: agent.adapter,
                agent: agent_name,
                model,
                issue: request.issue.as_deref().map(clean),
                title: text::line(&topic, MAX_TITLE),
                verify,
                verify_author,
                regression: request.regression.clone(),
                issue_repro: None,
                limits,
                seed: workspace.seed,
                environment: workspace.environment,
                prepare: workspace.prepare,
                offers: workspace.offers,
                variables: workspace.variables,
                prompt_sha256: None,
            },
            machine,
            agent,
            excludes: repository::excludes(context, &request.repository)
                .map_err(workspace::Error::from)?,
        })
    }

    /// Finds the job where it was launched before; one that was recorded and perhaps never sent does not count.
    pub(super) fn existing(&self, context: &Context) -> Result<Option<Job>, Error> {
        let Some(job) = job::find_by_key(context, &self.key)? else {
            return Ok(None);
        };
        if job.input_digest != self.input_digest {
            return Err(Error::KeyReused {
                key: self.key.clone(),
                job_id: job.job_id,
            });
        }
        let was_launched = (job.progress.line.is_some()
            || job.state.is_terminal() && !job.was_never_started())
            && !job.can_start_again();
        Ok(was_launched.then_some(job))
    }

    /// Makes the record of the job as it is before anything was sent.
    ///
    /// `token` is the one under which its run will be started; a job that is only shown has none.
    pub(super) fn job(&self, token: Option<Token>) -> Job {
        let now = clock::now_text();
        Job {
            token,
            job_id: self.job_id.clone(),
            idempotency_key: self.key.clone(),
            input_digest: self.input_digest.clone(),
            spec: self.spec.clone(),
            run: run::FIRST,
            runner: run::default_runner().name().to_owned(),
            state: State::Launching,
            outcome: None,
            progress: Progress::default(),
            verifications: Vec::new(),
            verified: Vec::new(),
            created_at: now.clone(),
            updated_at: now,
        }
    }
}

/// Fills in the limits; a default binds only agents that have the limit at all.
fn limits(context: &Context, request: &Request, agent: &agent::Agent) -> Result<Limits, Error> {
    let defaults = &context.configuration()?.defaults;
    let options = agent.options();
    Ok(Limits {
        max_wall_s: request.max_wall_s.unwrap_or_else(|| defaults.max_wall_s()),
        max_idle_s: request.max_idle_s.unwrap_or(0),
        max_turns: request
            .max_turns
            .or(defaults.max_turns.filter(|_| options.max_turns)),
        max_cost_usd: request
            .max_cost_usd
            .or(defaults.max_cost_usd.filter(|_| options.max_cost_usd)),
    })
}
