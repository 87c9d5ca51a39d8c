//! Applying a diff, of a job or in a file, to a branch of a checkout here.
//!
//! A verdict belongs to the bytes that were judged, so the answer states an outcome only where the digest of what is
//! applied is the one that was verified. Where another diff was verified under the same name, something changed the diff
//! on its host after the verdict, and it is refused.

use super::{artifacts, error::Error};
use crate::{
    contract::{Effect, JobId},
    domain::{
        artifact::{Folder, State},
        attestation::{self, Noted},
        job::{self, DiffSource, Job, Outcome},
        patch::{self, Allow, Allowances, Rule},
        run::Changes,
    },
    system::{Context, digest, files},
};

/// The largest diff that is taken, from a job or from a file.
const MAX_BYTES: u64 = patch::MAX_BYTES as u64;

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
    /// What the diff may do that is refused otherwise.
    pub(crate) allow: Vec<Allow>,
    /// The SHA-256 that the diff must have.
    pub(crate) expect_sha256: Option<String>,
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
            expect_sha256: None,
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
    /// The job, where the diff is one's or was verified as one's.
    pub(crate) job: Option<Job>,
    /// What the evidence says of these bytes; nothing of a diff that no job here has.
    pub(crate) verdict: Option<Outcome>,
    /// SHA-256 of the diff that was verified, where that is another one than this.
    pub(crate) verified_sha256: Option<String>,
    /// SHA-256 of the diff.
    pub(crate) sha256: String,
    /// Files of the agent's work that the diff does not hold.
    pub(crate) missing: Vec<String>,
    /// Its size.
    pub(crate) bytes: usize,
    /// The proof that goes with the commit, where these bytes were verified.
    pub(crate) proof: Option<AppliedProof>,
}

/// A proof that goes with a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppliedProof {
    /// SHA-256 of the statement.
    pub(crate) sha256: String,
    /// Whether somebody signed it.
    pub(crate) is_signed: bool,
    /// Whether the notes of the commit hold it.
    pub(crate) is_noted: bool,
    /// Why they do not.
    pub(crate) fault: Option<String>,
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
    if let Some(expected) = &request.expect_sha256
        && *expected != sha256
    {
        return Err(patch::Error::OtherDigest {
            expected: expected.clone(),
            found: sha256,
        }
        .into());
    }
    let allow: Allowances = request.allow.iter().collect();
    let job = match diff.job {
        None if context.has_store() => job::find_by_diff(context, &sha256)?,
        job => job,
    };
    let verified_sha256 = job
        .as_ref()
        .filter(|job| job.verification_of(&sha256).is_none())
        .and_then(|job| job.verification_of_other(&sha256))
        .map(|verified| verified.diff_sha256.clone());
    let is_supervisors = matches!(
        request.origin,
        Origin::Job {
            source: DiffSource::Supervisor,
            ..
        }
    );
    if let Some(verified) = &verified_sha256
        && is_supervisors
        && !allow.holds(Rule::UnverifiedDiff)
    {
        return Err(patch::Error::Refused {
            findings: vec![patch::other_diff(&sha256, verified)],
        }
        .into());
    }
    let origin = &request.origin;
    let message = request.message.clone().unwrap_or(diff.message);
    let redactor = context.redactor();
    let mut message = redactor.text(&message).into_owned();
    let proof = job
        .as_ref()
        .filter(|_| matches!(origin, Origin::Job { .. }))
        .and_then(|job| attestation::proof_of(context, job, &sha256));
    if let Some(proof) = &proof {
        message = attestation::with_trailer(&message, proof);
    }
    let request = patch::Request {
        checkout: context.environment().path(&request.checkout),
        base: diff.base,
        onto: request.onto.clone(),
        branch: request.branch.clone().unwrap_or(diff.branch),
        three_way: request.three_way,
        message,
        author: request.author.clone(),
        dry_run: request.dry_run,
        allow_dirty: request.allow_dirty,
        allow,
        secrets: redactor.leaks(),
        diff: diff.bytes,
    };
    let mut outcome = patch::apply(context.meter(), &request).await?;
    let proof = match &proof {
        Some(proof) => Some(note(context, &request, &mut outcome, proof).await),
        None => None,
    };
    let missing = job
        .as_ref()
        .filter(|_| is_supervisors)
        .map_or_else(Vec::new, left_out);
    Ok(Applied {
        proof,
        missing,
        outcome,
        verdict: job.as_ref().map(|job| job.outcome_of(&sha256)),
        job,
        verified_sha256,
        sha256,
        bytes: request.diff.len(),
    })
}

/// Lists files of an agent's work that the diff of its job does not hold.
fn left_out(job: &Job) -> Vec<String> {
    let notes = job.progress.diff_notes.iter();
    let work = notes.filter(|note| note.kind.is_work());
    work.flat_map(|note| note.paths.iter().map(|path| path.path.clone()))
        .collect()
}

/// Puts the proof into the notes of the commit, unless this is a dry run.
///
/// The branch is there already, and the same call again tries the notes again: what keeps them from being written is
/// reported beside the branch.
async fn note(
    context: &Context,
    request: &patch::Request,
    outcome: &mut patch::Outcome,
    proof: &attestation::Proof,
) -> AppliedProof {
    let mut applied = AppliedProof {
        sha256: proof.sha256.clone(),
        is_signed: proof.is_signed(),
        is_noted: false,
        fault: None,
    };
    if request.dry_run {
        return applied;
    }
    let meter = context.meter();
    match attestation::annotate(meter, &request.checkout, &outcome.commit, proof).await {
        Ok(Noted::Now) => {
            outcome.effect = Effect::Applied;
            applied.is_noted = true;
        }
        Ok(Noted::Before) => applied.is_noted = true,
        Ok(Noted::NotOfIt) => {
            applied.fault =
                Some("the commit on the branch is not the one of this proof".to_owned());
        }
        Err(error) => applied.fault = Some(error.to_string()),
    }
    applied
}

fn of_file(context: &Context, path: &str, base: Option<&String>) -> Result<Diff, Error> {
    let place = context.environment().path(path);
    let bytes = files::read_regular(&place, MAX_BYTES).map_err(|error| patch::Error::File {
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
        match job.progress.diff_bytes {
            Some(0) => {
                return Err(Error::NoDiff {
                    job_id: job_id.clone(),
                });
            }
            // It is too large before it is fetched.
            Some(bytes) if bytes > MAX_BYTES => {
                return Err(patch::Error::TooLarge {
                    bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
                    max_bytes: patch::MAX_BYTES,
                }
                .into());
            }
            _ => {}
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
    let title = title(&folder).unwrap_or_else(|| plain_title(&job));
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
    let fetched = artifacts::fetch(context, job, &names, MAX_BYTES, false).await?;
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

/// Returns what a job is about; the path of a file here is nothing to publish.
fn plain_title(job: &Job) -> String {
    let title = &job.spec.title;
    let is_path = title.starts_with(['/', '.', '~'])
        || [".md", ".json", ".txt"]
            .iter()
            .any(|ending| title.ends_with(ending));
    if is_path && job.spec.issue.as_ref() == Some(title) {
        format!("Apply the changes of {}", job.job_id)
    } else {
        title.clone()
    }
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
