//! The database of the calls: reading, writing and checking it, whichever engine keeps it.
//!
//! Invariants: a database that is damaged or newer is never replaced or written; a write happens wholly or not at all, and
//! returns once what it wrote outlives this machine's power; a failure says whether the database, a table or a row is to
//! blame (`error.rs`, `damage.rs`).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Address, Connection, Damage, Error, Fault, Watched, Written,
    postgres::{self, Postgres},
    schema::{self, Schema},
    sqlite::Sqlite,
};
use crate::system::{clock, meter::Meter};

/// The pause between two tries to take a lock of all who share the database, at first and at most.
const HOLD_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// The database, open.
#[derive(Debug)]
pub(crate) struct Store {
    engine: Engine,
    schema: Schema,
}

/// What keeps it.
#[derive(Debug)]
enum Engine {
    /// A file of this machine.
    Sqlite(Box<Sqlite>),
    /// A server.
    Postgres(Box<Postgres>),
}

/// A lock among all who share the database, until it is dropped; of one that nobody shares it is none.
#[derive(Debug)]
pub(crate) struct Hold(
    #[expect(dead_code, reason = "it is there to be dropped")] Option<postgres::Hold>,
);

/// What a check of the whole database found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Integrity {
    /// The database file, or what may be shown of the server.
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
        Ok(Self {
            engine: Engine::Sqlite(Box::new(engine)),
            schema,
        })
    }

    /// Connects to the database of a server, making its tables where there are none.
    pub(crate) fn connect(address: Address, schema: Schema) -> Result<Self, Error> {
        let engine = Postgres::open(address, schema)?;
        Ok(Self {
            engine: Engine::Postgres(Box::new(engine)),
            schema,
        })
    }

    /// Watches for writes of any process, so that nobody has to look for them often; nothing where that cannot be had.
    ///
    /// Must be called on a runtime.
    pub(crate) fn watch(&self) -> Option<Watched> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.watch().map(Watched::File),
            Engine::Postgres(engine) => Some(Watched::Server(engine.hints())),
        }
    }

    /// Reads.
    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.read(ask),
            Engine::Postgres(engine) => engine.read(ask),
        }
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
        self.transact(None, change).await
    }

    /// Writes what is itself the effect of the call, such as the registration of a host.
    pub(crate) async fn write_metered<T>(
        &self,
        meter: &Meter,
        change: impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
    ) -> Result<T, Error> {
        self.transact(Some(meter), change).await
    }

    async fn transact<T>(
        &self,
        meter: Option<&Meter>,
        change: impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
    ) -> Result<T, Error> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.transact(meter, change).await,
            Engine::Postgres(engine) => engine.transact(meter, change).await,
        }
    }

    /// Waits for the lock of a name among all who share the database.
    pub(crate) async fn hold(&self, name: &str) -> Result<Hold, Error> {
        let mut pause = HOLD_PAUSES.0;
        loop {
            if let Some(hold) = self.try_hold(name).await? {
                return Ok(hold);
            }
            clock::sleep(pause).await;
            pause = (pause * 2).min(HOLD_PAUSES.1);
        }
    }

    /// Takes that lock; nothing where somebody has it.
    pub(crate) async fn try_hold(&self, name: &str) -> Result<Option<Hold>, Error> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(Some(Hold(None))),
            Engine::Postgres(engine) => {
                let hold = engine.try_hold(name).await?;
                Ok(hold.map(|hold| Hold(Some(hold))))
            }
        }
    }

    /// Leaves it as processes that make one call find it best; for one that made many, at its end.
    pub(crate) fn settle(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.settle(),
            // A server looks after itself.
            Engine::Postgres(_) => {}
        }
    }

    /// Checks every page, index, table and row.
    pub(crate) fn check(&self) -> Result<Integrity, Error> {
        let mut damage = self.damaged_tables()?;
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
                path: self.path(),
                damage,
            });
        }
        let (version, bytes) = match &self.engine {
            Engine::Sqlite(engine) => (engine.version()?, engine.size()),
            Engine::Postgres(engine) => (engine.version()?.unwrap_or(0), engine.size()?),
        };
        Ok(Integrity {
            path: self.path(),
            version,
            bytes,
            rows,
        })
    }

    fn damaged_tables(&self) -> Result<Vec<Damage>, Error> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.check(),
            Engine::Postgres(engine) => engine.check(),
        }
    }

    fn path(&self) -> PathBuf {
        match &self.engine {
            Engine::Sqlite(engine) => engine.path().to_owned(),
            Engine::Postgres(engine) => engine.server().into(),
        }
    }
}
