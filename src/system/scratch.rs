//! A private temporary folder that goes away with its owner.
#![expect(
    clippy::disallowed_methods,
    reason = "what is copied into it is gone before the call is over"
)]

use std::{
    io,
    path::{Path, PathBuf},
};

/// A folder of mode 0700 in the temporary folder of this machine.
#[derive(Debug)]
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one.
    pub(crate) fn new() -> io::Result<Self> {
        tempfile::Builder::new()
            .prefix("legwork-")
            .tempdir()
            .map(Self)
    }

    /// Returns the folder.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Copies a file into the folder under a name; nothing where there is no such file.
    pub(crate) fn copy_in(&self, from: &Path, name: &str) -> io::Result<Option<PathBuf>> {
        let to = self.path().join(name);
        match std::fs::copy(from, &to) {
            Ok(_) => Ok(Some(to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Copies the files of a folder whose names start so into a folder below this one.
    pub(crate) fn copy_starting(&self, from: &Path, start: &str, below: &str) -> io::Result<()> {
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(start) {
                std::fs::copy(
                    entry.path(),
                    self.path().join(below).join(entry.file_name()),
                )?;
            }
        }
        Ok(())
    }
}
