//! `provision-workspace`: make a repository ready for jobs on a host.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Reach, Timeout, Violations},
    domain::{
        repository,
        workspace::{self, StepState},
    },
    primitives::Primitive,
    system::Context,
};

/// Makes a repository ready for jobs on a host: a mirror, a commit to start from, what environments are made from as its
/// profile asks for (a lock with digests, and all that it names), and a smoke test, step by step.
///
/// Jobs get clones of the mirror. Before it is fetched into, it is put right where its configuration, hooks or refs are not what
/// legwork left, and `warnings` says so; they also name submodules, large files and filters that clones will not hold.
/// Each step is recorded on the host, so that the same call again runs only what is missing, and costs one round
/// trip where nothing is. A step goes on there even when contact is lost; the same call waits for it. The ref is
/// resolved once and then stays: `refresh` looks for new commits. Run `preflight` first where the host is new.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The host; the configured default, or this machine, where none is named.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// The repository's name: its folder on the host, and its entry in the configuration.
    pub(crate) repository: Name,
    /// Where to clone it from, as git on the host understands it; from the configuration where none is given. A name
    /// and token in an https address are used and not stored.
    #[serde(default)]
    #[schemars(
        length(min = 1, max = 2048),
        regex(pattern = r"^[^\u0000-\u001f\u007f-][^\u0000-\u001f\u007f]*$")
    )]
    pub(crate) url: Option<String>,
    /// The branch, tag, full ref name or commit to start from; from the configuration, or the default branch, where
    /// none is given.
    #[serde(default)]
    #[schemars(
        length(min = 1, max = 255),
        regex(pattern = r"^[^\u0000- \u007f-][^\u0000- \u007f]*$")
    )]
    pub(crate) reference: Option<String>,
    /// The profile that makes the environment; from the configuration, or `generic`, where none is given.
    #[serde(default)]
    pub(crate) profile: Option<Name>,
    /// The Python version or interpreter of a `uv` environment, in place of the profile's.
    #[serde(default)]
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^[^\u0000-\u001f\u007f-][^\u0000-\u001f\u007f]*$")
    )]
    pub(crate) python: Option<String>,
    /// The packages of a `uv` environment, in place of the profile's.
    #[serde(default)]
    #[schemars(
        length(max = 500),
        inner(
            length(min = 1, max = 1024),
            regex(pattern = r"^[^\u0000-\u001f\u007f-][^\u0000-\u001f\u007f]*$")
        )
    )]
    pub(crate) packages: Option<Vec<String>>,
    /// Whether to fetch, and to move on to a new commit where the ref has one.
    #[serde(default)]
    pub(crate) refresh: bool,
    /// Whether only to say which steps would run.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the whole call may take. What has begun on the host by then goes on there, for four hours at most.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<1800, 86_400>,
}

/// The workspace as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host.
    pub(crate) host: Name,
    /// The repository.
    pub(crate) repository: Name,
    /// Whether it is ready for jobs; false only in a dry run that found something missing.
    pub(crate) ready: bool,
    /// Where the mirror was cloned from, without secrets.
    pub(crate) url: String,
    /// The ref that was asked for; null for the default branch.
    pub(crate) reference: Option<String>,
    /// The commit that jobs start from; null in a dry run that would still have to find it out.
    pub(crate) base_commit: Option<String>,
    /// The profile.
    pub(crate) profile: Name,
    /// The mirror on the host, from which jobs are cloned. No agent works in it.
    pub(crate) mirror: String,
    /// The clone on the host in which set-up and smoke test are run. No job works in it.
    pub(crate) seed: String,
    /// What the environments of jobs and verifications are made from, on the host; its name holds the digests of its
    /// contents. Null where the profile makes none, and in a dry run that would still have to make it.
    pub(crate) environment: Option<String>,
    /// All steps in order.
    pub(crate) steps: Vec<Step>,
}

/// A step on the way to a workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// Its name: `clone`, `resolve`, `environment`, `install`, `setup`, `prepare` or `smoke`.
    pub(crate) name: &'static str,
    /// How it is with it.
    pub(crate) state: StepState,
    /// Seconds it took when it was done.
    pub(crate) duration_s: Option<u64>,
    /// What it saw.
    pub(crate) evidence: Option<String>,
}

/// Carries the declaration of `provision-workspace`.
pub(crate) struct ProvisionWorkspace;

impl Primitive for ProvisionWorkspace {
    const NAME: &'static str = "provision-workspace";
    const SUMMARY: &'static str = "Make a repository ready for jobs on a host";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::HostFolderUnwritable,
        Code::RepositoryUnknown,
        Code::RepositoryMismatch,
        Code::RefNotFound,
        Code::CloneFailed,
        Code::ProfileUnknown,
        Code::ProvisionStepFailed,
        Code::OperationInProgress,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("host", Reach::Host),
        ("url", Reach::Address),
        ("reference", Reach::Data),
        ("python", Reach::Package),
        ("packages", Reach::Package),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("gpu-box")),
            repository: Name::fixed("gadgets"),
            url: None,
            reference: Some("main".to_owned()),
            profile: Some(Name::fixed("generic")),
            python: None,
            packages: None,
            refresh: false,
            dry_run: false,
            timeout_s: Timeout::of_seconds(600),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        Violations::found_by(repository::check(
            input.url.as_deref(),
            input.reference.as_deref(),
        ))
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let request = workspace::Request {
            host: input.host,
            repository: repository::Spec {
                url: input.url,
                reference: input.reference,
                profile: input.profile,
            },
            python: input.python,
            packages: input.packages,
            refresh: input.refresh,
            dry_run: input.dry_run,
            limit: input.timeout_s.seconds(),
        };
        let outcome = workspace::provision(context, &input.repository, request).await?;
        let ready = outcome.is_ready();
        let at = |folder: String| format!("{}/{folder}", outcome.root);
        let specification = outcome.specification;
        let mirror = at(workspace::mirror(&specification.repository));
        let notes: Vec<String> = outcome
            .reports
            .iter()
            .filter_map(|report| report.notes.clone())
            .collect();
        let output = Output {
            ready,
            mirror,
            seed: at(specification.seed()),
            environment: outcome.environment.map(at),
            base_commit: outcome.base_commit,
            steps: outcome
                .reports
                .into_iter()
                .map(|report| Step {
                    name: report.step.name(),
                    state: report.state,
                    duration_s: report.seconds,
                    evidence: report.evidence,
                })
                .collect(),
            host: outcome.host,
            repository: specification.repository,
            url: specification.url,
            reference: specification.reference,
            profile: specification.profile,
        };
        let next = ready.then(|| {
            Next::new(
                "launch-investigation",
                json!({
                    "host": output.host,
                    "repository": output.repository,
                    "message": "What is wrong, and what should be so instead",
                }),
                "put an agent to work in it",
            )
        });
        let mut answer = Answer::new(outcome.effect, output);
        answer.next.extend(next);
        answer
            .warnings
            .extend(notes.iter().flat_map(|notes| workspace::warnings(notes)));
        Ok(answer)
    }
}
