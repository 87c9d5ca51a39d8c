//! Reading and writing the shared database.
//!
//! A write begins by taking the lock of all writers, as a write to the embedded database does: who reads and then changes
//! sees what it read unchanged, and rows that are numbered in order become visible in order. It is a transaction of
//! `READ COMMITTED`, so what is read under the lock is what the writers before it committed. The lock waits in a queue, first
//! come, first served. Locks of single rows would let claims be made beside each other, but what a claim may take hangs on
//! counts over all tasks, which have to be counted one at a time.
//!
//! Every statement has a time limit, here and at the server. A server that is gone, or gives no answer, is an error
//! that says so; a connection of which an answer stayed out is not used again. Where the answer to a commit stays out,
//! whether it happened is unknown, and the meter says so.

use std::time::Duration;

use super::{
    super::{
        Connection, Damage, Error, Fault, Schema, Written,
        schema::{self, version_of},
    },
    Address, Failure, Hints, Session, dialect,
    differences::differences,
    failure::Meaning,
    pool::{Lent, Pool},
};
use crate::{
    contract::Effect,
    system::{digest, meter::Meter},
};

/// How long the lock of all writers is waited for. The server itself stops waiting after 30 s.
const LOCK_LIMIT: Duration = Duration::from_secs(32);

/// Begins a write that has its place among the others. The numbers of the locks are legwork's own.
const BEGIN_IN_ORDER: &str = "BEGIN; SELECT pg_advisory_xact_lock(1818584939, 1)";

/// Ends a write, and tells those who listen.
const COMMIT: &str = "NOTIFY legwork; COMMIT";

/// Begins a change of the schema.
const BEGIN_MIGRATION: &str = "BEGIN; SELECT pg_advisory_xact_lock(1818584939, 2);
    SELECT pg_advisory_xact_lock(1818584939, 1);
    CREATE TABLE IF NOT EXISTS legwork_schema (version BIGINT NOT NULL)";

/// Takes a lock that ends with its connection, where nobody has it.
const TRY_LOCK: &str = "SELECT CASE WHEN pg_try_advisory_lock(?1) THEN 1 ELSE 0 END";

/// Reads the version of the schema.
const VERSION: &str = "SELECT version FROM legwork_schema";

/// A lock among all who use the database. It goes with the connection that took it, whatever ends that: this process, or the server.
#[derive(Debug)]
pub(crate) struct Hold(#[expect(dead_code, reason = "it lasts as long as the connection")] Session);

/// The database.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    schema: Schema,
}

impl Postgres {
    /// Connects to the database, and makes its tables where there are none.
    pub(crate) fn open(address: Address, schema: Schema) -> Result<Self, Error> {
        let server = address.shown().to_owned();
        let pool = Pool::new(address).map_err(|error| Error::Unavailable {
            server,
            reason: format!("no thread for it: {error}"),
        })?;
        let opened = Self { pool, schema };
        let known = version_of(schema);
        let found = match opened.version()? {
            Some(found) if found >= known => found,
            _ => opened.migrate()?,
        };
        if found > known {
            return Err(Error::Newer {
                path: opened.server().into(),
                found,
                known,
            });
        }
        Ok(opened)
    }

    /// Returns what may be shown of where it is.
    pub(crate) fn server(&self) -> &str {
        self.pool.server()
    }

    /// Returns its size in bytes.
    pub(crate) fn size(&self) -> Result<u64, Error> {
        let size = self.read(|connection| {
            connection.number("SELECT pg_database_size(current_database())", &[])
        })?;
        Ok(size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
    }

    /// Listens for writes.
    pub(crate) fn hints(&self) -> Hints {
        self.pool.hints()
    }

    /// Reads.
    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let answer = || -> Result<T, Fault> {
            let lent = self.pool.take()?;
            ask(&Connection::postgres(lent.session()?))
        };
        answer().map_err(|fault| self.sort(fault))
    }

