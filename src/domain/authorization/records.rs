//! Requests and authorizations in the database. All of their statements stand here.
//!
//! Those that take a `&Connection` are parts of a transaction of `admit` or `decide`.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    error::Error,
    model::{Authorization, Request, State},
    table::{self, AUTHORIZATION_COLUMNS, AUTHORIZATIONS, REQUEST_COLUMNS, REQUESTS},
};
use crate::{
    contract::{Name, Scope},
    system::{
        Context,
        store::{Damage, Page},
    },
};

/// Requests that are dropped at once because their time is over.
const DROPPED_AT_ONCE: u32 = 100;

/// A request and its number, which grows.
pub(super) type Numbered = (i64, Request);

/// Finds a request by its id.
pub(crate) fn find_request(context: &Context, request_id: &Name) -> Result<Request, Error> {
    let found = context
        .store()?
        .read(|connection| request(connection, request_id))?;
    found.ok_or_else(|| Error::RequestUnknown {
        request_id: request_id.clone(),
    })
}

/// Finds a request by its id.
pub(super) fn request(
    connection: &Connection,
    request_id: &Name,
) -> rusqlite::Result<Option<Request>> {
    connection
        .prepare_cached(&format!(
            "SELECT {REQUEST_COLUMNS} FROM requests WHERE request_id = ?1"
        ))?
        .query_row([request_id.as_str()], |row| {
            table::request(&REQUESTS.record(row))
        })
        .optional()
}

/// Finds the newest request of a call. One that cannot be read counts as none: the call is asked for anew.
pub(super) fn newest(
    connection: &Connection,
    call_sha256: &str,
) -> rusqlite::Result<Option<Numbered>> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT {REQUEST_COLUMNS} FROM requests WHERE call_sha256 = ?1 ORDER BY number DESC LIMIT 1"
        ))?
        .query_row([call_sha256], |row| {
            let record = REQUESTS.record(row);
            Ok((record.number("number")?, table::request(&record)?))
        })
        .optional();
    Ok(Damage::set_apart(found)?.ok().flatten())
}

/// Records a new request.
pub(super) fn insert_request(connection: &Connection, request: &Request) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO requests (request_id, call_sha256, primitive, state, waiting, record, requested_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            request.request_id.as_str(),
            request.call_sha256,
            request.primitive,
            request.state.name(),
            i64::from(request.state == State::Pending),
            text(request)?,
            request.requested_at,
            request.expires_at,
        ])
        .map(|_rows| ())
}

/// Records how a request stands now.
pub(super) fn update_request(connection: &Connection, request: &Request) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE requests SET state = ?2, waiting = ?3, record = ?4, requested_at = ?5, expires_at = ?6
             WHERE request_id = ?1",
        )?
        .execute(params![
            request.request_id.as_str(),
            request.state.name(),
            i64::from(request.state == State::Pending),
            text(request)?,
            request.requested_at,
            request.expires_at,
        ])
        .map(|_rows| ())
}

/// Drops requests whose time is over, and returns them; of very many the oldest.
pub(super) fn expire(connection: &Connection, now: &str) -> rusqlite::Result<Vec<Request>> {
    let mut over = connection
        .prepare_cached(&format!(
            "SELECT {REQUEST_COLUMNS} FROM requests WHERE waiting = 1 AND expires_at <= ?1
             ORDER BY expires_at LIMIT {DROPPED_AT_ONCE}"
        ))
        .and_then(|mut statement| REQUESTS.rows(&mut statement, [now], table::request))?
        .read;
    for request in &mut over {
        request.state = State::Expired;
        update_request(connection, request)?;
    }
    Ok(over)
}

/// Lists the requests that wait for a person, oldest first; the place of the last one is its number.
pub(crate) fn waiting(
    context: &Context,
    after: Option<i64>,
    limit: u32,
) -> Result<Page<Request>, Error> {
    // What is no 0 is met, so that a row is named whose column is damaged.
    let later = after.map_or("?1 IS NULL", |_| "number > ?1");
    let statement = format!(
        "SELECT {REQUEST_COLUMNS} FROM requests WHERE coalesce(waiting, 1) <> 0 AND {later} ORDER BY number LIMIT ?2"
    );
    Ok(context.store()?.read(|connection| {
        REQUESTS.page(
            &mut connection.prepare(&statement)?,
            params![after, i64::from(limit) + 1],
            (limit, &["number"]),
            table::request,
        )
    })?)
}

