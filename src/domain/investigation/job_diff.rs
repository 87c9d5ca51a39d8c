//! The bytes of a job that are judged: its diffs, and the repro that its agent left.

use super::{artifacts, error::Error};
use crate::{
    domain::{
        artifact::{self, Folder, State},
        job::{DiffSource, Job},
        run::Changes,
    },
    system::Context,
};

/// Gets a diff of a job's current run, which must have ended.
///
/// The copy here is used where it was fetched after the end and is whole; else the host is asked.
pub(super) async fn get(
    context: &Context,
    job: &Job,
    source: DiffSource,
) -> Result<Vec<u8>, Error> {
    let missing = |reason: &str| Error::NoArtifact {
        job_id: job.job_id.clone(),
        name: source.file().to_owned(),
        reason: reason.to_owned(),
    };
    if source == DiffSource::Supervisor && job.progress.changes == Some(Changes::Failed) {
        return Err(missing(
            "the changes could not be recorded: see changes.err",
        ));
    }
    let bytes = file(context, job, &[source.file()])
        .await?
        .ok_or_else(|| missing("it is not there"))?
        .1;
    let recorded = job
        .progress
        .diff_bytes
        .filter(|_| source == DiffSource::Supervisor);
    if recorded.is_some_and(|size| size != bytes.len() as u64) {
        return Err(missing("it has another size than the supervisor recorded"));
    }
    if bytes.is_empty() {
        return Err(Error::NoDiff {
            job_id: job.job_id.clone(),
        });
    }
    Ok(bytes)
}

/// Gets the repro that the agent left, with its name; nothing where there is none that can be run.
pub(super) async fn agents_repro(
    context: &Context,
    job: &Job,
) -> Result<Option<(String, Vec<u8>)>, Error> {
    file(context, job, &["repro.py", "repro.sh", "repro.js"]).await
}

/// Gets the first of some artifacts that is there, with its name; nothing where there is none.
async fn file(
    context: &Context,
    job: &Job,
    names: &[&str],
) -> Result<Option<(String, Vec<u8>)>, Error> {
    let folder = Folder::of(context, &job.job_id, job.run);
    if let Some(manifest) = folder.manifest().filter(|manifest| manifest.ended) {
        for name in names {
            let bytes = manifest
                .file(name)
                .and_then(|file| folder.read(&file.name, file.size_bytes, file.sha256.as_deref()?));
            if let Some(bytes) = bytes {
                return Ok(Some(((*name).to_owned(), bytes)));
            }
        }
    }
    let include: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let fetched = artifacts::fetch(context, job, &include, artifact::MAX_BYTES, false).await?;
    let found = names.iter().find_map(|name| {
        let mut files = fetched.files.iter();
        files.find(|file| file.name == *name && file.state != State::Missing)
    });
    let Some(file) = found else { return Ok(None) };
    let refused = |reason: String| Error::NoArtifact {
        job_id: job.job_id.clone(),
        name: file.name.clone(),
        reason,
    };
    match file.state {
        State::Fetched | State::Unchanged => {
            let sha256 = file.sha256.as_deref().unwrap_or_default();
            let bytes = fetched.folder.read(&file.name, file.size_bytes, sha256);
            bytes
                .map(|bytes| Some((file.name.clone(), bytes)))
                .ok_or_else(|| refused("the copy that was just fetched is gone".to_owned()))
        }
        State::Refused => Err(refused(file.reason.clone().unwrap_or_default())),
        State::Available | State::Missing => Ok(None),
    }
}
