//! A host that could not write a file: whether its disk is full, its folder read-only, or neither.

use super::error::Error;
use crate::domain::run::Refusal;

/// Makes the error from what the host found around the file; nothing where it found neither of the two.
pub(super) fn error(host: &str, refusal: &Refusal) -> Option<Error> {
    let unwritten = refusal.unwritten.as_ref()?;
    let (host, path, stderr) = (
        host.to_owned(),
        unwritten.path.clone(),
        refusal.stderr.clone(),
    );
    if unwritten.is_full {
        Some(Error::DiskFull { host, path, stderr })
    } else if unwritten.is_writable {
        None
    } else {
        Some(Error::FolderUnwritable { host, path, stderr })
    }
}
