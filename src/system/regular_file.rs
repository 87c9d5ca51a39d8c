//! Opening a file that must be a regular one.
#![expect(
    clippy::disallowed_methods,
    reason = "it touches the disk, as `files` does"
)]

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

/// Opens a regular file, or `/dev/null`, for reading; anything else at its place is refused at once.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    let found = file.metadata()?;
    let is_null = || {
        let null = fs::metadata("/dev/null");
        found.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == found.rdev())
    };
    if found.is_file() || is_null() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ))
    }
}
