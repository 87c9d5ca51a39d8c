//! `fetch-artifacts`: bring what a job made here.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{
        Answer, Code, Effects, Failure, JobId, Next, Reach, Scope, Scoped, Timeout, Violations,
    },
    domain::{
        artifact::{self, File, Ignored, State},
        investigation::{self, LeakedSecret},
        job::{DiffSource, Job},
        run,
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
    /// What to bring, such as `report.md`, `repro.*`, `changes.diff`, `agent.log`; everything where nothing is named.
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
    /// Secrets of this machine that stand in files that are here, as they are, in base64 or in hexadecimal.
    pub(crate) secrets: Vec<LeakedSecret>,
    /// What was left out of `changes.diff`, and what in it is no text, by kind.
    pub(crate) diff_notes: Vec<run::DiffNote>,
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
    const REACHES: &'static [(&'static str, Reach)] = &[("include", Reach::Data)];
    // Others are only read.
    const SCOPES: &'static [Scoped] = Scope::OF_LOCAL_CHANGES;
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
        let (job, secrets, fetched) = (fetched.job, fetched.secrets, fetched.artifacts);
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
            secrets,
            diff_notes: job.progress.diff_notes.clone(),
        };
        let next = Next::new(
            "check-artifacts",
            json!({"job_id": output.job_id}),
            "hold them against what the agent was asked for",
        );
        let missing: u64 = output
            .diff_notes
            .iter()
            .filter(|note| note.kind.is_work())
            .map(|note| note.count)
            .sum();
        let mut answer = Answer::new(fetched.effect, output).with_next(next);
        if missing > 0 {
            answer.warnings.push(format!(
                "{missing} things that the agent may have changed are not in changes.diff: see diff_notes"
            ));
        }
        if !answer.data.secrets.is_empty() {
            let mut names: Vec<&str> = answer
                .data
                .secrets
                .iter()
                .map(|secret| secret.name.as_str())
                .collect();
            names.dedup();
            let warning = format!(
                "secrets of this machine stand in {}: publish none of them",
                names.join(", ")
            );
            answer.warnings.push(warning);
        }
        answer
            .warnings
            .extend(other_digest(&job, &answer.data.files));
        Ok(if answer.data.ended {
            answer
        } else {
            answer.with_warning("the run has not ended: these are the files so far")
        })
    }
}

/// Says so where the supervisor's diff that came is not the one that was verified.
fn other_digest(job: &Job, files: &[File]) -> Option<String> {
    let name = DiffSource::Supervisor.file();
    let file = files.iter().find(|file| file.name == name)?;
    let found = file.sha256.as_deref()?;
    if job.verification_of(found).is_some() {
        return None;
    }
    let verified = job.verification_of_other(found)?;
    Some(format!(
        "{name} has the SHA-256 {found}, and the verified one {}: the verdict says nothing of this one",
        verified.diff_sha256
    ))
}
