//! The folder here that holds what was fetched of a run.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{
    contract::JobId,
    system::{Context, digest, files, meter::Meter, named_lock, temporary},
};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// This call brought it.
    Fetched,
    /// The copy here is the file on the host already.
    Unchanged,
    /// It is on the host and was not asked for, or this was a dry run.
    Available,
    /// It is not taken; `reason` says why.
    Refused,
    /// It is not on the host.
    Missing,
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct File {
    /// Its name.
    pub(crate) name: String,
    /// The copy here, where there is one.
    pub(crate) path: Option<String>,
    /// Its size on the host.
    pub(crate) size_bytes: u64,
    /// Its SHA-256; none where it is refused or missing.
    pub(crate) sha256: Option<String>,
    /// What became of it.
    pub(crate) state: State,
    /// Why it is refused: `link`, `folder`, `pipe`, `socket`, `device`, `unreadable`, `too_large`, `too_large_together`.
    pub(crate) reason: Option<String>,
}

/// Something in the job's folder that is no artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Ignored {
    /// Its name, with escapes for what is not plain text.
    pub(crate) name: String,
    /// What it is: `file`, `link`, `folder`, `pipe`, `socket`, `device`.
    pub(crate) kind: String,
}

/// What is known of the files of a run: `manifest.json`, written last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredManifest {
    /// The version of this file.
    pub(crate) v: u32,
    /// The job.
    pub(crate) job_id: JobId,
    /// The run.
    pub(crate) run: u32,
    /// Whether the run had ended, so that its files no longer change.
    pub(crate) ended: bool,
    /// When the files were last looked at (RFC 3339, UTC).
    pub(crate) at: String,
    /// The files.
    pub(crate) files: Vec<File>,
    /// What else lies in the job's folder, at most 100 of it.
    pub(crate) ignored: Vec<Ignored>,
    /// How much else lies there.
    pub(crate) ignored_total: u64,
}

impl StoredManifest {
    /// Finds a file by its name.
    pub(crate) fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// A larger file is no manifest that legwork wrote.
const MANIFEST_LIMIT: u64 = 4 << 20;

/// The folder of a run.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Names the folder of a run; it need not exist.
    pub(crate) fn of(context: &Context, job_id: &JobId, run: u32) -> Self {
        let home = context.environment().home();
        Self {
            path: home
                .join("results")
                .join(job_id.as_str())
                .join(run.to_string()),
        }
    }

    /// Returns the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the copy of an artifact lies.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads the manifest; none where there is none, or one that this version did not write.
    pub(crate) fn manifest(&self) -> Option<StoredManifest> {
        let bytes = files::read_regular(&self.path.join("manifest.json"), MANIFEST_LIMIT).ok()?;
        serde_json::from_slice::<StoredManifest>(&bytes)
            .ok()
            .filter(|manifest| manifest.v == 1)
    }

    /// Reads the copy of an artifact if it is whole and has this digest.
    pub(crate) fn read(&self, name: &str, bytes: u64, sha256: &str) -> Option<Vec<u8>> {
        let place = self.place(name);
        let found = files::metadata(&place).ok()?;
        if !found.is_file() || found.len() != bytes {
            return None;
        }
        let read = files::read_regular(&place, bytes).ok()?;
        (digest::sha256(&read) == sha256).then_some(read)
    }

    /// Takes the lock under which one process at a time writes the results of a job.
    pub(super) async fn lock(context: &Context, job_id: &JobId) -> Result<files::Lock, Error> {
        Ok(named_lock::lock(context, &format!("results-{job_id}")).await?)
    }

    /// Makes the folder, and clears away what a call that was killed left half written.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        files::make_private_folder(&self.path)?;
        self.clear(&self.path)
    }

    fn clear(&self, folder: &Path) -> Result<(), Error> {
        Ok(temporary::clear(folder).map_err(|source| files::Error::of(&self.path, source))?)
    }

    /// Writes the copy of an artifact, whole.
    pub(super) fn write(&self, meter: &Meter, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let place = self.place(name);
        if let Some(folder) = place.parent() {
            files::make_private_folder(folder)?;
        }
        Ok(files::write_whole(meter, &place, bytes)?)
    }

    /// Writes the manifest, whole.
    pub(super) fn conclude(&self, meter: &Meter, manifest: &StoredManifest) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(manifest).unwrap_or_default();
        text.push(b'\n');
        Ok(files::write_whole(
            meter,
            &self.path.join("manifest.json"),
            &text,
        )?)
    }
}
