//! Requests and authorizations in the database. All of their statements stand here.
//!
//! Those that take a `&Connection` are parts of a transaction of `admit` or `decide`.

use super::{
    error::Error,
    model::{Authorization, Request, State},
    table::{self, AUTHORIZATION_COLUMNS, AUTHORIZATIONS, REQUEST_COLUMNS, REQUESTS},
};
use crate::{
    contract::{Name, Scope},
    system::{
        Context,
        store::{Connection, Fault, Page},
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
    connection: &Connection<'_>,
    request_id: &Name,
) -> Result<Option<Request>, Fault> {
    REQUESTS.one(
        connection,
        &format!("SELECT {REQUEST_COLUMNS} FROM requests WHERE request_id = ?1"),
        &[request_id.as_str().into()],
        table::request,
    )
}

/// Finds the newest request of a call. One that cannot be read counts as none: the call is asked for anew.
pub(super) fn newest(
    connection: &Connection<'_>,
    call_sha256: &str,
) -> Result<Option<Numbered>, Fault> {
    let found = REQUESTS.one(
        connection,
        &format!(
            "SELECT {REQUEST_COLUMNS} FROM requests WHERE call_sha256 = ?1 ORDER BY number DESC LIMIT 1"
        ),
        &[call_sha256.into()],
        |row| Ok((row.number("number")?, table::request(row)?)),
    );
    Ok(Fault::set_apart(found)?.ok().flatten())
}

/// Records a new request.
pub(super) fn insert_request(connection: &Connection<'_>, request: &Request) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO requests (request_id, call_sha256, primitive, state, waiting, record, requested_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            request.request_id.as_str().into(),
            (&request.call_sha256).into(),
            (&request.primitive).into(),
            request.state.name().into(),
            (request.state == State::Pending).into(),
            (&serde_json::to_string(request)?).into(),
            (&request.requested_at).into(),
            (&request.expires_at).into(),
        ],
    )?;
    Ok(())
}

/// Records how a request stands now.
pub(super) fn update_request(connection: &Connection<'_>, request: &Request) -> Result<(), Fault> {
    connection.execute(
        "UPDATE requests SET state = ?2, waiting = ?3, record = ?4, requested_at = ?5, expires_at = ?6
         WHERE request_id = ?1",
        &[
            request.request_id.as_str().into(),
            request.state.name().into(),
            (request.state == State::Pending).into(),
            (&serde_json::to_string(request)?).into(),
            (&request.requested_at).into(),
            (&request.expires_at).into(),
        ],
    )?;
    Ok(())
}

/// Drops requests whose time is over, and returns them; of very many the oldest.
pub(super) fn expire(connection: &Connection<'_>, now: &str) -> Result<Vec<Request>, Fault> {
    let over = REQUESTS.rows(
        connection,
        &format!(
            "SELECT {REQUEST_COLUMNS} FROM requests WHERE waiting = 1 AND expires_at <= ?1
             ORDER BY expires_at LIMIT {DROPPED_AT_ONCE}"
        ),
        &[now.into()],
        table::request,
    )?;
    let mut over = over.read;
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
    let mut parameters = vec![(i64::from(limit) + 1).into()];
    let mut later = "";
    if let Some(number) = after {
        later = "AND number > ?2";
        parameters.push(number.into());
    }
    // What is no 0 is met, so that a row is named whose column is damaged.
    let statement = format!(
        "SELECT {REQUEST_COLUMNS} FROM requests WHERE coalesce(waiting, 1) <> 0 {later} ORDER BY number LIMIT ?1"
    );
    Ok(context.store()?.read(|connection| {
        let order = (limit, &["number"][..]);
        REQUESTS.page(connection, &statement, &parameters, order, table::request)
    })?)
}

/// Finds an authorization by its id.
pub(super) fn authorization(
    connection: &Connection<'_>,
    authorization_id: &Name,
) -> Result<Option<Authorization>, Fault> {
    AUTHORIZATIONS.one(
        connection,
        &format!("SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE authorization_id = ?1"),
        &[authorization_id.as_str().into()],
        table::authorization,
    )
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
    connection: &Connection<'_>,
    key: &str,
) -> Result<Option<Authorization>, Fault> {
    AUTHORIZATIONS.one(
        connection,
        &format!(
            "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE idempotency_key = ?1 ORDER BY number DESC LIMIT 1"
        ),
        &[key.into()],
        table::authorization,
    )
}

/// Finds the authorization that lets a call of a primitive through in a scope: of several, the one that ends first.
///
/// One that cannot be read is passed over; `list-authorizations` names it.
pub(super) fn covering(
    connection: &Connection<'_>,
    scope: Scope,
    primitive: &str,
    now: &str,
) -> Result<Option<Authorization>, Fault> {
    let live = AUTHORIZATIONS.rows(
        connection,
        &format!(
            "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations WHERE scope = ?1 AND live = 1 AND expires_at > ?2
             ORDER BY expires_at, number"
        ),
        &[scope.name().into(), now.into()],
        table::authorization,
    )?;
    Ok(live.read.into_iter().find(|found| {
        let only = found.primitive.as_ref();
        only.is_none_or(|only| only.as_str() == primitive)
    }))
}

/// Records a new authorization.
pub(super) fn insert_authorization(
    connection: &Connection<'_>,
    authorization: &Authorization,
) -> Result<(), Fault> {
    connection.execute(
        "INSERT INTO authorizations (authorization_id, idempotency_key, scope, live, record, granted_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            authorization.authorization_id.as_str().into(),
            (&authorization.idempotency_key).into(),
            authorization.scope.map(Scope::name).into(),
            authorization.is_live().into(),
            (&serde_json::to_string(authorization)?).into(),
            (&authorization.granted_at).into(),
            (&authorization.expires_at).into(),
        ],
    )?;
    Ok(())
}

/// Records how an authorization stands now.
pub(super) fn update_authorization(
    connection: &Connection<'_>,
    authorization: &Authorization,
) -> Result<(), Fault> {
    connection.execute(
        "UPDATE authorizations SET live = ?2, record = ?3 WHERE authorization_id = ?1",
        &[
            authorization.authorization_id.as_str().into(),
            authorization.is_live().into(),
            (&serde_json::to_string(authorization)?).into(),
        ],
    )?;
    Ok(())
}

/// Lists authorizations, newest first; the place of the last one is its number.
pub(crate) fn list_authorizations(
    context: &Context,
    live: Option<bool>,
    before: Option<i64>,
    limit: u32,
) -> Result<Page<Authorization>, Error> {
    let mut parameters = vec![(i64::from(limit) + 1).into()];
    let mut conditions = Vec::new();
    if let Some(number) = before {
        parameters.push(number.into());
        conditions.push(format!("number < ?{}", parameters.len()));
    }
    if let Some(live) = live {
        parameters.push(live.into());
        conditions.push(format!("live = ?{}", parameters.len()));
    }
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!("WHERE {}", conditions.join(" AND "))
    };
    let statement = format!(
        "SELECT {AUTHORIZATION_COLUMNS} FROM authorizations {condition} ORDER BY number DESC LIMIT ?1"
    );
    Ok(context.store()?.read(|connection| {
        let order = (limit, &["number"][..]);
        AUTHORIZATIONS.page(
            connection,
            &statement,
            &parameters,
            order,
            table::authorization,
        )
    })?)
}
