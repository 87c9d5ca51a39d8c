//! Facts about calls that wait for a person, and about who may decide them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::contract::bounded::{Few, Head};

/// A call that needs the leave of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuthorizationDetails")]
pub struct Authorization {
    /// The request that waits for a person; the same call again gets the same one.
    request_id: Head<64>,
    /// The primitive that was called.
    primitive: Head<100>,
    /// The scopes of the call for which leave is needed.
    scopes: Few<Head<40>, 20>,
    /// SHA-256 of the canonical JSON (RFC 8785) of `{"input": …, "primitive": …}`, as they were sent.
    arguments_sha256: Head<64>,
    /// How the request stands: `pending`, `approved`, `rejected`, `begun`, `failed`, `executed`, `expired`.
    state: Head<40>,
    /// Until when the request waits (RFC 3339, UTC).
    expires_at: Option<Head<40>>,
    /// The command by which a person lets this very call through, once.
    command: Option<Head<300>>,
}

/// Why nothing shows that the caller is a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ApproverDetails")]
pub struct Approver {
    /// Why: `no_terminal`, `not_confirmed`, `timed_out`, `key_wrong`, `key_unusable`, `inside_job`, `service`.
    reason: Head<40>,
    /// What was found, for a reader.
    found: Head<500>,
}

impl Facts for Authorization {}
impl Facts for Approver {}

impl Authorization {
    /// Creates the facts from the request, the primitive, the digest of the call and the state of the request.
    pub fn new(
        request_id: impl Into<Head<64>>,
        primitive: impl Into<Head<100>>,
        arguments_sha256: impl Into<Head<64>>,
        state: impl Into<Head<40>>,
    ) -> Self {
        Self {
            request_id: request_id.into(),
            primitive: primitive.into(),
            scopes: Few::default(),
            arguments_sha256: arguments_sha256.into(),
            state: state.into(),
            expires_at: None,
            command: None,
        }
    }

    /// Adds the scopes for which leave is needed.
    #[must_use]
    pub fn scopes<S: Into<Head<40>>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds until when the request waits.
    #[must_use]
    pub fn until(mut self, expires_at: impl Into<Head<40>>) -> Self {
        self.expires_at = Some(expires_at.into());
        self
    }

    /// Adds the command that a person runs.
    #[must_use]
    pub fn command(mut self, command: impl Into<Head<300>>) -> Self {
        self.command = Some(command.into());
        self
    }
}

impl Approver {
    /// Creates the facts from the reason in one word and what was found.
    pub fn new(reason: impl Into<Head<40>>, found: impl Into<Head<500>>) -> Self {
        Self {
            reason: reason.into(),
            found: found.into(),
        }
    }
}