    /// Waits for the lock of all writers, changes, and commits what was changed.
    pub(crate) async fn transact<T>(
        &self,
        meter: Option<&Meter>,
        change: impl FnOnce(&Connection<'_>) -> Result<Written<T>, Fault>,
    ) -> Result<T, Error> {
        let begun = self.begin(BEGIN_IN_ORDER).await;
        let done = begun.map_err(Fault::from).and_then(|mut lent| {
            let written = change(&Connection::postgres(lent.session()?))?;
            finish(&mut lent, meter, written)
        });
        done.map_err(|fault| self.sort(fault))
    }

    /// Begins a transaction. Where the future is dropped the server is told to give it up.
    async fn begin(&self, statements: &'static str) -> Result<Lent<'_>, Failure> {
        let mut lent = self.pool.wait_for_one().await?;
        lent.is_busy = true;
        lent.session()?.wait_for(LOCK_LIMIT, statements).await?;
        Ok(lent)
    }

    /// Takes the lock of a name, among all who use the database; nothing where somebody has it.
    pub(crate) async fn try_hold(&self, name: &str) -> Result<Option<Hold>, Error> {
        let lent = self.pool.wait_for_one().await;
        let taken = lent.map_err(Fault::from).and_then(|lent| {
            let key = i64::from_str_radix(&digest::sha256(name.as_bytes())[..15], 16);
            let key = key.unwrap_or_default();
            let got = Connection::postgres(lent.session()?).number(TRY_LOCK, &[key.into()])?;
            Ok(if got == Some(1) {
                Some(Hold(lent.keep()?))
            } else {
                None
            })
        });
        taken.map_err(|fault| self.sort(fault))
    }

    /// Lists what the database lacks of its schema.
    pub(crate) fn check(&self) -> Result<Vec<Damage>, Error> {
        self.differences().map_err(|fault| self.sort(fault))
    }

    fn differences(&self) -> Result<Vec<Damage>, Fault> {
        let mut lent = self.pool.take()?;
        lent.is_busy = true;
        let found = differences(lent.session()?, self.schema)?;
        lent.is_busy = false;
        Ok(found)
    }

    /// Returns the version of its schema; nothing where there is none.
    pub(crate) fn version(&self) -> Result<Option<i64>, Error> {
        let found = self
            .pool
            .take()
            .map_err(Fault::from)
            .and_then(|lent| Connection::postgres(lent.session()?).number(VERSION, &[]));
        match found {
            Err(fault)
                if fault
                    .failure()
                    .is_some_and(|one| one.meaning == Meaning::NoTable) =>
            {
                Ok(None)
            }
            other => other.map_err(|fault| self.sort(fault)),
        }
    }

    /// Brings the schema forward, and returns its version; where several do so at once, the first does it and the others find it done.
    fn migrate(&self) -> Result<i64, Error> {
        let carry_out = || -> Result<i64, Fault> {
            let mut lent = self.pool.take()?;
            lent.is_busy = true;
            let session = lent.session()?;
            session.batch(BEGIN_MIGRATION)?;
            let connection = Connection::postgres(session);
            let version = connection.number(VERSION, &[])?;
            let done = usize::try_from(version.unwrap_or(0)).unwrap_or(usize::MAX);
            for migration in self.schema.iter().skip(done) {
                for statements in schema::statements(migration) {
                    session.batch(&dialect::declaration(statements))?;
                }
            }
            let known = version_of(self.schema);
            if version.is_none_or(|version| version < known) {
                connection.execute("DELETE FROM legwork_schema", &[])?;
                connection.execute(
                    "INSERT INTO legwork_schema (version) VALUES (?1)",
                    &[known.into()],
                )?;
            }
            session.batch("COMMIT")?;
            lent.is_busy = false;
            Ok(version.unwrap_or(0).max(known))
        };
        carry_out().map_err(|fault| self.sort(fault))
    }

    /// Says what a fault means. Where a statement did not fit the database, the database is looked at.
    fn sort(&self, fault: Fault) -> Error {
        let is_odd = fault.failure().is_some_and(|failure| {
            matches!(failure.meaning, Meaning::Statement | Meaning::NoTable)
        });
        if is_odd
            && let Ok(damage) = self.differences()
            && !damage.is_empty()
        {
            return Error::Records {
                path: self.server().into(),
                damage,
            };
        }
        Error::of_server(self.server(), fault)
    }
}

/// Commits a transaction that changed something, and takes back one that did not.
fn finish<T>(lent: &mut Lent<'_>, meter: Option<&Meter>, written: Written<T>) -> Result<T, Fault> {
    let value = match written {
        Written::Unchanged(value) => {
            lent.session()?.batch("ROLLBACK")?;
            value
        }
        Written::Changed(value) => {
            commit(lent, meter)?;
            value
        }
    };
    lent.is_busy = false;
    Ok(value)
}

fn commit(lent: &Lent<'_>, meter: Option<&Meter>) -> Result<(), Fault> {
    let Some(meter) = meter else {
        return lent.session()?.batch(COMMIT);
    };
    meter.changing();
    let done = lent.session()?.batch(COMMIT);
    match &done {
        Ok(()) => meter.settled(Effect::Applied),
        // Without an answer it stays unknown; the same call again finds out.
        Err(fault) if fault.failure().is_some_and(Failure::is_definite) => {
            meter.settled(Effect::None);
        }
        Err(_) => {}
    }
    done
}
