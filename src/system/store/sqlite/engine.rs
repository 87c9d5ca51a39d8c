//! Reading and writing the file of the database.
//!
//! Write-ahead mode: readers never wait for the writer. What a write returned from is on the disk; but `SQLite` does not
//! wait for the disk while it has the write lock (`synchronous=NORMAL`), the writer does so by itself once it has let go
//! of the lock, so that the next one writes meanwhile. Whoever comes later in the log waits for those before it too, so
//! nothing that a write was acknowledged for rests on anything that may be lost.
//!
//! Any number of processes open it at once, and there is no daemon to ask, so three things are done by hand. A
//! new database is made in a temporary folder beside its place and moved there whole, because two processes may start
//! it at once. A writer waits for its turn (`turn.rs`) and then for the write lock by trying and sleeping, and not in
//! `SQLite`'s own busy handler, because that would stop the one thread on which all calls of a service run; the call's
//! deadline ends the wait, since a future that sleeps can be dropped. And the log is moved into the
//! database early, because every process that opens the database alone reads all of the log first; a process that writes
//! again and again does so less often. The log keeps its length: what overwrites is on the disk several times sooner than
//! what makes a file longer.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rusqlite::{ErrorCode, Transaction, TransactionBehavior};

use super::{
    super::{
        Connection, Damage, Error, Fault, Schema, Written, error::damaged, schema::version_of,
    },
    create::{LOG, READ_PATIENCE, connect, create},
    differences::{carry_out, differences},
    turn::{Line, Turn},
};
use crate::system::{clock, files, meter::Meter, watched_file::WatchedFile};

/// How long a call waits for the write lock. On a machine with many calls at work a writer may stand still for seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest pause between two tries to get the write lock.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Bytes of the write-ahead log above which it is cut off.
const LOG_LIMIT: u64 = 4096 * 4096;

/// Pages in the log at which a process that has written before moves them into the database.
const LOG_OF_SERVICE: u32 = 1000;

/// Bytes of the log that such a process may leave behind.
const LOG_LEFT: u64 = 64 * 4096;

/// The database, open.
#[derive(Debug)]
pub(crate) struct Sqlite {
    connection: Mutex<rusqlite::Connection>,
    line: Line,
    /// The write-ahead log, once it was written.
    log: Mutex<Option<File>>,
    /// Writes of this process.
    writes: AtomicU64,
    path: PathBuf,
    schema: Schema,
}

impl Sqlite {
    /// Opens the database at `path` below `home`, making it where there is none.
    ///
    /// A file that is there and is not a whole database is never replaced: it is copied aside and refused.
    pub(crate) fn open(home: &Path, path: PathBuf, schema: Schema) -> Result<Self, Error> {
        if !files::exists(&path) {
            create(home, &path, schema)?;
        }
        let connection = connect(&path).map_err(|error| Error::of(&path, error.into()))?;
        let opened = Self {
            connection: Mutex::new(connection),
            line: Line::before(&path),
            log: Mutex::default(),
            writes: AtomicU64::new(0),
            path,
            schema,
        };
        let version = opened.version()?;
        let known = version_of(schema);
        if version > known {
            return Err(Error::Newer {
                path: opened.path,
                found: version,
                known,
            });
        }
        if version < 1 {
            return Err(damaged(&opened.path, "it holds no schema"));
        }
        if version < known {
            opened.migrate()?;
        }
        Ok(opened)
    }

