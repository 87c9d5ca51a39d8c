//! The disk of this machine.
//!
//! Functions that change what a user keeps take the [`Meter`] and count themselves as steps of the call. Those
//! without one change only caches, locks and temporary files, which are no effect.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that touches the disk"
)]

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{digest::Sha256, meter::Meter, regular_file, temporary::Temporary};
use crate::contract::{Code, Coded, details, details::Details};

/// Why something on the disk did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The disk has no room.
    #[error("no room to write {}", .path.display())]
    Full {
        /// What was being written.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The state folder or a file in it cannot be made, read or written.
    #[error("cannot use {}", .path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Makes one from an error of the system.
    pub(crate) fn of(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            Self::Full { path, source }
        } else {
            Self::Unusable { path, source }
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Full { .. } => Code::DiskFull,
            Self::Unusable { .. } => Code::HomeUnwritable,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Full { path, .. } => {
                format!(
                    "Free room on the disk of {}, then send the same call again.",
                    path.display()
                )
            }
            Self::Unusable { path, .. } => format!(
                "Make {} readable and writable, or set LEGWORK_HOME to another folder.",
                path.display()
            ),
        }
    }

    fn details(&self) -> Details {
        let (Self::Full { path, source } | Self::Unusable { path, source }) = self;
        details::File::new(path.display().to_string(), source.to_string()).into()
    }
}

/// Reads a regular file, refusing anything else that may be at its place, and one larger than `limit` bytes.
///
/// It never waits for the writer of a pipe. `/dev/null` counts as an empty file.
pub(crate) fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = regular_file::open(path)?;
    if file.metadata()?.len() > limit {
        return Err(too_large(limit));
    }
    read_bounded(file, limit)
}

/// Returns how long a regular file is, and at most so many bytes of its end.
pub(crate) fn tail(path: &Path, limit: u64) -> io::Result<(u64, Vec<u8>)> {
    let mut file = regular_file::open(path)?;
    let size = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(size.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok((size, bytes))
}

/// Makes a file for this user alone; fails where anything is at its place.
pub(crate) fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

fn read_bounded(file: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("larger than {limit} bytes"),
    )
}

/// Facts that differ between two states of a file, known without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<i128>);

/// Returns the fingerprint of a file: another one after anything was written to it. Nothing where there is no file.
pub(crate) fn fingerprint(path: &Path) -> Option<Fingerprint> {
    let found = fs::metadata(path).ok()?;
    Some(Fingerprint(vec![
        found.dev().into(),
        found.ino().into(),
        found.size().into(),
        found.mtime().into(),
        found.mtime_nsec().into(),
        found.ctime().into(),
        found.ctime_nsec().into(),
    ]))
}

/// Returns a fingerprint that stays as long as it is the same file, whatever is written to it.
pub(crate) fn identity(path: &Path) -> Option<Fingerprint> {
    let found = fs::metadata(path).ok()?;
    Some(Fingerprint(vec![found.dev().into(), found.ino().into()]))
}

/// Returns what is at a path itself, without following a link.
pub(crate) fn metadata(path: &Path) -> io::Result<fs::Metadata> {
    fs::symlink_metadata(path)
}

/// Returns the room that is left for this user on the disk of a path, in bytes; 0 also where no file can be made.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    // Some file systems count no files at all.
    if found.f_files > 0 && found.f_favail == 0 {
        return Some(0);
    }
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Returns whether anything is at a path.
pub(crate) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Returns whether a path is a symbolic link.
pub(crate) fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// Returns whether nobody but its owner may read or write a file, and that is this user or root.
pub(crate) fn is_private(path: &Path) -> bool {
    let own = rustix::process::getuid().as_raw();
    fs::metadata(path)
        .is_ok_and(|found| found.mode() % 0o100 == 0 && (found.uid() == own || found.uid() == 0))
}

/// Lists the names in a folder, sorted; empty where there is no folder.
pub(crate) fn names_in(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

/// Makes a folder and those above it, for this user alone.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Error::of(path, source))
}