/// Finds an authorization by its id.
pub(super) fn authorization(
    connection: &Connection,
    authorization_id: &Name,
) -> rusqlite::Result<Option<Authorization>> {
    connection
        .prepare_cached(&format!(
            "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE authorization_id = ?1"
        ))?
        .query_row([authorization_id.as_str()], |row| {
            table::authorization(&AUTHORIZATIONS.record(row))
        })
        .optional()
}

/// Finds an authorization by its id, for a call that looks at it outside of a transaction.
pub(crate) fn find_authorization(
    context: &Context,
    authorization_id: &Name,
) -> Result<Authorization, Error> {
    let found = context
        .store()?
        .read(|connection| authorization(connection, authorization_id))?;
    found.ok_or_else(|| Error::AuthorizationUnknown {
        authorization_id: authorization_id.clone(),
    })
}

/// Finds the newest authorization of an idempotency key.
pub(super) fn by_key(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<Authorization>> {
    connection
        .prepare_cached(&format!(
            "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE idempotency_key = ?1 ORDER BY number DESC LIMIT 1"
        ))?
        .query_row([key], |row| {
            table::authorization(&AUTHORIZATIONS.record(row))
        })
        .optional()
}

/// Finds the authorization that lets a call of a primitive through in a scope: of several, the one that ends first.
///
/// One that cannot be read is passed over; `list-authorizations` names it.
pub(super) fn covering(
    connection: &Connection,
    scope: Scope,
    primitive: &str,
    now: &str,
) -> rusqlite::Result<Option<Authorization>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE scope = ?1 AND live = 1 AND expires_at > ?2
         ORDER BY expires_at, number"
    ))?;
    let mut rows = statement.query([scope.name(), now])?;
    while let Some(row) = rows.next()? {
        let read = table::authorization(&AUTHORIZATIONS.record(row));
        if let Ok(found) = Damage::set_apart(read)? {
            let is_of_primitive = found
                .primitive
                .as_ref()
                .is_none_or(|only| only.as_str() == primitive);
            if is_of_primitive {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Records a new authorization.
pub(super) fn insert_authorization(
    connection: &Connection,
    authorization: &Authorization,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO authorizations (authorization_id, idempotency_key, scope, live, record, granted_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            authorization.authorization_id.as_str(),
            authorization.idempotency_key,
            authorization.scope.map(Scope::name),
            i64::from(authorization.is_live()),
            text(authorization)?,
            authorization.granted_at,
            authorization.expires_at,
        ])
        .map(|_rows| ())
}

/// Records how an authorization stands now.
pub(super) fn update_authorization(
    connection: &Connection,
    authorization: &Authorization,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE authorizations SET live = ?2, record = ?3 WHERE authorization_id = ?1",
        )?
        .execute(params![
            authorization.authorization_id.as_str(),
            i64::from(authorization.is_live()),
            text(authorization)?,
        ])
        .map(|_rows| ())
}

/// Lists authorizations, newest first; the place of the last one is its number.
pub(crate) fn list_authorizations(
    context: &Context,
    live: Option<bool>,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Authorization>, Error> {
    let earlier = before.map_or("?1 IS NULL", |_| "number < ?1");
    let standing = live.map_or("?2 IS NULL", |_| "live = ?2");
    let statement = format!(
        "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE {earlier} AND {standing}
         ORDER BY number DESC LIMIT ?3"
    );
    Ok(context.store()?.read(|connection| {
        AUTHORIZATIONS.page(
            &mut connection.prepare(&statement)?,
            params![before, live.map(i64::from), i64::from(limit) + 1],
            (limit, &["number"]),
            table::authorization,
        )
    })?)
}

fn text<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