    /// Returns where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        files::metadata(&self.path).map_or(0, |found| found.len())
    }

    /// Watches for writes of any process; nothing where that cannot be had. Must be called on a runtime.
    ///
    /// The log is there as long as this is open.
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
        ask: impl FnOnce(&Connection<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let connection = self.connection();
        ask(&Connection::sqlite(&connection)).map_err(|fault| self.sort(&connection, fault))
    }

    /// Waits for the write lock, changes, and commits what was changed.
    pub(crate) async fn transact<T>(
        &self,
        meter: Option<&Meter>,
        change: impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
    ) -> Result<T, Error> {
        let since = clock::instant();
        let busy = || Error::Busy {
            path: self.path.clone(),
        };
        let turn = clock::within(PATIENCE, self.line.turn())
            .await
            .ok_or_else(busy)?;
        let mut work = Some((turn, change));
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(done) = self.try_transact(meter, &mut work) {
                return done;
            }
            if since.elapsed() >= PATIENCE {
                return Err(busy());
            }
            clock::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Does the work if the write lock is free; nothing where somebody else has it.
    fn try_transact<T>(
        &self,
        meter: Option<&Meter>,
        work: &mut Option<(
            Turn<'_>,
            impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
        )>,
    ) -> Option<Result<T, Error>> {
        let connection = self.connection();
        let result = self.attempt(&connection, meter, work);
        if result.as_ref().is_some_and(Result::is_ok) {
            self.tend_log(&connection);
        }
        // The next read waits for others again, whatever came of this.
        if let Err(error) = connection.busy_timeout(READ_PATIENCE) {
            tracing::debug!(%error, "reads do not wait for others");
        }
        Some(result?.map_err(|fault| self.sort(&connection, fault)))
    }

    /// Does the work of a transaction, and lets the next writer go on before all of it is on the disk.
    fn attempt<T>(
        &self,
        connection: &rusqlite::Connection,
        meter: Option<&Meter>,
        work: &mut Option<(
            Turn<'_>,
            impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
        )>,
    ) -> Option<Result<T, Fault>> {
        if let Err(error) = connection.busy_timeout(Duration::ZERO) {
            return Some(Err(error.into()));
        }
        let transaction =
            match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
                Err(error) if is_busy(&error) => return None,
                begun => begun,
            };
        let (turn, change) = work.take()?;
        let before = connection.total_changes();
        let carry_out = || {
            let transaction = transaction?;
            let value = match change(&Connection::sqlite(connection))? {
                Written::Unchanged(value) => {
                    transaction.rollback()?;
                    drop(turn);
                    // What another writer did, and this call found done, may not be on the disk yet.
                    self.sync()?;
                    return Ok(value);
                }
                Written::Changed(value) => value,
            };
            let commit = || {
                transaction.commit()?;
                drop(turn);
                let has_written = connection.total_changes() != before;
                Ok::<_, Fault>(if has_written { self.sync() } else { Ok(()) })
            };
            let synced = match meter {
                Some(meter) => meter.step(commit),
                None => commit(),
            };
            synced?.map(|()| value)
        };
        Some(carry_out())
    }

    /// Returns once all that was committed is on the disk.
    fn sync(&self) -> Result<(), Fault> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.is_none() {
            // As long as this connection is open it stays the same file. Where somebody changed the journal's mode there
            // is none, and the commit has done it all.
            *log = files::open_if_there(&self.path.with_file_name(LOG)).map_err(Fault::unsynced)?;
        }
        log.as_ref()
            .map_or(Ok(()), File::sync_data)
            .map_err(Fault::unsynced)
    }

    /// Lets the log of a process that writes again and again grow, and cuts off one that grew beyond all bounds.
    fn tend_log(&self, connection: &rusqlite::Connection) {
        if self.writes.fetch_add(1, Ordering::Relaxed) == 1 {
            let longer = connection.pragma_update(None, "wal_autocheckpoint", LOG_OF_SERVICE);
            if let Err(error) = longer {
                tracing::debug!(%error, "the write-ahead log stays short");
            }
        }
        self.cut_log(connection, LOG_LIMIT);
    }

    /// Leaves no long log behind, where this process wrote one and nobody else is at work.
    pub(crate) fn settle(&self) {
        if self.writes.load(Ordering::Relaxed) > 1 {
            let connection = self.connection();
            if connection.busy_timeout(Duration::ZERO).is_ok() {
                self.cut_log(&connection, LOG_LEFT);
            }
        }
    }

    /// Moves the log into the database and cuts it off where it is longer than so many bytes, unless others would have to be
    /// waited for.
    fn cut_log(&self, connection: &rusqlite::Connection, limit: u64) {
        let log = self.path.with_file_name(LOG);
        if files::metadata(&log).is_ok_and(|found| found.len() > limit) {
            let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()));
            if let Err(error) = cut {
                // What is in the log is as safe there; the next writer tries again.
                tracing::debug!(%error, "the write-ahead log stays long");
            }
        }
    }

    /// Checks every page and index, and lists what the database lacks of its schema.
    pub(crate) fn check(&self) -> Result<Vec<Damage>, Error> {
        let findings =
            self.read(|connection| connection.texts("PRAGMA integrity_check(20)", &[]))?;
        if findings != ["ok"] {
            return Err(damaged(&self.path, &findings.join("; ")));
        }
        differences(self.schema, &self.connection())
            .map_err(|error| Error::of(&self.path, error.into()))
    }

    /// Returns the version of its schema.
    pub(crate) fn version(&self) -> Result<i64, Error> {
        let version = self.read(|connection| connection.number("PRAGMA user_version", &[]))?;
        Ok(version.unwrap_or(0))
    }

    /// Brings the schema forward; where several processes try, the first does and the others find it done.
    fn migrate(&self) -> Result<(), Error> {
        let connection = self.connection();
        let carry_out = || {
            connection.busy_timeout(PATIENCE)?;
            let transaction =
                Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
            let version: i64 =
                transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            let done = usize::try_from(version).unwrap_or(0);
            for (index, migration) in self.schema.iter().enumerate().skip(done) {
                carry_out(migration, &transaction)?;
                transaction.execute_batch(&format!("PRAGMA user_version = {}", index + 1))?;
            }
            transaction.commit()?;
            connection.busy_timeout(READ_PATIENCE)
        };
        carry_out()
            .map_err(Fault::from)
            .and_then(|()| self.sync())
            .map_err(|fault| Error::of(&self.path, fault))
    }

    fn connection(&self) -> MutexGuard<'_, rusqlite::Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what a fault means. Where a statement did not fit the database, the database is looked at.
    fn sort(&self, connection: &rusqlite::Connection, fault: Fault) -> Error {
        let sorted = Error::of(&self.path, fault);
        if !matches!(sorted, Error::Statement(_)) {
            return sorted;
        }
        match differences(self.schema, connection) {
            Ok(damage) if !damage.is_empty() => Error::Records {
                path: self.path.clone(),
                damage,
            },
            _ => sorted,
        }
    }
}

/// Returns whether another process has the lock that is needed.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