/// Makes a folder for this user alone and makes sure that it is: owned by this user, no link, closed to others.
///
/// For folders at places where other users can write too.
pub(crate) fn make_guarded_folder(path: &Path) -> Result<(), Error> {
    make_private_folder(path)?;
    let found = fs::symlink_metadata(path).map_err(|source| Error::of(path, source))?;
    let mine = found.is_dir() && found.uid() == rustix::process::getuid().as_raw();
    if !mine {
        return Err(Error::of(
            path,
            io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it belongs to somebody else",
            ),
        ));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(|source| Error::of(path, source))?;
    }
    Ok(())
}

/// Writes a file whole: readers see the old content or the new one, and what was written survives a crash.
///
/// A new one is for this user alone.
pub(crate) fn write_whole(meter: &Meter, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_beside_others(meter, path, bytes, 0o600).map_err(|source| Error::of(path, source))
}

/// Writes a file whole that is only a cache, and so no effect of the call.
pub(crate) fn write_cache(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |source| Error::of(path, source);
    let temporary = Temporary::written(folder_of(path), bytes, 0o600).map_err(fail)?;
    temporary.persist(path).map_err(fail)
}

/// Makes a folder and those above it inside a temporary one.
pub(crate) fn make_scratch_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Writes a file inside a temporary folder.
pub(crate) fn write_scratch(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)
}

/// Makes a folder and those above it, with the permissions that the user's umask gives.
pub(crate) fn make_folder(meter: &Meter, path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    meter.step(|| fs::create_dir_all(path))
}

/// Returns a path without links; what is there must exist.
pub(crate) fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Writes a file of the user's whole, as [`write_whole`] does, with the mode of the one it replaces.
///
/// A new one has `mode`.
pub(crate) fn write_beside_others(
    meter: &Meter,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> io::Result<()> {
    let mode = fs::symlink_metadata(path).map_or(mode, |found| found.mode() & 0o777);
    let temporary = Temporary::written(folder_of(path), bytes, mode)?;
    meter.step(|| temporary.persist(path))?;
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Removes a folder that nothing is in; it is no error if there is none, or something is in it.
pub(crate) fn remove_empty_folder(meter: &Meter, path: &Path) -> io::Result<()> {
    match meter.step(|| fs::remove_dir(path)) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Writes a folder down to the disk: the names of the files in it.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Returns the SHA-256 of a regular file of any size.
pub(crate) fn digest(path: &Path) -> io::Result<String> {
    let mut file = regular_file::open(path)?;
    let mut digest = Sha256::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finish()),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Copies a file.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    fs::copy(from, to)
}

/// Removes a file; it is no error if there is none.
pub(crate) fn remove_file(meter: &Meter, path: &Path) -> io::Result<()> {
    match meter.step(|| fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a folder and all in it; it is no error if there is none.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A lock between processes, held until dropped; the system lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// Opens a file to wait for the disk to have it; nothing where there is none.
pub(crate) fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the lock of a file, with the thread standing still for as long as it takes.
pub(crate) fn wait_for_lock(path: &Path) -> io::Result<Lock> {
    let file = open_lock(path)?;
    loop {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes the lock of a file if nobody has it.
pub(crate) fn try_lock(path: &Path) -> io::Result<Option<Lock>> {
    let file = open_lock(path)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Takes the lock of a file, waiting as long as it takes; dropping the future gives up.
pub(crate) async fn lock(path: &Path) -> Result<Lock, Error> {
    let mut wait = Duration::from_millis(1);
    loop {
        if let Some(lock) = try_lock(path).map_err(|source| Error::of(path, source))? {
            return Ok(lock);
        }
        super::clock::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(40));
    }
}

/// Sets a file's time to now, making it where there is none.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    rustix::fs::futimens(
        &file,
        &rustix::fs::Timestamps {
            last_access: NOW,
            last_modification: NOW,
        },
    )
    .map_err(Into::into)
}

const NOW: rustix::fs::Timespec = rustix::fs::Timespec {
    tv_sec: 0,
    tv_nsec: rustix::fs::UTIME_NOW,
};

/// Returns random bytes in hexadecimal, from the system's own source.
pub(crate) fn random_hexadecimal(bytes: usize) -> io::Result<String> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(super::digest::hex(&buffer))
}
