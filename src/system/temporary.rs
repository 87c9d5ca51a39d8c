//! Temporary files and folders that are gone however the call ends.
//!
//! A temporary removes itself when it is dropped. One that is alive when a signal ends the process is never dropped,
//! because the thread that answers the signal leaves without waiting for the work. So every temporary is listed here
//! from its first moment, and that thread removes what is listed. Only SIGKILL leaves one behind; [`clear`] removes
//! those from a folder that one process at a time writes to.
#![expect(
    clippy::disallowed_methods,
    reason = "it touches the disk, as `files` does"
)]

use std::{
    collections::BTreeSet,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::regular_file;

/// How names of temporary files and folders begin.
const PREFIX: &str = ".legwork-";

/// The temporaries of this process that are on the disk now.
static ALIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Keeps a temporary listed for as long as it lives.
#[derive(Debug)]
struct Listed(PathBuf);

impl Listed {
    /// Makes a temporary and lists it, which [`abandon`] sees as one act.
    fn make<T>(
        make: impl FnOnce() -> io::Result<T>,
        path_of: impl FnOnce(&T) -> &Path,
    ) -> io::Result<(T, Self)> {
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let temporary = make()?;
        let path = path_of(&temporary).to_owned();
        alive.insert(path.clone());
        Ok((temporary, Self(path)))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        alive.remove(&self.0);
    }
}

/// Removes every temporary of this process, for a process that ends without dropping them; none is made after it.
pub(crate) fn abandon() {
    let alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
    for path in alive.iter() {
        // A program that is ending too may still write to a folder: what fails once is tried again.
        let _gone = std::fs::remove_file(path)
            .or_else(|_| std::fs::remove_dir_all(path))
            .or_else(|_| std::fs::remove_dir_all(path));
    }
    std::mem::forget(alive);
}

/// Removes the temporary files that a killed process left in a folder; the caller holds the lock of that folder.
pub(crate) fn clear(folder: &Path) -> io::Result<()> {
    for name in names_in(folder)? {
        if name.to_string_lossy().starts_with(PREFIX) {
            match std::fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

fn names_in(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}

/// A temporary file, removed unless it is given its final name.
#[derive(Debug)]
pub(super) struct Temporary {
    // Dropped in this order: what is on the disk is listed.
    file: tempfile::NamedTempFile,
    listed: Listed,
}

impl Temporary {
    /// Writes one in a folder, down to the disk.
    pub(super) fn written(folder: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let (mut file, listed) = Listed::make(
            || tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder),
            tempfile::NamedTempFile::path,
        )?;
        file.write_all(bytes)?;
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        Ok(Self { file, listed })
    }

    /// Gives it its final name, in place of what has that name now.
    pub(super) fn persist(self, path: &Path) -> io::Result<()> {
        let Self { file, listed } = self;
        let done = file.persist(path).map_err(|error| error.error);
        drop(listed);
        done.map(|_file| ())
    }
}

/// A private temporary folder that goes away with its owner.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
    _listed: Listed,
}

impl Scratch {
    /// Makes one in the temporary folder of this machine, of mode 0700.
    pub(crate) fn new() -> io::Result<Self> {
        Self::listed(|| tempfile::Builder::new().prefix("legwork-").tempdir())
    }

    /// Makes one in a folder, of mode 0700: a place for a file that is moved out of it when it is whole.
    pub(super) fn inside(folder: &Path) -> io::Result<Self> {
        Self::listed(|| tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder))
    }

    fn listed(make: impl FnOnce() -> io::Result<tempfile::TempDir>) -> io::Result<Self> {
        let (folder, listed) = Listed::make(make, tempfile::TempDir::path)?;
        Ok(Self {
            folder,
            _listed: listed,
        })
    }

    /// Returns the folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves a file of the folder to its final place, unless something is there already, which stays.
    pub(super) fn persist_new(&self, name: &str, path: &Path) -> io::Result<()> {
        let file = tempfile::TempPath::try_from_path(self.path().join(name))?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            _ => Ok(()),
        }
    }

    /// Copies a regular file into the folder under a name, with its time of change; nothing where there is no such file.
    pub(crate) fn copy_in(&self, from: &Path, name: &str) -> io::Result<Option<PathBuf>> {
        let to = self.path().join(name);
        let mut file = match regular_file::open(from) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut copy = std::fs::File::create(&to)?;
        io::copy(&mut file, &mut copy)?;
        copy.set_modified(file.metadata()?.modified()?)?;
        Ok(Some(to))
    }

    /// Copies the files of a folder whose names start so into a folder below this one.
    pub(crate) fn copy_starting(&self, from: &Path, start: &str, below: &str) -> io::Result<()> {
        for name in names_in(from)? {
            let name = name.to_string_lossy();
            if name.starts_with(start) {
                self.copy_in(&from.join(&*name), &format!("{below}/{name}"))?;
            }
        }
        Ok(())
    }
}
