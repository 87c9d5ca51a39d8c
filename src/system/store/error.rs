//! What can go wrong with the database.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::{
    Damage, Fault,
    fault::Cause,
    postgres::{Failure, Meaning},
};
use crate::{
    contract::{Code, Coded, Violation, details, details::Details},
    system::{configuration, digest, files},
};

/// The most damaged rows that a message names; `details` names more.
const NAMED: usize = 3;

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
    /// Rows or tables in it are not as legwork writes them; the file itself is whole.
    #[error("the database {} holds damaged records: {}", .path.display(), listed(.damage))]
    Records {
        /// The database file, or what may be shown of the server.
        path: PathBuf,
        /// What was found, at least one.
        damage: Vec<Damage>,
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
    /// Another process kept it locked for too long.
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
        /// The error of `SQLite`.
        reason: String,
    },
    /// The server gives no answer.
    #[error("{server} gives no answer: {reason}")]
    Unavailable {
        /// What may be shown of where it is.
        server: String,
        /// What was said, or how long nothing was.
        reason: String,
    },
    /// The server does not let legwork in.
    #[error("{server} refuses legwork: {reason}")]
    Refused {
        /// What may be shown of where it is.
        server: String,
        /// What it says.
        reason: String,
    },
    /// The database that is configured cannot be connected to.
    #[error("the database in {} cannot be used: {reason}", .file.display())]
    Address {
        /// The configuration file.
        file: PathBuf,
        /// What is wrong, without anything of the address.
        reason: String,
    },
    /// A text of the input cannot be kept on the server.
    #[error("{server} cannot keep a text of the input: {reason}")]
    Unkept {
        /// What may be shown of where it is.
        server: String,
        /// What was said.
        reason: String,
    },
    /// The configuration does not say which database it is.
    #[error(transparent)]
    Configuration(#[from] configuration::Error),
    /// A statement of ours is wrong.
    #[error("a statement failed: {0}")]
    Statement(Fault),
}

fn listed(damage: &[Damage]) -> String {
    let named: Vec<String> = damage.iter().take(NAMED).map(Damage::to_string).collect();
    let more = damage.len().saturating_sub(NAMED);
    if more == 0 {
        named.join("; ")
    } else {
        format!("{}; and {more} more", named.join("; "))
    }
}

/// Returns whether a value was not of the type that was asked for.
const fn is_of_a_row(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

/// Returns the table that `SQLite` names in a constraint that was violated: `UNIQUE constraint failed: jobs.job_id`.
fn named_table(error: &rusqlite::Error) -> String {
    let text = error.to_string();
    text.split_once("failed: ")
        .and_then(|(_, columns)| columns.split_once('.'))
        .map_or_else(|| "?".to_owned(), |(table, _)| table.to_owned())
}

impl Error {
    /// Says what a fault of a statement means.
    pub(super) fn of(path: &Path, fault: Fault) -> Self {
        match fault.0 {
            Cause::Damage(damage) => Self::Records {
                path: path.to_owned(),
                damage: vec![*damage],
            },
            Cause::Unsynced(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                Self::Full {
                    path: path.to_owned(),
                }
            }
            Cause::Unsynced(error) => Self::Unusable {
                path: path.to_owned(),
                reason: error.to_string(),
            },
            Cause::Sqlite(error) => Self::of_sqlite(path, error),
            cause @ (Cause::Encoding(_)
            | Cause::Missing
            | Cause::Unselected(_)
            | Cause::Postgres(_)) => Self::Statement(Fault(cause)),
        }
    }

    /// Says what a fault of a statement means that a server was asked.
    pub(super) fn of_server(server: &str, fault: Fault) -> Self {
        let Some(Failure {
            meaning,
            reason,
            table,
        }) = fault.failure().cloned()
        else {
            return Self::of(Path::new(server), fault);
        };
        let (path, server) = (PathBuf::from(server), server.to_owned());
        match meaning {
            Meaning::Lost | Meaning::NotNow => Self::Unavailable { server, reason },
            Meaning::Refused => Self::Refused { server, reason },
            Meaning::Busy => Self::Busy { path },
            Meaning::Full => Self::Full { path },
            Meaning::Contradiction => Self::Records {
                path,
                damage: vec![Damage::of_table(table.as_deref().unwrap_or("?"), reason)],
            },
            Meaning::Unkept => Self::Unkept { server, reason },
            Meaning::NoTable | Meaning::Statement => Self::Statement(fault),
        }
    }

    fn of_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let records = || Self::Records {
            path: path.to_owned(),
            damage: vec![Damage::of_table(&named_table(&error), error.to_string())],
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy {
                path: path.to_owned(),
            },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                damaged(path, &error.to_string())
            }
            Some(ErrorCode::DiskFull) => Self::Full {
                path: path.to_owned(),
            },
            // Every write looks first at what is there, so only rows that contradict each other get here.
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => records(),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Unusable {
                path: path.to_owned(),
                reason: error.to_string(),
            },
            _ if is_of_a_row(&error) => records(),
            _ => Self::Statement(error.into()),
        }
    }
}

