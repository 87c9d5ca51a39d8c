//! Opening, migrating, reading and writing the database.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::Error;
use crate::system::{digest, files};

/// The schemas in order: the first makes a new database, each later one brings the one before it forward.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// The name of the write-ahead log, beside the database.
const LOG: &str = "legwork.db-wal";

/// How long a call waits for others to let go of the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of the write-ahead log above which whoever writes moves it into the database.
///
/// Every process that opens the database alone reads the whole log first, and most are alone.
const LOG_LIMIT: u64 = 32 * 4096;

/// The database, open.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
    path: PathBuf,
}

/// What a check of the whole database found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Integrity {
    /// The database file.
    pub(crate) path: PathBuf,
    /// Its schema version.
    pub(crate) version: i64,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

impl Store {
    /// Returns where the database below `home` lies.
    pub(crate) fn file(home: &Path) -> PathBuf {
        home.join("legwork.db")
    }

    /// Opens the database below `home`, making it where there is none.
    ///
    /// A file that is there and is not a whole database is never replaced: it is copied aside and refused.
    pub(crate) fn open(home: &Path) -> Result<Self, Error> {
        let path = Self::file(home);
        if !files::exists(&path) {
            create(home, &path)?;
        }
        let connection = connect(&path).map_err(|error| sort(&path, error))?;
        let store = Self {
            connection: Mutex::new(connection),
            path,
        };
        let version = store.version()?;
        let known = known_version();
        if version > known {
            return Err(Error::Newer {
                path: store.path,
                found: version,
                known,
            });
        }
        if version < 1 {
            return Err(damaged(&store.path, "it holds no schema"));
        }
        if version < known {
            store.migrate()?;
        }
        Ok(store)
    }

    /// Reads.
    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ask(&connection).map_err(|error| sort(&self.path, error))
    }

    /// Writes, all or nothing; what it returns from is on the disk.
    pub(crate) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = change(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        let value = result.map_err(|error| sort(&self.path, error))?;
        self.shorten_log(&connection);
        Ok(value)
    }

    /// Empties a long write-ahead log, unless others are at work, who would have to be waited for.
    fn shorten_log(&self, connection: &Connection) {
        let log = self.path.with_file_name(LOG);
        if files::metadata(&log).is_ok_and(|found| found.len() > LOG_LIMIT) {
            let shortened = connection.busy_timeout(Duration::ZERO).and_then(|()| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
            });
            // Whatever came of it, the next statement waits for others again.
            let patient = connection.busy_timeout(PATIENCE);
            if let Err(error) = shortened.and(patient) {
                // What is in the log is as safe there; whoever writes next tries again.
                tracing::debug!(%error, "the write-ahead log stays long");
            }
        }
    }

    /// Checks every page and index.
    pub(crate) fn check(&self) -> Result<Integrity, Error> {
        let findings: Vec<String> = self.read(|connection| {
            let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })?;
        if findings != ["ok"] {
            return Err(damaged(&self.path, &findings.join("; ")));
        }
        let bytes = files::metadata(&self.path).map_or(0, |found| found.len());
        Ok(Integrity {
            path: self.path.clone(),
            version: self.version()?,
            bytes,
        })
    }

    fn version(&self) -> Result<i64, Error> {
        self.read(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)))
    }

    fn migrate(&self) -> Result<(), Error> {
        self.write(|transaction| {
            // Read again inside: another process may have migrated meanwhile.
            let version: i64 =
                transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            let done = usize::try_from(version).unwrap_or(0);
            for (index, migration) in MIGRATIONS.iter().enumerate().skip(done) {
                transaction.execute_batch(migration)?;
                transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
            }
            Ok(())
        })
    }
}

fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    Ok(connection)
}

/// Makes a new database beside its place and moves it there whole, so that nobody ever sees a half-made one.
fn create(home: &Path, path: &Path) -> Result<(), Error> {
    files::make_private_folder(home).map_err(Error::Folder)?;
    let log = home.join(LOG);
    if files::metadata(&log).is_ok_and(|found| found.len() > 0) && !files::exists(path) {
        return Err(Error::Damaged {
            path: path.to_owned(),
            reason: "its write-ahead log is there and the database itself is gone".to_owned(),
            backup: Some(log),
        });
    }
    let temporary = tempfile::Builder::new()
        .prefix("legwork.db.new")
        .tempfile_in(home)
        .map_err(|source| Error::Folder(files::Error::of(home, source)))?;
    let make = || -> rusqlite::Result<()> {
        let mut connection = connect(temporary.path())?;
        connection.execute_batch("PRAGMA journal_mode = DELETE")?;
        let transaction = connection.transaction()?;
        for migration in MIGRATIONS {
            transaction.execute_batch(migration)?;
        }
        transaction.execute_batch(&format!("PRAGMA user_version = {}", MIGRATIONS.len()))?;
        transaction.commit()?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|error| sort(path, error))?;
    // Whoever comes second keeps the database of whoever came first.
    match temporary.persist_noclobber(path) {
        Ok(_file) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::Folder(files::Error::of(path, error.error))),
    }
}

fn sort(path: &Path, error: rusqlite::Error) -> Error {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            damaged(&path, &error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { path },
        Some(ErrorCode::DiskFull) => Error::Full { path },
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure
            | ErrorCode::FileLockingProtocolFailed,
        ) => Error::Unusable {
            path,
            reason: error.to_string(),
        },
        _ => Error::Statement(error),
    }
}

/// Sets a copy of a damaged database aside, named by its content so that asking again makes no second copy.
fn damaged(path: &Path, reason: &str) -> Error {
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
