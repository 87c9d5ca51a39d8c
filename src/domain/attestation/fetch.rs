//! Writing the proof of a job's diff into a folder here, signed where a key is named.

use std::path::{Path, PathBuf};

use super::{
    Error, bundle, make, ssh_keygen,
    ssh_signature::SshSignature,
    statement::{MAX_BYTES, Statement},
};
use crate::{
    contract::{Effect, JobId},
    domain::{
        artifact::Folder,
        job::{self, DiffSource, Job, Verified},
        patch,
    },
    system::{Context, digest, files, named_lock},
};

/// The mode of the files: there is no secret in them, and they are made to be passed on.
const MODE: u32 = 0o644;

/// Which proof, where it is put, and who signs it.
#[derive(Clone, Debug)]
pub(crate) struct FetchRequest {
    /// The job.
    pub(crate) job_id: JobId,
    /// Which of its diffs.
    pub(crate) which: DiffSource,
    /// The folder; that of the job's results where none is given.
    pub(crate) folder: Option<String>,
    /// The key; that of the configuration where none is given.
    pub(crate) key: Option<String>,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
}

/// A proof that lies in a folder here, or would.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    /// What this call did.
    pub(crate) effect: Effect,
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The statement.
    pub(crate) statement: Statement,
    /// The file of the statement.
    pub(crate) statement_path: PathBuf,
    /// SHA-256 of the statement.
    pub(crate) sha256: String,
    /// The file of the signature, and the fingerprint of its key, where the statement is signed.
    pub(crate) signature: Option<(PathBuf, String)>,
    /// The copy of the diff, where the diff was fetched.
    pub(crate) diff_path: Option<PathBuf>,
}

/// Brings about that a folder here holds the proof of a job's diff.
///
/// What is there already and right stays as it is. A signature by another key, or of another verification, is replaced.
pub(crate) async fn fetch(context: &Context, request: &FetchRequest) -> Result<Fetched, Error> {
    let job = job::find(context, &request.job_id)?;
    let verified = verified(&job, request.which)?;
    let statement = make::statement(&job, verified);
    let bytes = statement.bytes();
    let folder = match &request.folder {
        Some(folder) => context.environment().path(folder),
        None => bundle::folder(context, &job.job_id, job.run),
    };
    let statement_path = folder.join(bundle::STATEMENT);
    check_place(&statement_path)?;
    let lock = named_lock::lock(context, &format!("proof-{}", job.job_id)).await?;
    let signature = signature(context, request, &statement_path, &bytes).await?;
    let diff = diff(context, &job, verified);
    let mut fetched = Fetched {
        effect: Effect::None,
        sha256: digest::sha256(&bytes),
        signature: signature
            .as_ref()
            .map(|signature| (bundle::signature_of(&statement_path), signature.key.clone())),
        diff_path: diff.as_ref().map(|_| folder.join(bundle::DIFF)),
        statement,
        statement_path,
        folder,
    };
    if !request.dry_run {
        fetched.effect = write(
            context,
            &fetched,
            &bytes,
            signature.as_ref(),
            diff.as_deref(),
        )?;
    }
    drop(lock);
    Ok(fetched)
}

/// Returns the last verification of the diff that is asked for.
fn verified(job: &Job, which: DiffSource) -> Result<&Verified, Error> {
    let mut newest_first = job.verifications.iter().rev();
    newest_first
        .find(|verified| verified.which == Some(which))
        .ok_or_else(|| Error::NotVerified {
            job_id: job.job_id.clone(),
            state: job.state.name(),
        })
}

/// Refuses to write over something that is no statement.
fn check_place(path: &Path) -> Result<(), Error> {
    match bundle::read_statement(path)? {
        Some(bytes) if Statement::parse(&bytes).is_err() && !bytes.is_empty() => Err(Error::file(
            path,
            "something else than a statement is in its place, and stays",
        )),
        Some(_) | None => Ok(()),
    }
}

