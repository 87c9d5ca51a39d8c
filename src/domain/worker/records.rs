//! The sessions of workers in the database: all statements of this noun.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{
    error::Error,
    session::{Session, Sight, id},
    table::{self, COLUMNS, SESSIONS},
};
use crate::{
    contract::Name,
    system::{
        Context, files, station,
        store::{Connection, Fault, Page, Value},
    },
};

/// Bytes of randomness in an id.
const RANDOM: usize = 4;

/// Sessions that have ended and are kept, whatever their worker.
const KEPT: i64 = 1000;

/// Writes down a session of a worker that begins; `make` gets its id, its station, and the time.
///
/// Of each name there is one worker, wherever it runs.
pub(super) async fn begin(
    context: &Context,
    worker: &Name,
    make: impl FnOnce(Name, String, String) -> Session,
) -> Result<Session, Error> {
    let random = files::random_hexadecimal(RANDOM)
        .map_err(|error| Error::Folder(files::Error::of(Path::new("/dev/urandom"), error)))?;
    let own = station::own(context.environment());
    let begun = context
        .store()?
        .write(|connection| {
            let there = newest_of(connection, worker)?;
            let there = there.map(|there| looked_at(connection, &own, there)).transpose()?;
            if let Some(there) = there.filter(Session::runs_elsewhere) {
                return Ok(Err(there));
            }
            let last = connection.number(
                "SELECT coalesce(max(number), 0) FROM worker_sessions WHERE number < 4000000000000000000",
                &[],
            )?;
            let last = last.unwrap_or(0);
            let session = make(id(last + 1, &random), own, connection.now_text()?);
            connection.execute(
                "INSERT INTO worker_sessions (number, session_id, worker, ended_at, record) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[
                    (last + 1).into(),
                    session.session_id.as_str().into(),
                    session.worker.as_str().into(),
                    session.ended_at.as_deref().into(),
                    (&serde_json::to_string(&session)?).into(),
                ],
            )?;
            connection.execute(
                "DELETE FROM worker_sessions WHERE ended_at IS NOT NULL AND number < ?1",
                &[(last - KEPT).into()],
            )?;
            Ok(Ok(session))
        })
        .await?;
    begun.map_err(|there| Error::Taken {
        worker: there.worker,
        node: there.node,
    })
}

/// Says from where a session is looked at.
fn looked_at(connection: &Connection<'_>, own: &str, session: Session) -> Result<Session, Fault> {
    let other = session.station.as_deref().is_some_and(|other| other != own);
    // A file of this machine holds no sessions but those of here, whatever it was called when they began.
    if !other || !connection.is_shared() {
        return Ok(session);
    }
    let last = session.seen_at.parse::<Timestamp>().ok();
    let lease =
        SignedDuration::from_secs(i64::try_from(session.options.lease_s).unwrap_or(i64::MAX));
    let until = last.and_then(|last| last.checked_add(lease).ok());
    let now = connection.now()?;
    Ok(Session {
        sight: if until.is_some_and(|until| until > now) {
            Sight::Heard
        } else {
            Sight::Silent
        },
        ..session
    })
}

fn all_looked_at(
    connection: &Connection<'_>,
    own: &str,
    page: Page<Session>,
) -> Result<Page<Session>, Fault> {
    let read = page.read.into_iter();
    let read = read.map(|session| looked_at(connection, own, session));
    Ok(Page {
        read: read.collect::<Result<_, Fault>>()?,
        ..page
    })
}

/// Writes that a session lives, and what it did.
pub(super) async fn say(context: &Context, session: &mut Session) -> Result<(), Error> {
    context
        .store()?
        .write(|connection| {
            session.seen_at = connection.now_text()?;
            update(connection, session)
        })
        .await?;
    Ok(())
}

/// Writes a session over what was there of it.
pub(super) async fn put(context: &Context, session: &Session) -> Result<(), Error> {
    context
        .store()?
        .write(|connection| update(connection, session))
        .await?;
    Ok(())
}

fn update(connection: &Connection<'_>, session: &Session) -> Result<(), Fault> {
    connection
        .execute(
            "UPDATE worker_sessions SET ended_at = ?2, record = ?3 WHERE session_id = ?1",
            &[
                session.session_id.as_str().into(),
                session.ended_at.as_deref().into(),
                (&serde_json::to_string(session)?).into(),
            ],
        )
        .map(drop)
}

/// Finds a session by its id; nothing where there is none, or it cannot be read.
pub(super) fn find(context: &Context, session_id: &str) -> Result<Option<Session>, Error> {
    let statement = format!("SELECT {COLUMNS} FROM worker_sessions WHERE session_id = ?1");
    let own = station::own(context.environment());
    let found = context.store()?.read(|connection| {
        one(connection, &statement, session_id)?
            .map(|session| looked_at(connection, &own, session))
            .transpose()
    })?;
    Ok(found)
}

/// Finds the newest session of a worker that can be read.
pub(super) fn newest(context: &Context, worker: &Name) -> Result<Option<Session>, Error> {
    let own = station::own(context.environment());
    let found = context.store()?.read(|connection| {
        newest_of(connection, worker)?
            .map(|session| looked_at(connection, &own, session))
            .transpose()
    })?;
    Ok(found)
}

fn newest_of(connection: &Connection<'_>, worker: &Name) -> Result<Option<Session>, Fault> {
    let statement = format!(
        "SELECT {COLUMNS} FROM worker_sessions WHERE worker = ?1 ORDER BY number DESC LIMIT 1"
    );
    one(connection, &statement, worker.as_str())
}

fn one(
    connection: &Connection<'_>,
    statement: &str,
    value: &str,
) -> Result<Option<Session>, Fault> {
    let found = SESSIONS.one(connection, statement, &[value.into()], table::session);
    match Fault::set_apart(found)? {
        Ok(session) => Ok(session),
        Err(damage) => {
            tracing::warn!(%damage, "set aside");
            Ok(None)
        }
    }
}

/// Lists the sessions that have not ended, as far as they know themselves.
pub(super) fn open(context: &Context, limit: u32) -> Result<Page<Session>, Error> {
    let own = station::own(context.environment());
    let page = context.store()?.read(|connection| {
        let page = SESSIONS.page(
            connection,
            &format!(
                "SELECT {COLUMNS} FROM worker_sessions WHERE ended_at IS NULL ORDER BY number DESC LIMIT ?1"
            ),
            &[(i64::from(limit) + 1).into()],
            (limit, &["number"]),
            table::session,
        )?;
        all_looked_at(connection, &own, page)
    })?;
    Ok(page)
}

/// Lists sessions, of one worker or of all, the newest first, before a number.
pub(super) fn list(
    context: &Context,
    worker: Option<&Name>,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Session>, Error> {
    let own = station::own(context.environment());
    let page = context.store()?.read(|connection| {
        let mut values: Vec<Value<'_>> = vec![(i64::from(limit) + 1).into()];
        // Without a bound where there is none, so that a row whose number is damaged is met too.
        let mut conditions = Vec::new();
        if let Some(worker) = worker {
            values.push(worker.as_str().into());
            conditions.push(format!("worker = ?{}", values.len()));
        }
        if let Some(before) = before {
            values.push(before.into());
            conditions.push(format!("number < ?{}", values.len()));
        }
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let page = SESSIONS.page(
            connection,
            &format!(
                "SELECT {COLUMNS} FROM worker_sessions {condition} ORDER BY number DESC LIMIT ?1"
            ),
            &values,
            (limit, &["number"]),
            table::session,
        )?;
        all_looked_at(connection, &own, page)
    })?;
    Ok(page)
}
