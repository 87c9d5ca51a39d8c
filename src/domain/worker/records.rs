//! The sessions of workers in the database: all statements of this noun.

use std::path::Path;

use super::{
    error::Error,
    session::{Session, id},
    table::{self, COLUMNS, SESSIONS},
};
use crate::{
    contract::Name,
    system::{
        Context, files,
        store::{Connection, Fault, Page, Value},
    },
};

/// Bytes of randomness in an id.
const RANDOM: usize = 4;

/// Sessions that have ended and are kept, whatever their worker.
const KEPT: i64 = 1000;

/// Writes down a session that begins; `make` gets its id.
pub(super) async fn begin(
    context: &Context,
    make: impl FnOnce(Name) -> Session,
) -> Result<Session, Error> {
    let random = files::random_hexadecimal(RANDOM)
        .map_err(|error| Error::Folder(files::Error::of(Path::new("/dev/urandom"), error)))?;
    let session = context
        .store()?
        .write(|connection| {
            let last = connection.number(
                "SELECT coalesce(max(number), 0) FROM worker_sessions WHERE number < 4000000000000000000",
                &[],
            )?;
            let last = last.unwrap_or(0);
            let session = make(id(last + 1, &random));
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
            Ok(session)
        })
        .await?;
    Ok(session)
}

/// Writes a session over what was there of it.
pub(super) async fn put(context: &Context, session: &Session) -> Result<(), Error> {
    context
        .store()?
        .write(|connection| {
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
        })
        .await?;
    Ok(())
}

/// Finds a session by its id; nothing where there is none, or it cannot be read.
pub(super) fn find(context: &Context, session_id: &str) -> Result<Option<Session>, Error> {
    let found = context.store()?.read(|connection| {
        one(
            connection,
            &format!("SELECT {COLUMNS} FROM worker_sessions WHERE session_id = ?1"),
            session_id,
        )
    })?;
    Ok(found)
}

/// Finds the newest session of a worker that can be read.
pub(super) fn newest(context: &Context, worker: &Name) -> Result<Option<Session>, Error> {
    let found = context.store()?.read(|connection| {
        one(
            connection,
            &format!(
                "SELECT {COLUMNS} FROM worker_sessions WHERE worker = ?1 ORDER BY number DESC LIMIT 1"
            ),
            worker.as_str(),
        )
    })?;
    Ok(found)
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
    let page = context.store()?.read(|connection| {
        SESSIONS.page(
            connection,
            &format!(
                "SELECT {COLUMNS} FROM worker_sessions WHERE ended_at IS NULL ORDER BY number DESC LIMIT ?1"
            ),
            &[(i64::from(limit) + 1).into()],
            (limit, &["number"]),
            table::session,
        )
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
        SESSIONS.page(
            connection,
            &format!(
                "SELECT {COLUMNS} FROM worker_sessions {condition} ORDER BY number DESC LIMIT ?1"
            ),
            &values,
            (limit, &["number"]),
            table::session,
        )
    })?;
    Ok(page)
}
