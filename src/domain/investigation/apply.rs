//! Applying a diff, of a job or in a file, to a branch of a checkout here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{artifacts, error::Error};
use crate::{
    contract::JobId,
    domain::{
        artifact::{self, Folder, State},
        job::{self, Job},
        patch::{self, Rule},
        run::Changes,
    },
    system::{Context, digest, files},
};

/// Which diff of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiffSource {
    /// The one that the supervisor made of the worktree.
    #[default]
    Supervisor,
    /// The one that the agent wrote itself, `fix.diff`.
    Agent,
}

impl DiffSource {
    const fn file(self) -> &'static str {
        match self {
            Self::Supervisor => "changes.diff",
            Self::Agent => "fix.diff",
        }
    }
}

/// Where a diff comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A job.
    Job {
        /// The job.
        job_id: JobId,
        /// Which of its diffs.
        source: DiffSource,
    },
    /// A file here.
    File {
        /// Its path.
        path: String,
        /// The commit it was made on, where that is known.
        base: Option<String>,
    },
}

/// A diff to apply, and how.
#[derive(Clone, Debug)]
pub(crate) struct ApplyRequest {
    /// Where the diff comes from.
    pub(crate) origin: Origin,
    /// A folder of the checkout.
    pub(crate) checkout: String,
    /// The branch; made from the job or the diff where none is given.
    pub(crate) branch: Option<String>,
    /// The revision to put it on.
    pub(crate) onto: Option<String>,
    /// Whether to merge where it was made on another commit.
    pub(crate) three_way: bool,
    /// The commit's message; made from the job where none is given.
    pub(crate) message: Option<String>,
    /// The commit's author.
    pub(crate) author: Option<patch::Identity>,
    /// The rules that the diff may break.
    pub(crate) allow: Vec<Rule>,
    /// Whether uncommitted changes in the checkout do not matter.
    pub(crate) allow_dirty: bool,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
}

impl ApplyRequest {
    /// Asks to apply a diff to a checkout, everything else by default.
    pub(crate) const fn new(origin: Origin, checkout: String) -> Self {
        Self {
            origin,
            checkout,
            branch: None,
            onto: None,
            three_way: false,
            message: None,
            author: None,
            allow: Vec::new(),
            allow_dirty: false,
            dry_run: false,
        }
    }
}

/// A diff that was applied.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    /// What was done.
    pub(crate) outcome: patch::Outcome,
    /// The job, where the diff is one's.
    pub(crate) job: Option<Job>,
    /// SHA-256 of the diff.
    pub(crate) sha256: String,
    /// Its size.
    pub(crate) bytes: usize,
}

/// A diff, with what a commit of it needs.
struct Diff {
    bytes: Vec<u8>,
    base: Option<String>,
    branch: String,
    message: String,
    job: Option<Job>,
}

/// Makes a branch with a diff on it.
pub(crate) async fn apply(context: &Context, request: &ApplyRequest) -> Result<Applied, Error> {
    let diff = match &request.origin {
        Origin::Job { job_id, source } => of_job(context, job_id, *source).await?,
        Origin::File { path, base } => of_file(context, path, base.as_ref())?,
    };
    let sha256 = digest::sha256(&diff.bytes);
    let message = request.message.clone().unwrap_or(diff.message);
    let request = patch::Request {
        checkout: context.environment().path(&request.checkout),
        base: diff.base,
        onto: request.onto.clone(),
        branch: request.branch.clone().unwrap_or(diff.branch),
        three_way: request.three_way,
        message: context.redactor().text(&message).into_owned(),
        author: request.author.clone(),
        dry_run: request.dry_run,
        allow_dirty: request.allow_dirty,
        allow: request.allow.clone(),
        diff: diff.bytes,
    };
    let outcome = patch::apply(context.meter(), &request).await?;
    Ok(Applied {
        outcome,
        job: diff.job,
        sha256,
        bytes: request.diff.len(),
    })
}

