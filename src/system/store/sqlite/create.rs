//! Opening the file of the database, and making it where there is none.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    super::{Error, Schema, connection::PREPARED},
    differences::carry_out,
};
use crate::system::{files, temporary::Scratch};

/// The name of the write-ahead log, beside the database.
pub(super) const LOG: &str = "legwork.db-wal";

/// The name of a new database that is still being made, in a folder of its own.
const DRAFT: &str = "draft.db";

/// How long a read waits, with its thread standing still. Readers wait only for a process that has the whole file locked.
pub(super) const READ_PATIENCE: Duration = Duration::from_secs(1);

/// Opens a database that is there.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(READ_PATIENCE)?;
    connection.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 32",
    )?;
    // Without it a statement that binds its LIMIT is made anew each time it is used.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

/// Makes a new database beside its place and moves it there whole, so that no process ever finds a half-made one.
pub(super) fn create(home: &Path, path: &Path, schema: Schema) -> Result<(), Error> {
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
        connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL")?;
        let transaction = connection.transaction()?;
        for migration in schema {
            carry_out(migration, &transaction)?;
        }
        transaction.execute_batch(&format!("PRAGMA user_version = {}", schema.len()))?;
        transaction.commit()?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|error| Error::of(path, error.into()))?;
    // The second of two processes uses the database of the first.
    scratch
        .persist_new(DRAFT, path)
        .map_err(|source| Error::Folder(files::Error::of(path, source)))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::{connect, files};

    #[test]
    fn a_statement_that_is_kept_is_not_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("some.db");
        files::touch(&path).expect("a file");
        let connection = connect(&path).expect("a database");
        connection
            .execute_batch("CREATE TABLE things (name TEXT PRIMARY KEY, number INTEGER)")
            .expect("a table");
        let mut statement = connection
            .prepare("SELECT name FROM things WHERE number <= ?1 ORDER BY name LIMIT ?2")
            .expect("a statement");
        for limit in 1..5 {
            let found = statement.query_map([9, limit], |row| row.get::<_, String>(0));
            assert_eq!(found.expect("an answer").count(), 0);
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