/// Sets a copy of a damaged database aside, named by its content so that asking again makes no second copy.
pub(super) fn damaged(path: &Path, reason: &str) -> Error {
    let backup = files::read_regular(path, u64::MAX - 1)
        .ok()
        .and_then(|bytes| {
            let name = format!("legwork.db.damaged-{}", &digest::sha256(&bytes)[..12]);
            let copy = path.with_file_name(name);
            if !files::exists(&copy) {
                files::copy(path, &copy).ok()?;
            }
            Some(copy)
        });
    Error::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
        backup,
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Folder(inner) => inner.code(),
            Self::Damaged { .. } | Self::Records { .. } => Code::StoreDamaged,
            Self::Newer { .. } => Code::StoreNewer,
            Self::Busy { .. } => Code::StoreBusy,
            Self::Full { .. } => Code::DiskFull,
            Self::Unusable { .. } => Code::HomeUnwritable,
            Self::Unavailable { .. } => Code::StoreUnavailable,
            Self::Refused { .. } => Code::StoreRefused,
            Self::Unkept { .. } => Code::SpecInvalid,
            Self::Address { .. } => Code::ConfigInvalid,
            Self::Configuration(inner) => inner.code(),
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
            Self::Records { path, .. } => format!(
                "Call check-store, which names all damage; then restore {} from your own backup, or correct or delete by hand what is named.",
                path.display()
            ),
            Self::Newer { .. } => {
                "Use the newer legwork, or another database: set LEGWORK_HOME to another folder, or change `store` in the configuration.".to_owned()
            }
            Self::Busy { .. } => "Send the same call again in a moment.".to_owned(),
            Self::Full { path } => format!("Free room on the disk of {}.", path.display()),
            Self::Unusable { path, .. } => format!(
                "Make {} readable and writable, or set LEGWORK_HOME to another folder.",
                path.display()
            ),
            Self::Unavailable { server, .. } => {
                format!("See that the server runs and can be reached, then send the same call again: {server}.")
            }
            Self::Refused { server, .. } => {
                format!("Correct user, password or name of the database in `store`, or its rights there: {server}.")
            }
            Self::Unkept { .. } => {
                "Shorten the longest text, or name fewer things.".to_owned()
            }
            Self::Address { file, .. } => {
                format!("Correct `store` in {}, or LEGWORK_STORE.", file.display())
            }
            Self::Configuration(inner) => inner.remediation(),
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
            Self::Records { path, damage } => {
                details::Store::new(path.display().to_string(), self.to_string())
                    .with_damaged(damage.iter().map(|one| {
                        details::DamagedRecord::new(
                            one.table.as_str(),
                            one.row.as_deref(),
                            one.reason.as_str(),
                        )
                    }))
                    .into()
            }
            Self::Newer { path, .. } | Self::Busy { path } => store(path, None),
            Self::Full { path } | Self::Unusable { path, .. } => {
                details::File::new(path.display().to_string(), self.to_string()).into()
            }
            Self::Unavailable { server, .. } | Self::Refused { server, .. } => {
                details::Store::new(server.as_str(), self.to_string()).into()
            }
            Self::Unkept { reason, .. } => {
                details::Input::new(Violation::new("", "store", reason.as_str()), None).into()
            }
            Self::Address { file, reason } => details::Config::new(
                file.display().to_string(),
                Violation::new("/store", "store", reason.as_str()),
            )
            .into(),
            Self::Configuration(inner) => inner.details(),
            Self::Statement(_) => Details::NONE,
        }
    }
}
