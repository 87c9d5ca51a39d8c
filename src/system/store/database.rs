//! The database of the calls: reading, writing and checking it, whichever engine keeps it.
//!
//! Invariants: a database that is damaged or newer is never replaced or written; a write happens wholly or not at all, and
//! returns once what it wrote outlives this machine's power; a failure says whether the database, a table or a row is to
//! blame (`error.rs`, `damage.rs`).

use std::path::{Path, PathBuf};

use super::{
    Connection, Error, Fault, Written,
    schema::{self, Schema},
    sqlite::Sqlite,
};
use crate::system::{meter::Meter, watched_file::WatchedFile};

/// The database, open.
#[derive(Debug)]
pub(crate) struct Store {
    engine: Sqlite,
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

impl Store {
    /// Returns where the database below `home` lies.
    pub(crate) fn file(home: &Path) -> PathBuf {
        home.join("legwork.db")
    }

    /// Opens the database below `home`, making it where there is none.
    pub(crate) fn open(home: &Path, schema: Schema) -> Result<Self, Error> {
        let engine = Sqlite::open(home, Self::file(home), schema)?;
        Ok(Self { engine, schema })
    }

    /// Watches for writes of any process, so that nobody has to look for them; nothing where that cannot be had.
    ///
    /// Must be called on a runtime.
    pub(crate) fn watch(&self) -> Option<WatchedFile> {
        self.engine.watch()
    }

    /// Reads.
    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        self.engine.read(ask)
    }

    /// Writes, all or nothing, and returns once it is on the disk.
    ///
    /// It is for records of what happened elsewhere and for caches, which are no effect of the call by themselves. Two
    /// nouns write in one transaction by passing it on: their functions take a `&Connection<'_>`.
    pub(crate) async fn write<T>(
        &self,
        change: impl FnOnce(&Connection<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let change = |connection: &Connection<'_>| change(connection).map(Written::Changed);
        self.engine.transact(None, change).await
    }

    /// Writes what is itself the effect of the call, such as the registration of a host.
    pub(crate) async fn write_metered<T>(
        &self,
        meter: &Meter,
        change: impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
    ) -> Result<T, Error> {
        self.engine.transact(Some(meter), change).await
    }

    /// Leaves it as processes that make one call find it best; for one that made many, at its end.
    pub(crate) fn settle(&self) {
        self.engine.settle();
    }

    /// Checks every page, index, table and row.
    pub(crate) fn check(&self) -> Result<Integrity, Error> {
        let mut damage = self.engine.check()?;
        let mut rows = 0;
        for table in schema::tables(self.schema) {
            let statement = format!("SELECT * FROM {}", table.name);
            match self.read(|connection| table.rows(connection, &statement, &[], table.check)) {
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
                path: self.engine.path().to_owned(),
                damage,
            });
        }
        Ok(Integrity {
            path: self.engine.path().to_owned(),
            version: self.engine.version()?,
            bytes: self.engine.size(),
            rows,
        })
    }
}
