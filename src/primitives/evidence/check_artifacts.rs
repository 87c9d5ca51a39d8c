//! `check-artifacts`: whether a job handed in what it was asked for.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Reach, Timeout},
    domain::investigation::{self, Condition, Examined},
    primitives::Primitive,
    system::Context,
};

/// Holds what a job handed in against what the prompt asked for: each file present, missing, empty, too large or
/// malformed.
///
/// The copies here are taken where they can tell; the host is asked where nothing was fetched yet, where the run has ended
/// since, where a copy is damaged, or with `refresh`. What comes then is looked at and not kept: `fetch-artifacts` does that.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// Whether to ask the host in any case.
    #[serde(default)]
    pub(crate) refresh: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<120, 3600>,
}

/// What was handed in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job.
    pub(crate) job_id: JobId,
    /// The run.
    pub(crate) run: u32,
    /// Whether everything that is required is present.
    pub(crate) met: bool,
    /// Whether the run has ended; if not, files may still come.
    pub(crate) ended: bool,
    /// When the host was last asked for the files (RFC 3339, UTC).
    pub(crate) at: String,
    /// What was asked for.
    pub(crate) artifacts: Vec<Artifact>,
}

/// A file that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Artifact {
    /// What was asked for; a `*` stands for any ending.
    pub(crate) asked: String,
    /// What is there under that name.
    pub(crate) name: Option<String>,
    /// Whether a job without it is incomplete.
    pub(crate) required: bool,
    /// What it is like.
    pub(crate) condition: Condition,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// The copy here; null where there is none.
    pub(crate) path: Option<String>,
    /// Why it is malformed.
    pub(crate) reason: Option<String>,
}

/// Carries the declaration of `check-artifacts`.
pub(crate) struct CheckArtifacts;

impl Primitive for CheckArtifacts {
    const NAME: &'static str = "check-artifacts";
    const SUMMARY: &'static str = "Check that a job handed in what it was asked for";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::JobFolderMissing,
        Code::ArtifactMissing,
        Code::ArtifactRefused,
        Code::ArtifactChanged,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[("refresh", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-12-0123456789ab"),
            refresh: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let checked = investigation::check_artifacts(context, &input.job_id, input.refresh).await?;
        let artifacts: Vec<Artifact> = checked.artifacts.into_iter().map(shown).collect();
        let met = artifacts
            .iter()
            .all(|one| !one.required || one.condition == Condition::Present);
        let next = Next::new(
            "verify-fix",
            json!({"job_id": input.job_id}),
            "prove that its diff fixes the problem",
        );
        let answer = Answer::read(Output {
            job_id: input.job_id,
            run: checked.run,
            met,
            ended: checked.ended,
            at: checked.at,
            artifacts,
        });
        Ok(if checked.ended {
            answer.with_next(next)
        } else {
            answer
        })
    }
}

fn shown(examined: Examined) -> Artifact {
    Artifact {
        asked: examined.asked.to_owned(),
        name: examined.name,
        required: examined.required,
        condition: examined.condition,
        size_bytes: examined.size_bytes,
        path: examined.path,
        reason: examined.reason,
    }
}