/// A signature of the statement.
struct Signature {
    file: Vec<u8>,
    key: String,
}

/// Signs the statement, or finds it signed; nothing where no key is named and no signature is there.
async fn signature(
    context: &Context,
    request: &FetchRequest,
    statement: &Path,
    bytes: &[u8],
) -> Result<Option<Signature>, Error> {
    let configured = context.configuration()?.proof.key.as_ref();
    let key = request.key.as_ref().or(configured);
    let key = key.map(|key| context.environment().path(key));
    let wanted = match &key {
        Some(key) => Some(ssh_keygen::fingerprint(key).await?),
        None => None,
    };
    if let Some(there) = found(statement, bytes, wanted.as_deref()).await? {
        return Ok(Some(there));
    }
    let (Some(key), Some(fingerprint)) = (key, wanted) else {
        return Ok(None);
    };
    if request.dry_run {
        return Ok(Some(Signature {
            file: Vec::new(),
            key: fingerprint,
        }));
    }
    let file = ssh_keygen::sign(&key, bytes).await?;
    Ok(Some(Signature {
        file,
        key: fingerprint,
    }))
}

/// Returns the signature that is there, where it is one of these bytes, by the key that is wanted.
async fn found(
    statement: &Path,
    bytes: &[u8],
    wanted: Option<&str>,
) -> Result<Option<Signature>, Error> {
    let Some((file, SshSignature { key, .. })) = bundle::signature_beside(statement) else {
        return Ok(None);
    };
    let path = bundle::signature_of(statement);
    let is_wanted = wanted.is_none_or(|wanted| wanted == key);
    if !is_wanted || ssh_keygen::is_of(&path, bytes).await?.is_err() {
        return Ok(None);
    }
    Ok(Some(Signature { file, key }))
}

/// Returns the bytes of the diff, where they are here.
fn diff(context: &Context, job: &Job, verified: &Verified) -> Option<Vec<u8>> {
    let folder = Folder::of(context, &job.job_id, job.run);
    let name = verified.which.unwrap_or_default().file();
    folder.read(name, verified.diff_bytes, &verified.diff_sha256)
}

/// Writes what is not there yet. A signature that does not fit goes before the statement is replaced, so that a call that
/// is cut off never leaves a statement with the signature of another one.
fn write(
    context: &Context,
    fetched: &Fetched,
    bytes: &[u8],
    signature: Option<&Signature>,
    diff: Option<&[u8]>,
) -> Result<Effect, Error> {
    let meter = context.meter();
    let mut effect = Effect::Replayed;
    let is_there = |path: &Path, bytes: &[u8], limit: usize| {
        files::read_regular(path, limit as u64).is_ok_and(|there| there == bytes)
    };
    if !files::exists(&fetched.folder.join(".")) {
        files::make_folder(meter, &fetched.folder)
            .map_err(|source| Error::file(&fetched.folder, source.to_string()))?;
    }
    let beside = bundle::signature_of(&fetched.statement_path);
    let file = signature.map(|signature| signature.file.as_slice());
    let fits = file.is_some_and(|file| is_there(&beside, file, MAX_BYTES));
    if !fits && files::exists(&beside) {
        files::remove_file(meter, &beside)
            .map_err(|source| Error::file(&beside, source.to_string()))?;
        effect = Effect::Applied;
    }
    let diff_path = fetched.folder.join(bundle::DIFF);
    let wanted = [
        (&diff_path, diff, patch::MAX_BYTES),
        (&fetched.statement_path, Some(bytes), MAX_BYTES),
        (&beside, file, MAX_BYTES),
    ];
    for (path, bytes, limit) in wanted {
        let Some(bytes) = bytes.filter(|bytes| !is_there(path, bytes, limit)) else {
            continue;
        };
        files::write_beside_others(meter, path, bytes, MODE)
            .map_err(|source| files::Error::of(path, source))?;
        effect = Effect::Applied;
    }
    Ok(effect)
}
