//! `fetch-artifacts`: bring what a job made here.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Timeout, Violations},
    domain::{
        artifact::{self, File, Ignored, State},
        investigation,
    },
    primitives::Primitive,
    system::Context,
};

/// Brings a job's report, worklog, repro, diffs, logs and verifications into a folder here.
///
/// Only files that differ from the copies here travel, at most 256 MiB in one call; the same call again goes on. Each
/// file is written whole or not at all. Links, pipes, folders and devices in the place of files are refused and never
/// followed; names that are no artifact's are listed in `ignored` and left where they are. A job that still runs gives
/// what there is so far, with `ended` false. At most two round trips, one where nothing is new.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// What to bring, such as `report.md`, `repro.*`, `changes.diff`, `agent.log`, `verify/*`; everything where nothing is named.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(crate) include: Vec<String>,
    /// The largest file to bring, in bytes; a larger one is refused.
    #[serde(default = "max_bytes")]
    #[schemars(range(min = 1, max = 268_435_456))]
    pub(crate) max_bytes: u64,
    /// Whether only to say what there is.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<300, 86_400>,
}

const fn max_bytes() -> u64 {
    artifact::MAX_BYTES
}

/// What came.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job.
    pub(crate) job_id: JobId,
    /// The run the files are of.
    pub(crate) run: u32,
    /// The folder here that holds them.
    pub(crate) folder: String,
    /// The files.
    pub(crate) files: Vec<File>,
    /// What else lies in the job's folder on the host, at most 100 of it.
    pub(crate) ignored: Vec<Ignored>,
    /// How much else lies there.
    pub(crate) ignored_total: u64,
    /// Whether the run has ended; if not, the files are those so far.
    pub(crate) ended: bool,
    /// Whether the run has ended and everything that was asked for and exists is here.
    pub(crate) complete: bool,
}

/// Carries the declaration of `fetch-artifacts`.
pub(crate) struct FetchArtifacts;

impl Primitive for FetchArtifacts {
    const NAME: &'static str = "fetch-artifacts";
    const SUMMARY: &'static str = "Bring what a job made here";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::JobFolderMissing,
        Code::ArtifactMissing,
        Code::ArtifactRefused,
        Code::ArtifactChanged,
    ];
    const NEEDS_HOST: bool = true;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |include: &[&str]| Input {
            job_id: JobId::fixed("widgets-12-0123456789ab"),
            include: include.iter().map(|&name| name.to_owned()).collect(),
            max_bytes: max_bytes(),
            dry_run: false,
            timeout_s: Timeout::default(),
        };
        vec![example(&[]), example(&["report.md", "changes.diff"])]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        Violations::found_by(artifact::check_names(&input.include))
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let fetched = investigation::fetch_artifacts(
            context,
            &input.job_id,
            &input.include,
            input.max_bytes,
            input.dry_run,
        )
        .await?;
        let (job, fetched) = (fetched.job, fetched.artifacts);
        let refused = fetched
            .files
            .iter()
            .any(|file| file.state == State::Refused);
        let waiting = input.dry_run
            && fetched
                .files
                .iter()
                .any(|file| file.state == State::Available);
        let output = Output {
            job_id: input.job_id,
            run: job.run,
            folder: fetched.folder.path().display().to_string(),
            ended: fetched.ended,
            complete: fetched.ended && !refused && !waiting,
            files: fetched.files,
            ignored: fetched.ignored,
            ignored_total: fetched.ignored_total,
        };
        let next = Next::new(
            "check-artifacts",
            json!({"job_id": output.job_id}),
            "hold them against what the agent was asked for",
        );
        let answer = Answer::new(fetched.effect, output).with_next(next);
        Ok(if answer.data.ended {
            answer
        } else {
            answer.with_warning("the run has not ended: these are the files so far")
        })
    }
}
