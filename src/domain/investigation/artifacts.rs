//! The artifacts of a job: bringing them here, and comparing them with what the prompt asked for.

use schemars::JsonSchema;
use serde::Serialize;

use super::error::Error;
use crate::{
    contract::JobId,
    domain::{
        artifact::{self, FetchSpec, Fetched, Folder, State, StoredManifest},
        host,
        job::{self, Job},
        prompt::{self, Fault},
        run,
    },
    system::Context,
};

/// A job, and its artifacts here.
#[derive(Clone, Debug)]
pub(crate) struct FetchedJob {
    /// The job.
    pub(crate) job: Job,
    /// The artifacts of its current run.
    pub(crate) artifacts: Fetched,
}

/// Brings the artifacts of a job's current run here.
///
/// A run that has not ended gives what there is so far.
pub(crate) async fn fetch_artifacts(
    context: &Context,
    job_id: &JobId,
    include: &[String],
    max_bytes: u64,
    dry_run: bool,
) -> Result<FetchedJob, Error> {
    let job = job::find(context, job_id)?;
    let artifacts = fetch(context, &job, include, max_bytes, dry_run).await?;
    Ok(FetchedJob { job, artifacts })
}

/// Brings artifacts of a job here that is known already.
pub(super) async fn fetch(
    context: &Context,
    job: &Job,
    include: &[String],
    max_bytes: u64,
    dry_run: bool,
) -> Result<Fetched, Error> {
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let wanted = FetchSpec {
        job_id: &job.job_id,
        run: job.run,
        include,
        max_bytes,
        dry_run,
    };
    let known = job.state.is_terminal();
    let ended = move |line: &str| {
        known || run::parse_state(line).is_ok_and(|status| status.state.is_terminal())
    };
    Ok(artifact::fetch(context, &machine, &wanted, ended).await?)
}

/// What a file that was asked for is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// As it was asked for.
    Present,
    /// Not there.
    Missing,
    /// Without anything in it, headings aside.
    Empty,
    /// Larger than what is taken.
    TooLarge,
    /// Not what was asked for, or no file: `reason` says why.
    Malformed,
}

/// An artifact that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Examined {
    /// What was asked for; a `*` stands for any ending.
    pub(crate) asked: &'static str,
    /// What is there under that name.
    pub(crate) name: Option<String>,
    /// Whether a job without it is incomplete.
    pub(crate) required: bool,
    /// What it is like.
    pub(crate) condition: Condition,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// The copy here.
    pub(crate) path: Option<String>,
    /// Why it is malformed.
    pub(crate) reason: Option<String>,
}

/// The artifacts of a job, each compared with what the prompt asked for.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The run.
    pub(crate) run: u32,
    /// Whether it has ended; the artifacts of one that has not may still come.
    pub(crate) ended: bool,
    /// When the host was last asked for them (RFC 3339, UTC).
    pub(crate) at: String,
    /// What was asked for.
    pub(crate) artifacts: Vec<Examined>,
}

/// Compares the artifacts of a job with what its prompt asked for.
///
/// The copies here are used unless they cannot decide it: not yet fetched, fetched before the run ended, damaged, or `refresh`.
pub(crate) async fn check_artifacts(
    context: &Context,
    job_id: &JobId,
    refresh: bool,
) -> Result<Checked, Error> {
    let job = job::find(context, job_id)?;
    let folder = Folder::of(context, job_id, job.run);
    if !refresh {
        let known = folder
            .manifest()
            .filter(|manifest| manifest.ended || !job.state.is_terminal())
            .and_then(|manifest| examine(&folder, &manifest));
        if let Some(checked) = known {
            return Ok(checked);
        }
    }
    let asked: Vec<String> = prompt::expected_artifacts()
        .iter()
        .map(|artifact| artifact.name.to_owned())
        .collect();
    let fetched = fetch(context, &job, &asked, artifact::MAX_BYTES, false).await?;
    fetched
        .folder
        .manifest()
        .and_then(|manifest| examine(&fetched.folder, &manifest))
        .ok_or_else(|| Error::NoArtifact {
            job_id: job_id.clone(),
            name: "manifest.json".to_owned(),
            reason: "the copy that was just fetched is gone".to_owned(),
        })
}

/// Examines the copies here; nothing where they cannot decide it.
fn examine(folder: &Folder, manifest: &StoredManifest) -> Option<Checked> {
    let artifacts: Option<Vec<Examined>> = prompt::expected_artifacts()
        .iter()
        .map(|asked| examine_one(folder, manifest, asked))
        .collect();
    Some(Checked {
        run: manifest.run,
        ended: manifest.ended,
        at: manifest.at.clone(),
        artifacts: artifacts?,
    })
}

fn examine_one(
    folder: &Folder,
    manifest: &StoredManifest,
    asked: &'static prompt::Artifact,
) -> Option<Examined> {
    let blank = Examined {
        asked: asked.name,
        name: None,
        required: asked.required,
        condition: Condition::Missing,
        size_bytes: 0,
        path: None,
        reason: None,
    };
    let candidates = manifest.files.iter().filter(|file| {
        file.state != State::Missing && prompt::matching_artifact(&file.name) == Some(asked)
    });
    let mut best: Option<Examined> = None;
    for file in candidates {
        let found = Examined {
            name: Some(file.name.clone()),
            size_bytes: file.size_bytes,
            path: file.path.clone(),
            ..blank.clone()
        };
        let examined = match (file.state, &file.sha256) {
            (State::Refused, _) => {
                let condition = match file.reason.as_deref() {
                    Some("too_large") => Condition::TooLarge,
                    Some("too_large_together") => return None,
                    _ => Condition::Malformed,
                };
                Examined {
                    condition,
                    reason: file.reason.clone(),
                    ..found
                }
            }
            (State::Fetched | State::Unchanged, Some(sha256)) => {
                let bytes = folder.read(&file.name, file.size_bytes, sha256)?;
                let (condition, reason) = match asked.fault(&bytes) {
                    None => (Condition::Present, None),
                    Some(Fault::Empty) => (Condition::Empty, None),
                    Some(Fault::TooLarge) => (Condition::TooLarge, None),
                    Some(Fault::Malformed(reason)) => {
                        (Condition::Malformed, Some(reason.to_owned()))
                    }
                };
                Examined {
                    condition,
                    reason,
                    ..found
                }
            }
            _ => return None,
        };
        let better = best
            .as_ref()
            .is_none_or(|best| best.condition != Condition::Present);
        if better {
            best = Some(examined);
        }
    }
    Some(best.unwrap_or(blank))
}
