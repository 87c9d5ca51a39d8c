//! What can go wrong with the database.

use std::path::PathBuf;

use crate::{
    contract::{Code, Coded, details, details::Details},
    system::files,
};

/// Why the database gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its folder cannot be used.
    #[error(transparent)]
    Folder(files::Error),
    /// It is damaged.
    #[error("the database {} is damaged: {reason}", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What was found.
        reason: String,
        /// Where a copy was put.
        backup: Option<PathBuf>,
    },
    /// A newer legwork wrote it.
    #[error("the database {} has version {found}, and this legwork knows only {known}", .path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The version known.
        known: i64,
    },
    /// Others kept it locked for too long.
    #[error("the database {} stayed locked", .path.display())]
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no room to write the database {}", .path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// It cannot be opened, read or written.
    #[error("cannot use the database {}: {reason}", .path.display())]
    Unusable {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        reason: String,
    },
    /// A statement of ours is wrong.
    #[error("a statement failed: {0}")]
    Statement(rusqlite::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Folder(inner) => inner.code(),
            Self::Damaged { .. } => Code::StoreDamaged,
            Self::Newer { .. } => Code::StoreNewer,
            Self::Busy { .. } => Code::StoreBusy,
            Self::Full { .. } => Code::DiskFull,
            Self::Unusable { .. } => Code::HomeUnwritable,
            Self::Statement(_) => Code::Internal,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Folder(inner) => inner.remediation(),
            Self::Damaged { path, backup, .. } => {
                let copy = backup.as_ref().map_or_else(
                    || "no copy could be made".to_owned(),
                    |backup| format!("a copy is at {}", backup.display()),
                );
                format!(
                    "Restore {} from your own backup, or move it away to start afresh; {copy}.",
                    path.display()
                )
            }
            Self::Newer { .. } => {
                "Use the newer legwork, or set LEGWORK_HOME to another folder.".to_owned()
            }
            Self::Busy { .. } => "Send the same call again in a moment.".to_owned(),
            Self::Full { path } => format!("Free room on the disk of {}.", path.display()),
            Self::Unusable { path, .. } => format!(
                "Make {} readable and writable, or set LEGWORK_HOME to another folder.",
                path.display()
            ),
            Self::Statement(_) => "Report this; it is a bug in legwork.".to_owned(),
        }
    }

    fn details(&self) -> Details {
        let store = |path: &PathBuf, backup: Option<&PathBuf>| -> Details {
            details::Store::new(path.display().to_string(), self.to_string())
                .copied_to(backup.map(|backup| backup.display().to_string()))
                .into()
        };
        match self {
            Self::Folder(inner) => inner.details(),
            Self::Damaged { path, backup, .. } => store(path, backup.as_ref()),
            Self::Newer { path, .. } | Self::Busy { path } => store(path, None),
            Self::Full { path } | Self::Unusable { path, .. } => {
                details::File::new(path.display().to_string(), self.to_string()).into()
            }
            Self::Statement(_) => Details::NONE,
        }
    }
}
