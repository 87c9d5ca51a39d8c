//! Opening, migrating, reading and writing the database.
//!
//! One `SQLite` file in write-ahead mode with `synchronous=FULL`: what a write returned from is on the disk, and readers
//! never wait for the writer. Any number of processes open it at once, and there is no daemon to ask, so three things
//! are done by hand. A new database is made in a temporary folder beside its place and moved there whole, because two
//! processes may start it at once. A writer waits for the write lock by trying and sleeping, and not in `SQLite`'s own
//! busy handler, because that would stop the one thread on which all calls of a service run; the call's deadline ends
//! the wait, since a future that sleeps can be dropped. And a writer empties a write-ahead log that has grown, because
//! every process that opens the database alone reads all of the log first.
//!
//! Invariants: a file that is damaged or newer is never replaced or written; a write happens wholly or not at all; a
//! failure says whether the file, a table or a row is to blame (`error.rs`, `damage.rs`).

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{
    Error,
    error::{damaged, is_busy},
    schema::{self, Schema},
};
use crate::system::{clock, files, meter::Meter, temporary::Scratch, watched_file::WatchedFile};

/// The name of the write-ahead log, beside the database.
const LOG: &str = "legwork.db-wal";

/// The name of a new database that is still being made, in a folder of its own.
const DRAFT: &str = "draft.db";

/// How long a call waits for the write lock. On a machine with many calls at work a writer may stand still for seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a read waits, with its thread standing still. Readers wait only for a process that has the whole file locked.
const READ_PATIENCE: Duration = Duration::from_secs(1);

/// Statements that are kept prepared: one change of the queue uses twenty.
const STATEMENTS_KEPT: usize = 64;

/// The longest pause between two tries to get the write lock.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Bytes of the write-ahead log above which a writer moves it into the database.
const LOG_LIMIT: u64 = 32 * 4096;

/// The database, open.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
    path: PathBuf,
    schema: Schema,
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
    /// Rows in all tables.
    pub(crate) rows: u64,
}

/// Whether a metered write changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written<T> {
    /// It changed something.
    Changed(T),
    /// It found everything as it is to be.
    Unchanged(T),
}

impl Store {
    /// Returns where the database below `home` lies.
    pub(crate) fn file(home: &Path) -> PathBuf {
        home.join("legwork.db")
    }

    /// Opens the database below `home`, making it where there is none.
    ///
    /// A file that is there and is not a whole database is never replaced: it is copied aside and refused.
    pub(crate) fn open(home: &Path, schema: Schema) -> Result<Self, Error> {
        let path = Self::file(home);
        if !files::exists(&path) {
            create(home, &path, schema)?;
        }
        let connection = connect(&path).map_err(|error| Error::of(&path, error))?;
        let store = Self {
            connection: Mutex::new(connection),
            path,
            schema,
        };
        let version = store.version()?;
        let known = version_of(schema);
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

    /// Watches for writes of any process, so that nobody has to look for them; nothing where that cannot be had.
    ///
    /// The log is there as long as this is open. Must be called on a runtime.
    pub(crate) fn watch(&self) -> Option<WatchedFile> {
        match WatchedFile::new(&self.path.with_file_name(LOG)) {
            Ok(watched) => Some(watched),
            Err(error) => {
                tracing::debug!(%error, "the write-ahead log cannot be watched");
                None
            }
        }
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
        ask(&connection).map_err(|error| self.sort(&connection, error))
    }

    /// Writes, all or nothing, and returns once it is on the disk.
    ///
    /// It is for records of what happened elsewhere and for caches, which are no effect of the call by themselves. Two
    /// nouns write in one transaction by passing it on: their functions take a `&Connection`.
    pub(crate) async fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let commit = |transaction: Transaction<'_>, value| transaction.commit().map(|()| value);
        self.transact(change, commit).await
    }

