//! A proof as files: the statement, its signature, and the diff that it is about, side by side in one folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    Error,
    ssh_signature::{self, SshSignature},
    statement,
};
use crate::{
    contract::JobId,
    domain::artifact::Folder,
    system::{Context, files},
};

/// The name of the statement.
pub(super) const STATEMENT: &str = "statement.json";

/// What is added to the name of a statement for that of its signature, as `ssh-keygen` does.
const SIGNATURE: &str = ".sig";

/// The name of the diff.
pub(super) const DIFF: &str = "changes.diff";

/// Why a file that was named cannot be used where it is not there.
pub(super) const NO_FILE: &str = "there is no such file";

/// Names the folder here of the proof of a run.
pub(super) fn folder(context: &Context, job_id: &JobId, run: u32) -> PathBuf {
    Folder::of(context, job_id, run).place("proof")
}

/// Names the signature of a statement.
pub(super) fn signature_of(statement: &Path) -> PathBuf {
    let mut name = statement.as_os_str().to_owned();
    name.push(SIGNATURE);
    name.into()
}

/// Reads the file of a statement; nothing where there is none.
pub(super) fn read_statement(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    read(path, statement::MAX_BYTES as u64)
}

/// Reads the file of a signature; nothing where there is none.
pub(super) fn read_signature(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    read(path, ssh_signature::MAX_BYTES)
}

/// Reads a file; nothing where there is none.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    match files::read_regular(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(path, error.to_string())),
    }
}

/// Returns the signature beside a statement here, where it is one by its form.
pub(super) fn signature_beside(statement: &Path) -> Option<(Vec<u8>, SshSignature)> {
    let bytes = read_signature(&signature_of(statement)).ok()??;
    let read = SshSignature::parse(&bytes).ok()?;
    Some((bytes, read))
}
