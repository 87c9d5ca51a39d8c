//! `check-workspace`: whether a workspace is still whole on its host.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Reach, Timeout},
    domain::workspace::{self, Status},
    primitives::Primitive,
    system::Context,
};

/// Looks on the host at every fact a workspace stands on, in one round trip, and changes nothing.
///
/// A fact that is wrong is data, not a failure of the call: read `ready` and `checks`. `provision-workspace` makes
/// what is missing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The host; the configured default, or this machine, where none is named.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// The repository.
    pub(crate) repository: Name,
    /// Whether to run the profile's smoke test too, which may take a while.
    #[serde(default)]
    pub(crate) smoke: bool,
    /// Seconds the whole call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<120, 86_400>,
}

/// What the look showed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host.
    pub(crate) host: Name,
    /// The repository.
    pub(crate) repository: Name,
    /// Whether it was provisioned to the end and nothing that was looked at fails or is unknown.
    pub(crate) ready: bool,
    /// The first step that was missing when it was last provisioned; null where none was.
    pub(crate) missing_step: Option<String>,
    /// Each fact.
    pub(crate) checks: Vec<Check>,
    /// Bytes that the mirror, the repository's folder and the environment take; null where that could not be measured.
    pub(crate) used_bytes: Option<u64>,
    /// Bytes that are free beside them; null where that could not be measured.
    pub(crate) free_bytes: Option<u64>,
    /// Clones of jobs that borrow from the mirror; null where they could not be counted.
    pub(crate) clones: Option<u64>,
}

/// A fact about a workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Check {
    /// Its name: `mirror`, `remote`, `base_commit`, `submodules`, `lfs`, `filters`, `seed`, `clean`, `environment` (what environments
    /// are made from, compared file by file with what was recorded), `packages` (those of the seed's own environment), `smoke` or `disk`.
    pub(crate) name: String,
    /// What the look showed.
    pub(crate) status: Status,
    /// What was observed.
    pub(crate) evidence: String,
}

/// Carries the declaration of `check-workspace`.
pub(crate) struct CheckWorkspace;

impl Primitive for CheckWorkspace {
    const NAME: &'static str = "check-workspace";
    const SUMMARY: &'static str = "Check that a workspace is still whole on its host";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[Code::WorkspaceNotFound];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] =
        &[("host", Reach::Host), ("smoke", Reach::Switch)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("gpu-box")),
            repository: Name::fixed("widgets"),
            smoke: false,
            timeout_s: Timeout::of_seconds(60),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let checked = workspace::check(
            context,
            input.host.as_ref(),
            &input.repository,
            input.smoke,
            input.timeout_s.seconds(),
        )
        .await?;
        // How much it takes is worth knowing and no condition.
        let sound = checked.facts.iter().all(|fact| {
            fact.name == "disk" || !matches!(fact.status, Status::Fail | Status::Unknown)
        });
        let output = Output {
            ready: sound && checked.missing.is_none(),
            missing_step: checked.missing,
            checks: checked
                .facts
                .into_iter()
                .map(|fact| Check {
                    name: fact.name,
                    status: fact.status,
                    evidence: fact.evidence,
                })
                .collect(),
            used_bytes: checked.used_bytes,
            free_bytes: checked.free_bytes,
            clones: checked.clones,
            host: checked.host,
            repository: input.repository,
        };
        let next = (!output.ready).then(|| {
            Next::new(
                "provision-workspace",
                checked.completing_input,
                "make what is missing",
            )
        });
        let mut answer = Answer::read(output);
        answer.next.extend(next);
        Ok(answer)
    }
}