    /// Writes what is itself the effect of the call, such as the registration of a host.
    pub(crate) async fn write_metered<T>(
        &self,
        meter: &Meter,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Written<T>>,
    ) -> Result<T, Error> {
        let commit = |transaction: Transaction<'_>, written| match written {
            Written::Unchanged(value) => transaction.rollback().map(|()| value),
            Written::Changed(value) => meter.step(|| transaction.commit()).map(|()| value),
        };
        self.transact(change, commit).await
    }

    /// Waits for the write lock, changes, and commits.
    async fn transact<T, U>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
        commit: impl FnOnce(Transaction<'_>, T) -> rusqlite::Result<U>,
    ) -> Result<U, Error> {
        let since = clock::instant();
        let mut work = Some((change, commit));
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(done) = self.try_transact(&mut work) {
                return done;
            }
            if since.elapsed() >= PATIENCE {
                return Err(Error::Busy {
                    path: self.path.clone(),
                });
            }
            clock::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Does the work if the write lock is free; nothing where somebody else has it.
    fn try_transact<T, U>(
        &self,
        work: &mut Option<(
            impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
            impl FnOnce(Transaction<'_>, T) -> rusqlite::Result<U>,
        )>,
    ) -> Option<Result<U, Error>> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = attempt(&mut connection, work);
        if result.as_ref().is_some_and(Result::is_ok) {
            self.shorten_log(&connection);
        }
        // The next read waits for others again, whatever came of this.
        if let Err(error) = connection.busy_timeout(READ_PATIENCE) {
            tracing::debug!(%error, "reads do not wait for others");
        }
        Some(result?.map_err(|error| self.sort(&connection, error)))
    }

    /// Empties a long write-ahead log, unless others are at work, who would have to be waited for.
    fn shorten_log(&self, connection: &Connection) {
        let log = self.path.with_file_name(LOG);
        if files::metadata(&log).is_ok_and(|found| found.len() > LOG_LIMIT) {
            let shortened =
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()));
            if let Err(error) = shortened {
                // What is in the log is as safe there; the next writer tries again.
                tracing::debug!(%error, "the write-ahead log stays long");
            }
        }
    }

    /// Checks every page, index, table and row.
    pub(crate) fn check(&self) -> Result<Integrity, Error> {
        let findings: Vec<String> = self.read(|connection| {
            let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })?;
        if findings != ["ok"] {
            return Err(damaged(&self.path, &findings.join("; ")));
        }
        let mut damage = self.read(|connection| schema::differences(self.schema, connection))?;
        let mut rows = 0;
        for table in schema::tables(self.schema) {
            let found = self.read(|connection| {
                let statement = format!("SELECT * FROM {}", table.name);
                table.rows(&mut connection.prepare(&statement)?, [], table.check)
            });
            match found {
                Ok(found) => {
                    rows += (found.read.len() + found.damaged.len()) as u64;
                    damage.extend(found.damaged);
                }
                // The table itself is damaged, and listed already.
                Err(_) if damage.iter().any(|one| one.table == table.name) => {}
                Err(error) => return Err(error),
            }
        }
        if !damage.is_empty() {
            return Err(Error::Records {
                path: self.path.clone(),
                damage,
            });
        }
        let bytes = files::metadata(&self.path).map_or(0, |found| found.len());
        Ok(Integrity {
            path: self.path.clone(),
            version: self.version()?,
            bytes,
            rows,
        })
    }

    fn version(&self) -> Result<i64, Error> {
        self.read(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)))
    }

    /// Brings the schema forward; where several processes try, the first does and the others find it done.
    fn migrate(&self) -> Result<(), Error> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut carry_out = || {
            connection.busy_timeout(PATIENCE)?;
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let version: i64 =
                transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            let done = usize::try_from(version).unwrap_or(0);
            for (index, migration) in self.schema.iter().enumerate().skip(done) {
                schema::carry_out(migration, &transaction)?;
                transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
            }
            transaction.commit()?;
            connection.busy_timeout(READ_PATIENCE)
        };
        carry_out().map_err(|error: rusqlite::Error| Error::of(&self.path, error))
    }

    /// Says what an error means. Where a statement did not fit the database, the database is looked at.
    fn sort(&self, connection: &Connection, error: rusqlite::Error) -> Error {
        let sorted = Error::of(&self.path, error);
        if !matches!(sorted, Error::Statement(_)) {
            return sorted;
        }
        match schema::differences(self.schema, connection) {
            Ok(damage) if !damage.is_empty() => Error::Records {
                path: self.path.clone(),
                damage,
            },
            _ => sorted,
        }
    }
}

/// Does the work of a transaction; nothing where another process has the write lock.
fn attempt<T, U>(
    connection: &mut Connection,
    work: &mut Option<(
        impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
        impl FnOnce(Transaction<'_>, T) -> rusqlite::Result<U>,
    )>,
) -> Option<rusqlite::Result<U>> {
    if let Err(error) = connection.busy_timeout(Duration::ZERO) {
        return Some(Err(error));
    }
    match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Err(error) if is_busy(&error) => None,
        Err(error) => Some(Err(error)),
        Ok(transaction) => {
            let (change, commit) = work.take()?;
            Some(change(&transaction).and_then(|value| commit(transaction, value)))
        }
    }
}

fn version_of(schema: Schema) -> i64 {
    i64::try_from(schema.len()).unwrap_or(i64::MAX)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(READ_PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    Ok(connection)
}

/// Makes a new database beside its place and moves it there whole, so that no process ever finds a half-made one.
fn create(home: &Path, path: &Path, schema: Schema) -> Result<(), Error> {
    files::make_private_folder(home).map_err(Error::Folder)?;
    let log = home.join(LOG);
    if files::metadata(&log).is_ok_and(|found| found.len() > 0) && !files::exists(path) {
        return Err(Error::Damaged {
            path: path.to_owned(),
            reason: "its write-ahead log is there and the database itself is gone".to_owned(),
            backup: Some(log),
        });
    }
    let fail = |source| Error::Folder(files::Error::of(home, source));
    // A folder, because the database has files beside it while it is made.
    let scratch = Scratch::inside(home).map_err(fail)?;
    let draft = scratch.path().join(DRAFT);
    files::touch(&draft).map_err(fail)?;
    let make = || -> rusqlite::Result<()> {
        let mut connection = connect(&draft)?;
        connection.execute_batch("PRAGMA journal_mode = DELETE")?;
        let transaction = connection.transaction()?;
        for migration in schema {
            schema::carry_out(migration, &transaction)?;
        }
        transaction.execute_batch(&format!("PRAGMA user_version = {}", schema.len()))?;
        transaction.commit()?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|error| Error::of(path, error))?;
    // The second of two processes uses the database of the first.
    scratch
        .persist_new(DRAFT, path)
        .map_err(|source| Error::Folder(files::Error::of(path, source)))
}
