//! The artifacts of a job: bringing them here, and comparing them with what the prompt asked for.

use schemars::JsonSchema;
use serde::Serialize;

use super::error::Error;
use crate::{
    contract::JobId,
    domain::{
        artifact::{self, FetchSpec, Fetched, File, Folder, State},
        host,
        job::{self, Job},
        prompt::{self, Fault},
        run,
    },
    system::{Context, clock},
};

/// A job, and its artifacts here.
#[derive(Clone, Debug)]
pub(crate) struct FetchedJob {
    /// The job.
    pub(crate) job: Job,
    /// The artifacts of its current run.
    pub(crate) artifacts: Fetched,
    /// Secrets that are known here and stand in them, as they are here.
    pub(crate) secrets: Vec<LeakedSecret>,
}

/// A secret of this machine that stands in an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct LeakedSecret {
    /// The file.
    pub(crate) name: String,
    /// Which secret, and how it is written there, for a reader.
    pub(crate) message: String,
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
    let secrets = find_secrets(context, &artifacts);
    Ok(FetchedJob {
        job,
        artifacts,
        secrets,
    })
}

/// Looks for the secrets that are known here in the files that are here: whoever uploads them, publishes those.
fn find_secrets(context: &Context, fetched: &Fetched) -> Vec<LeakedSecret> {
    let leaks = context.redactor().leaks();
    if leaks.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for file in fetched.files.iter().filter(|file| file.path.is_some()) {
        let bytes = file
            .sha256
            .as_deref()
            .and_then(|sha256| fetched.folder.read(&file.name, file.size_bytes, sha256));
        for leak in leaks.find_in_file(&bytes.unwrap_or_default()) {
            found.push(LeakedSecret {
                name: file.name.clone(),
                message: leak.message(),
            });
        }
    }
    found
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
    let control = job.run_id()?.folder();
    let wanted = FetchSpec {
        job_id: &job.job_id,
        run: job.run,
        control: &control,
        include,
        max_bytes,
        dry_run,
    };
    Ok(artifact::fetch(context, &machine, &wanted, has_ended(job)).await?)
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

/// Compares the artifacts of a job with what its prompt asked for. Nothing is written.
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
            .and_then(|manifest| {
                let copy =
                    |file: &File| folder.read(&file.name, file.size_bytes, file.sha256.as_ref()?);
                Some(Checked {
                    artifacts: examine(&manifest.files, copy)?,
                    run: manifest.run,
                    ended: manifest.ended,
                    at: manifest.at,
                })
            });
        if let Some(checked) = known {
            return Ok(checked);
        }
    }
    let asked: Vec<String> = prompt::expected_artifacts()
        .iter()
        .map(|artifact| artifact.name.to_owned())
        .collect();
    let machine = host::resolve(context, Some(&job.spec.host))?;
    let control = job.run_id()?.folder();
    let wanted = FetchSpec {
        job_id: &job.job_id,
        run: job.run,
        control: &control,
        include: &asked,
        max_bytes: artifact::MAX_BYTES,
        dry_run: true,
    };
    let looked = artifact::look(context, &machine, &wanted, has_ended(&job)).await?;
    let copy = |file: &File| match (looked.contents.get(&file.name), &file.sha256) {
        (Some(bytes), _) => Some(bytes.clone()),
        (None, Some(sha256)) => folder.read(&file.name, file.size_bytes, sha256),
        (None, None) => None,
    };
    let artifacts = examine(&looked.files, copy).ok_or_else(|| Error::NoArtifact {
        job_id: job_id.clone(),
        name: "report.md".to_owned(),
        reason: "the copy of a file here went away while it was looked at".to_owned(),
    })?;
    Ok(Checked {
        run: job.run,
        ended: looked.ended,
        at: clock::now_text(),
        artifacts,
    })
}

/// Returns what tells from a state line whether a job's run has ended.
fn has_ended(job: &Job) -> impl Fn(&str) -> bool + Send + use<> {
    let known = job.state.is_terminal();
    move |line: &str| known || run::parse_state(line).is_ok_and(|status| status.state.is_terminal())
}

/// Examines files of which `copy` gives the content; nothing where that cannot decide it.
fn examine(files: &[File], copy: impl Fn(&File) -> Option<Vec<u8>>) -> Option<Vec<Examined>> {
    prompt::expected_artifacts()
        .iter()
        .map(|asked| examine_one(files, &copy, asked))
        .collect()
}

fn examine_one(
    files: &[File],
    copy: &impl Fn(&File) -> Option<Vec<u8>>,
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
    let candidates = files.iter().filter(|file| {
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
        let examined = match file.state {
            State::Refused => {
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
            State::Fetched | State::Unchanged | State::Available => {
                let bytes = copy(file)?;
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
            State::Missing => return None,
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
