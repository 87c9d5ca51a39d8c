//! Lock files of other programs, such as git's: whether one is there, how old it is, and whether a process holds it.
//!
//! git makes `X.lock` while it writes `X` and removes it afterwards. One that a killed git left behind stays for ever,
//! and what git prints about it is the same as for one that is in use. So the file itself is looked at.
#![expect(
    clippy::disallowed_methods,
    reason = "it looks at the disk and the clock, as `files` and `clock` do"
)]

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// A lock file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Seconds since it was last written; nothing where the clock has been set back.
    pub(crate) age_s: Option<u64>,
    /// A process that has it open, as far as this user may see.
    pub(crate) holder: Option<Holder>,
}

/// A process that has a file open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its number.
    pub(crate) pid: u32,
    /// The name of its program.
    pub(crate) program: String,
}

impl LockFile {
    /// Looks at a path; nothing where there is no file.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(path).ok()?;
        let age = found.modified().ok().and_then(|time| time.elapsed().ok());
        Some(Self {
            path: path.to_owned(),
            age_s: age.map(|age| age.as_secs()),
            holder: holder(path),
        })
    }
}

impl fmt::Display for LockFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the lock file {}", self.path.display())?;
        if let Some(age) = self.age_s {
            write!(formatter, ", {age} s old,")?;
        }
        match &self.holder {
            Some(Holder { pid, program }) => {
                write!(formatter, " is open in process {pid} ({program})")
            }
            None => formatter.write_str(" is there, and no process is seen to have it open"),
        }
    }
}

/// Finds a process that has a file open, through `/proc`; processes of other users are not seen.
fn holder(path: &Path) -> Option<Holder> {
    let path = fs::canonicalize(path).ok()?;
    let processes = fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut open = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        open.any(|file| fs::read_link(file.path()).is_ok_and(|target| target == path))
            .then(|| Holder {
                pid,
                program: fs::read_to_string(process.path().join("comm"))
                    .map(|name| name.trim_end().to_owned())
                    .unwrap_or_default(),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::LockFile;

    #[test]
    fn a_lock_file_is_named_with_its_holder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.lock");
        assert_eq!(LockFile::at(&path), None);
        let open = std::fs::File::create(&path).expect("a file");
        let held = LockFile::at(&path).expect("it is there");
        let holder = held.holder.expect("this process has it open");
        assert_eq!(holder.pid, std::process::id());
        drop(open);
        let left = LockFile::at(&path).expect("it is there");
        assert_eq!(left.holder, None);
        assert!(left.age_s.is_some_and(|age| age < 60));
    }
}
