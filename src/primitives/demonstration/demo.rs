//! `demo`: the main job from end to end.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{
        Answer, Code, Effect, Effects, Failure, JobId, Name, Next, Reach, Scope, Scoped, Timeout,
    },
    domain::{
        demonstration::{self, Request, Stage},
        job::Outcome,
    },
    primitives::Primitive,
    system::Context,
};

/// Shows the main job from end to end: makes a small repository with a genuine bug in a temporary folder, provisions it
/// on a host, launches an agent on the bug, waits, fetches its artifacts, verifies the fix and applies it on a branch.
///
/// Without `agent` it takes Claude Code where that is installed and logged in on the host; else a bundled script plays the
/// agent, and `scripted` and a warning say so. The same call again returns what is there; another `name` starts anew.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The host; the default host, which is this machine unless configured otherwise, where none is named.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// The agent; `demo` is the bundled script.
    #[serde(default)]
    pub(crate) agent: Option<Name>,
    /// The demonstration's name, at most 40 characters; another one starts anew.
    #[serde(default = "name")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"))]
    pub(crate) name: String,
    /// Seconds the agent may run.
    #[serde(default = "max_wall_s")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(crate) max_wall_s: u64,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<1800, 172_800>,
}

fn name() -> String {
    "first".to_owned()
}

const fn max_wall_s() -> u64 {
    900
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The stages, as they went, or in a dry run as they would.
    pub(crate) stages: Vec<Stage>,
    /// The job; null in a dry run.
    pub(crate) job_id: Option<JobId>,
    /// The agent that did it; null in a dry run.
    pub(crate) agent: Option<Name>,
    /// Whether the bundled script was the agent, so that no model was asked.
    pub(crate) scripted: bool,
    /// What the evidence says: `fixed`; null in a dry run.
    pub(crate) verdict: Option<Outcome>,
    /// The local checkout.
    pub(crate) checkout: Option<String>,
    /// The branch in it that carries the fix.
    pub(crate) branch: Option<String>,
    /// The commit on that branch.
    pub(crate) commit: Option<String>,
    /// The folder of the fetched artifacts: report, diff, logs.
    pub(crate) results: Option<String>,
    /// The agent's report. Not to be trusted more than the agent.
    pub(crate) report: Option<String>,
}

/// Carries the declaration of `demo`.
pub(crate) struct Demo;

impl Primitive for Demo {
    const NAME: &'static str = "demo";
    const SUMMARY: &'static str = "Show the main job from end to end";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    // What its parts return: see `demo::the_demonstration_declares_what_its_parts_return`.
    const CODES: &'static [Code] = &[
        Code::StepFailed,
        Code::HostFolderUnwritable,
        Code::OperationInProgress,
        Code::RepositoryMismatch,
        Code::CloneFailed,
        Code::RefNotFound,
        Code::ProvisionStepFailed,
        Code::WorkspaceNotFound,
        Code::WorkspaceNotReady,
        Code::WorktreeFailed,
        Code::AgentUnknown,
        Code::AgentMissing,
        Code::AgentOptionUnsupported,
        Code::SecretUnavailable,
        Code::IssueInvalid,
        Code::TemplateInvalid,
        Code::PromptTooLarge,
        Code::LaunchFailed,
        Code::EnvironmentFailed,
        Code::PrepareFailed,
        Code::JobNotFound,
        Code::JobNotEnded,
        Code::JobFolderMissing,
        Code::WaitTimedOut,
        Code::JobUnreachable,
        Code::ArtifactMissing,
        Code::ArtifactRefused,
        Code::ArtifactChanged,
        Code::DiffEmpty,
        Code::DiffInvalid,
        Code::DiffRefused,
        Code::DiffConflict,
        Code::DirtyTree,
        Code::CheckoutInvalid,
        Code::BaseMissing,
        Code::BranchExists,
        Code::BranchMoved,
        Code::GitMissing,
        Code::GitFailed,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] =
        &[("host", Reach::Host), ("name", Reach::Data)];
    const SCOPES: &'static [Scoped] = &[Scope::Spend.always(), Scope::RemoteWrite.always()];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("gpu-box")),
            agent: Some(Name::fixed("demo")),
            name: name(),
            max_wall_s: max_wall_s(),
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        if input.dry_run {
            return Ok(Answer::new(Effect::None, plan()));
        }
        let request = Request {
            host: input.host,
            agent: input.agent,
            name: Name::fixed(&input.name),
            max_wall_s: input.max_wall_s,
        };
        let tour = demonstration::tour(context, &request).await?;
        let job_id = tour.job.job_id.clone();
        let scripted = tour.scripted;
        let answer = Answer::new(
            tour.effect,
            Output {
                stages: tour.stages,
                job_id: Some(tour.job.job_id),
                agent: Some(tour.job.spec.agent),
                scripted,
                verdict: tour.job.outcome,
                checkout: Some(tour.checkout),
                branch: Some(tour.branch),
                commit: Some(tour.commit),
                results: Some(tour.results),
                report: tour.report,
            },
        )
        .with_next(Next::new(
            "tail-log",
            json!({"job_id": job_id}),
            "see what the agent did",
        ));
        Ok(if scripted {
            answer.with_warning(
                "the bundled script played the agent and no model was asked; name one with agent",
            )
        } else {
            answer
        })
    }
}

fn plan() -> Output {
    let stages = [
        (
            "repository",
            "make a small repository with a bug in a temporary folder",
        ),
        ("agent", "choose the agent"),
        ("workspace", "provision the repository on the host"),
        ("launch", "put the agent on the bug"),
        ("wait", "wait for its end"),
        ("fetch", "bring its artifacts here"),
        ("verify", "prove the fix"),
        ("apply", "apply it on a branch"),
    ];
    Output {
        stages: stages
            .map(|(name, message)| Stage {
                name: name.to_owned(),
                message: message.to_owned(),
                duration_ms: 0,
            })
            .to_vec(),
        job_id: None,
        agent: None,
        scripted: false,
        verdict: None,
        checkout: None,
        branch: None,
        commit: None,
        results: None,
        report: None,
    }
}
