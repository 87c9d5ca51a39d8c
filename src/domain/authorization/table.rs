//! The tables of requests and authorizations, and how a row of them is read.

use super::model::{Authorization, Request, State};
use crate::system::store::{Fault, Record, Table};

/// Requests. The other columns repeat what `record` says, so that requests can be found by them.
pub(crate) static REQUESTS: Table = Table {
    name: "requests",
    key: &["request_id"],
    create: include_str!("requests.sql"),
    check: |row| request(row).map(drop),
};

/// Authorizations; the same holds for their columns.
pub(crate) static AUTHORIZATIONS: Table = Table {
    name: "authorizations",
    key: &["authorization_id"],
    create: include_str!("authorizations.sql"),
    check: |row| authorization(row).map(drop),
};

/// The columns that [`request`] reads, and the number by which requests are listed.
pub(super) const REQUEST_COLUMNS: &str =
    "number, request_id, call_sha256, primitive, state, waiting, record, requested_at, expires_at";

/// The columns that [`authorization`] reads, and the number by which they are listed.
pub(super) const AUTHORIZATION_COLUMNS: &str = "number, authorization_id, idempotency_key, scope, live, record, \
    granted_at, expires_at";

/// Reads a request, whose columns must say what its record says.
pub(super) fn request(row: &Record<'_>) -> Result<Request, Fault> {
    let request: Request = row.json("record")?;
    for (column, recorded) in [
        ("request_id", request.request_id.as_str()),
        ("call_sha256", &request.call_sha256),
        ("primitive", &request.primitive),
        ("state", request.state.name()),
        ("requested_at", &request.requested_at),
        ("expires_at", &request.expires_at),
    ] {
        row.agrees(column, recorded)?;
    }
    row.time("requested_at")?;
    row.time("expires_at")?;
    if row.flag("waiting")? != (request.state == State::Pending) {
        return Err(row.damaged("waiting", "it contradicts the state"));
    }
    Ok(request)
}

/// Reads an authorization, whose columns must say what its record says.
pub(super) fn authorization(row: &Record<'_>) -> Result<Authorization, Fault> {
    let authorization: Authorization = row.json("record")?;
    for (column, recorded) in [
        ("authorization_id", authorization.authorization_id.as_str()),
        ("idempotency_key", &authorization.idempotency_key),
        ("granted_at", &authorization.granted_at),
        ("expires_at", &authorization.expires_at),
    ] {
        row.agrees(column, recorded)?;
    }
    row.time("granted_at")?;
    row.time("expires_at")?;
    let scope = authorization.scope.map(crate::contract::Scope::name);
    if row.optional_text("scope")?.as_deref() != scope {
        return Err(row.damaged("scope", "it contradicts the record"));
    }
    if row.flag("live")? != authorization.is_live() {
        return Err(row.damaged("live", "it contradicts the record"));
    }
    Ok(authorization)
}