fn of_file(context: &Context, path: &str, base: Option<&String>) -> Result<Diff, Error> {
    let place = context.environment().path(path);
    let limit = u64::try_from(patch::MAX_BYTES).unwrap_or(u64::MAX);
    let bytes = files::read_regular(&place, limit).map_err(|error| patch::Error::File {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let sha256 = digest::sha256(&bytes);
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(Diff {
        branch: format!("legwork/{}", &sha256[..12]),
        message: format!("Apply {name}"),
        base: base.cloned(),
        job: None,
        bytes,
    })
}

/// Gets the diff of a job's current run, which must have ended.
///
/// The copy here is used where it was fetched after the end and is whole; else the host is asked.
async fn of_job(context: &Context, job_id: &JobId, source: DiffSource) -> Result<Diff, Error> {
    let job = job::ended(context, job::find(context, job_id)?).await?;
    let missing = |reason: String| Error::NoArtifact {
        job_id: job_id.clone(),
        name: source.file().to_owned(),
        reason,
    };
    if source == DiffSource::Supervisor {
        if job.progress.changes == Some(Changes::Failed) {
            let reason = "the changes could not be recorded: see changes.err";
            return Err(missing(reason.to_owned()));
        }
        if job.progress.diff_bytes == Some(0) {
            return Err(Error::NoDiff {
                job_id: job_id.clone(),
            });
        }
    }
    let folder = Folder::of(context, job_id, job.run);
    let bytes = match copy_here(&folder, source) {
        Some(bytes) => bytes,
        None => fetched(context, &job, &folder, source).await?,
    };
    let recorded = job
        .progress
        .diff_bytes
        .filter(|_| source == DiffSource::Supervisor);
    if recorded.is_some_and(|size| size != bytes.len() as u64) {
        return Err(missing(format!(
            "it has {} bytes, and the supervisor recorded {}",
            bytes.len(),
            job.progress.diff_bytes.unwrap_or_default()
        )));
    }
    if bytes.is_empty() {
        return Err(Error::NoDiff {
            job_id: job_id.clone(),
        });
    }
    let title = title(&folder).unwrap_or_else(|| job.spec.title.clone());
    Ok(Diff {
        base: Some(job.spec.base_commit.clone()),
        branch: format!("legwork/{job_id}"),
        message: format!("{title}\n\nLegwork-Job: {job_id}\n"),
        job: Some(job),
        bytes,
    })
}

/// Returns the copy of a diff here, where it was fetched after the end of the run and is whole.
fn copy_here(folder: &Folder, source: DiffSource) -> Option<Vec<u8>> {
    let manifest = folder.manifest().filter(|manifest| manifest.ended)?;
    let file = manifest.file(source.file())?;
    folder.read(&file.name, file.size_bytes, file.sha256.as_deref()?)
}

/// Brings a diff here, and with it the agent's title for the change.
async fn fetched(
    context: &Context,
    job: &Job,
    folder: &Folder,
    source: DiffSource,
) -> Result<Vec<u8>, Error> {
    let names = [source.file().to_owned(), "pr_title.txt".to_owned()];
    let fetched = artifacts::fetch(context, job, &names, artifact::MAX_BYTES, false).await?;
    let file = fetched.files.iter().find(|file| file.name == source.file());
    let reason = match file {
        Some(file) if file.state == State::Refused => {
            format!(
                "it is refused: {}",
                file.reason.as_deref().unwrap_or("unknown")
            )
        }
        _ => "it is not on the host".to_owned(),
    };
    copy_here(folder, source).ok_or_else(|| Error::NoArtifact {
        job_id: job.job_id.clone(),
        name: source.file().to_owned(),
        reason,
    })
}

/// Returns the agent's title for the change, where it is one line and shows what it is.
fn title(folder: &Folder) -> Option<String> {
    let manifest = folder.manifest()?;
    let file = manifest.file("pr_title.txt")?;
    let bytes = folder.read(&file.name, file.size_bytes, file.sha256.as_deref()?)?;
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim();
    let fits =
        !text.is_empty() && text.chars().count() <= 200 && patch::RawPath::new(text).is_printable();
    fits.then(|| text.to_owned())
}
