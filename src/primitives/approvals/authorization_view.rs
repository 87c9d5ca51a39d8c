//! Authorizations and requests as the primitives of this chapter show them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    contract::{Name, Scope},
    domain::authorization::{Authorization, Decision, Request, State, Via},
    system::clock,
};

/// What a person granted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuthorizationView {
    /// Its id.
    pub(crate) authorization_id: Name,
    /// Whether it still lets calls through.
    pub(crate) state: AuthorizationState,
    /// The request that it lets through; null where it is for a scope.
    pub(crate) request_id: Option<Name>,
    /// The scope whose calls it lets through; null where it is for one request.
    pub(crate) scope: Option<Scope>,
    /// The only primitive whose calls it lets through; null where it is for any.
    pub(crate) primitive: Option<Name>,
    /// How many calls it lets through.
    pub(crate) uses: u32,
    /// How many of them have begun.
    pub(crate) used: u32,
    /// When it was granted (RFC 3339, UTC).
    pub(crate) granted_at: String,
    /// Until when it holds (RFC 3339, UTC).
    pub(crate) expires_at: String,
    /// How the person was known who granted it.
    pub(crate) by: Via,
    /// Their login, as their environment says.
    pub(crate) user: String,
    /// Why, in their words.
    pub(crate) note: Option<String>,
    /// When it was taken back (RFC 3339, UTC); null where it was not.
    pub(crate) revoked_at: Option<String>,
}

/// Whether an authorization still lets calls through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthorizationState {
    /// It does.
    Live,
    /// All of its uses have begun.
    UsedUp,
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
}

impl From<Authorization> for AuthorizationView {
    fn from(grant: Authorization) -> Self {
        let state = if grant.revoked_at.is_some() {
            AuthorizationState::Revoked
        } else if !grant.is_live() {
            AuthorizationState::UsedUp
        } else if grant.expires_at <= clock::now_text() {
            AuthorizationState::Expired
        } else {
            AuthorizationState::Live
        };
        Self {
            authorization_id: grant.authorization_id,
            state,
            request_id: grant.request_id,
            scope: grant.scope,
            primitive: grant.primitive,
            uses: grant.uses,
            used: grant.used,
            granted_at: grant.granted_at,
            expires_at: grant.expires_at,
            by: grant.by,
            user: grant.user,
            note: grant.note,
            revoked_at: grant.revoked_at,
        }
    }
}

/// A call that needs leave.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RequestView {
    /// Its id.
    pub(crate) request_id: Name,
    /// The primitive.
    pub(crate) primitive: String,
    /// SHA-256 of the canonical JSON (RFC 8785) of `{"input": …, "primitive": …}`, as they were sent.
    pub(crate) arguments_sha256: String,
    /// The scopes for which leave is needed.
    pub(crate) scopes: Vec<Scope>,
    /// How it stands.
    pub(crate) state: State,
    /// When it was refused first (RFC 3339, UTC).
    pub(crate) requested_at: String,
    /// Until when it waits for a person (RFC 3339, UTC).
    pub(crate) expires_at: String,
    /// What a person said; null where nobody has.
    pub(crate) decision: Option<Decision>,
    /// How often the call was begun: more than once where a process died before its end was recorded, or where it failed.
    pub(crate) attempts: u32,
    /// When it began first (RFC 3339, UTC); null where it has not.
    pub(crate) begun_at: Option<String>,
    /// When its last end was recorded (RFC 3339, UTC); null where none is.
    pub(crate) ended_at: Option<String>,
}

impl From<&Request> for RequestView {
    fn from(request: &Request) -> Self {
        Self {
            request_id: request.request_id.clone(),
            primitive: request.primitive.clone(),
            arguments_sha256: request.arguments_sha256.clone(),
            scopes: request.scopes.clone(),
            state: request.state,
            requested_at: request.requested_at.clone(),
            expires_at: request.expires_at.clone(),
            decision: request.decision.clone(),
            attempts: request.attempts,
            begun_at: request.begun_at.clone(),
            ended_at: request.ended_at.clone(),
        }
    }
}
