//! `launch-investigation`: put an agent on a problem.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::JobView;
use crate::{
    contract::{
        Answer, Code, Effects, Failure, Name, Next, Reach, Scope, Scoped, Timeout, Violations,
    },
    domain::{
        investigation::{self, Request},
        issue::IssueRef,
    },
    primitives::Primitive,
    system::Context,
};

/// Puts an agent on an issue, or on a task in words, in a worktree of its own on a host.
///
/// The workspace must be ready (`provision-workspace`). The agent runs under a supervisor that outlives the
/// connection; `poll-job` and `wait-job` say how it stands, `fetch-artifacts` brings what it made, `verify-fix`
/// proves it. The same input again, while the job runs or after it ended, finds that job and starts nothing. For
/// another try at the same problem give another `idempotency_key`. At most three round trips.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The repository, as named in `provision-workspace`.
    pub(crate) repository: Name,
    /// The issue: `owner/name#12`, its address, or a Markdown or JSON file here.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "path"))]
    pub(crate) issue: Option<String>,
    /// What to do, in words; beside an issue it adds to it.
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// The host; the default host where none is named.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// The agent; the default agent where none is named.
    #[serde(default)]
    pub(crate) agent: Option<Name>,
    /// The model, for agents that have a choice.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) model: Option<String>,
    /// A shell command that fails while the problem is there and passes once it is solved, run in the worktree. `verify-fix` judges by it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 65536))]
    pub(crate) verify: Option<String>,
    /// Shell commands under which what passes before must pass with the fix, such as the whole test suite; `verify-fix` compares them
    /// test by test.
    #[serde(default)]
    #[schemars(length(max = 8), inner(length(min = 1, max = 65536)))]
    pub(crate) regression: Vec<String>,
    /// Seconds the agent may run; the default limit where none is given.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub(crate) max_wall_s: Option<u64>,
    /// Seconds the agent may be silent; any number where none is given.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub(crate) max_idle_s: Option<u64>,
    /// Turns the agent may take, for agents that count them.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) max_turns: Option<u32>,
    /// US dollars the agent may spend, as it reckons itself, for agents that do.
    #[serde(default)]
    #[schemars(range(min = 0.01, max = 100_000))]
    pub(crate) max_cost_usd: Option<f64>,
    /// The key under which the same call finds its job; made from the input where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) idempotency_key: Option<String>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<180, 3600>,
}

/// The job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job, as it stands.
    pub(crate) job: JobView,
    /// The key under which the same call finds it.
    pub(crate) idempotency_key: String,
    /// What would be done; only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Plan>,
}

/// What a launch would do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Plan {
    /// The agent's program and arguments; `{job}` and `{worktree}` stand for its folders on the host.
    pub(crate) argv: Vec<String>,
    /// Bytes in the prompt.
    pub(crate) prompt_bytes: u64,
    /// SHA-256 of the prompt.
    pub(crate) prompt_sha256: String,
    /// Parts of the prompt that were left out to keep it below its cap.
    pub(crate) prompt_dropped: Vec<String>,
}

/// Carries the declaration of `launch-investigation`.
pub(crate) struct LaunchInvestigation;

impl Primitive for LaunchInvestigation {
    const NAME: &'static str = "launch-investigation";
    const SUMMARY: &'static str = "Put an agent on a problem";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::IdempotencyKeyReused,
        Code::WorkspaceNotFound,
        Code::WorkspaceNotReady,
        Code::WorktreeFailed,
        Code::AgentUnknown,
        Code::AgentMissing,
        Code::AgentOptionUnsupported,
        Code::SecretUnavailable,
        Code::IssueNotFound,
        Code::IssueInvalid,
        Code::ForgeUnauthenticated,
        Code::ForgeForbidden,
        Code::ForgeRateLimited,
        Code::ForgeUnavailable,
        Code::ForgeUnknown,
        Code::TemplateInvalid,
        Code::PromptTooLarge,
        Code::LaunchFailed,
        Code::EnvironmentFailed,
        Code::PrepareFailed,
        Code::HostFolderUnwritable,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("host", Reach::Host),
        ("issue", Reach::Issue),
        ("message", Reach::Task),
        ("model", Reach::Data),
        ("verify", Reach::Command),
        ("regression", Reach::Command),
        ("idempotency_key", Reach::Data),
    ];
    const SCOPES: &'static [Scoped] = &[Scope::Spend.always(), Scope::RemoteWrite.always()];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |issue: Option<&str>, message: Option<&str>| Input {
            repository: Name::fixed("widgets"),
            issue: issue.map(str::to_owned),
            message: message.map(str::to_owned),
            host: Some(Name::fixed("gpu-box")),
            agent: Some(Name::fixed("claude")),
            model: None,
            verify: Some("python3 -m unittest -q tests.test_cart".to_owned()),
            regression: Vec::new(),
            max_wall_s: Some(3600),
            max_idle_s: None,
            max_turns: None,
            max_cost_usd: None,
            idempotency_key: None,
            dry_run: false,
            timeout_s: Timeout::default(),
        };
        vec![
            example(Some("acme/widgets#12"), None),
            example(
                None,
                Some("The total of an empty cart is None; it must be 0."),
            ),
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        match &input.issue {
            Some(reference) => Violations::found_by(IssueRef::parse(reference)),
            None => Violations::found_by(investigation::check_message(input.message.as_deref())),
        }
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let request = Request {
            host: input.host,
            repository: input.repository,
            agent: input.agent,
            model: input.model,
            issue: input.issue,
            message: input.message,
            verify: input.verify,
            regression: input.regression,
            max_wall_s: input.max_wall_s,
            max_idle_s: input.max_idle_s,
            max_turns: input.max_turns,
            max_cost_usd: input.max_cost_usd,
            idempotency_key: input.idempotency_key,
            dry_run: input.dry_run,
        };
        let launched = investigation::launch(context, &request).await?;
        let plan = input
            .dry_run
            .then_some(launched.prompt)
            .flatten()
            .map(|prompt| Plan {
                argv: launched.argv,
                prompt_bytes: prompt.bytes as u64,
                prompt_sha256: prompt.sha256,
                prompt_dropped: prompt
                    .dropped
                    .iter()
                    .map(|dropped| dropped.part.clone())
                    .collect(),
            });
        let job_id = launched.job.job_id.clone();
        let answer = Answer::new(
            launched.effect,
            Output {
                idempotency_key: launched.job.idempotency_key.clone(),
                job: launched.job.into(),
                plan,
            },
        );
        Ok(if input.dry_run {
            answer
        } else {
            answer.with_next(Next::new(
                "wait-job",
                json!({"job_id": job_id, "wait_s": 600}),
                "wait for its end",
            ))
        })
    }
}
