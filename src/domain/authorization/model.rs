//! Requests that wait for a person, what a person granted, and what came of a call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{Code, Effect, Kind, Name, Next, Retry, Scope};

/// How a request stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum State {
    /// It waits for a person.
    Pending,
    /// A person let it through; the call has not begun.
    Approved,
    /// A person said no.
    Rejected,
    /// The call has begun, and no end of it is recorded.
    Begun,
    /// The call ended with a failure; while the grant lasts it may be tried again.
    Failed,
    /// The call did what was asked.
    Executed,
    /// Nobody decided in time.
    Expired,
}

impl State {
    /// Returns the name as it stands in answers.
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}

/// How a person was known.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Via {
    /// By what was typed at a terminal.
    Terminal,
    /// By the key.
    Key,
}

impl Via {
    /// Returns the name as it stands in the audit log.
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}

/// What a person said to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Whether they let it through.
    pub(crate) approved: bool,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
    /// How they were known to be a person.
    pub(crate) by: Via,
    /// Their login, as their environment says.
    pub(crate) user: String,
    /// Why, in their words.
    pub(crate) note: Option<String>,
}

/// A call that needs leave, from its refusal to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) request_id: Name,
    pub(crate) primitive: String,
    /// The input as it was sent; nothing where it holds a secret, which is never written.
    pub(crate) input: Option<Value>,
    /// The folder that the call was sent from, where what it does depends on that.
    pub(crate) directory: Option<String>,
    pub(crate) arguments_sha256: String,
    /// Digest of the arguments, the folder and the interface: by this the same call is known.
    pub(crate) call_sha256: String,
    /// Digest of what the primitive took when the call was refused: an input can mean something else to another version.
    pub(crate) interface_sha256: String,
    /// The scopes for which leave is needed.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) state: State,
    pub(crate) requested_at: String,
    pub(crate) expires_at: String,
    pub(crate) decision: Option<Decision>,
    /// The authorizations of which a use was counted, or that wait to be used.
    pub(crate) authorizations: Vec<Name>,
    /// How often the call was begun.
    pub(crate) attempts: u32,
    pub(crate) begun_at: Option<String>,
    pub(crate) ended_at: Option<String>,
    pub(crate) outcome: Option<Outcome>,
}

impl Request {
    /// Returns the command by which a person lets it through.
    pub(crate) fn command(&self) -> String {
        format!(
            "legwork grant-authorization --request-id {}",
            self.request_id
        )
    }
}

/// What a person granted: one request, or so many calls of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authorization {
    pub(crate) authorization_id: Name,
    pub(crate) idempotency_key: String,
    /// Digest of what was granted, by which a key that is used for something else is found.
    pub(crate) terms_sha256: String,
    pub(crate) request_id: Option<Name>,
    pub(crate) scope: Option<Scope>,
    /// The only primitive whose calls it lets through.
    pub(crate) primitive: Option<Name>,
    pub(crate) uses: u32,
    pub(crate) used: u32,
    pub(crate) granted_at: String,
    pub(crate) expires_at: String,
    pub(crate) by: Via,
    pub(crate) user: String,
    pub(crate) note: Option<String>,
    pub(crate) revoked_at: Option<String>,
}

impl Authorization {
    /// Returns whether it is neither used up nor revoked; it may have expired.
    pub(crate) const fn is_live(&self) -> bool {
        self.used < self.uses && self.revoked_at.is_none()
    }

    /// Returns whether a call that it let through may go on: it is neither revoked nor expired.
    pub(super) fn still_holds(&self, now: &str) -> bool {
        self.revoked_at.is_none() && self.expires_at.as_str() > now
    }
}

/// What came of a call that needed leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    /// Whether the call did what was asked.
    pub(crate) succeeded: bool,
    /// What the call did to the world when it ran.
    pub(crate) effect: Effect,
    /// Its data, in the shape of its output schema; null where it failed.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub(crate) data: Option<Value>,
    /// Why it failed; null where it succeeded.
    pub(crate) error: Option<Problem>,
    /// Its warnings.
    pub(crate) warnings: Vec<String>,
    /// The calls that usually follow it.
    pub(crate) next: Vec<Next>,
}

/// Why a call failed, as its envelope would have said it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    /// The stable name of the failure.
    pub(crate) error_code: Code,
    /// Its closed class.
    pub(crate) kind: Kind,
    /// When and how the call itself may be tried again.
    pub(crate) retry: Retry,
    /// One sentence for a reader.
    pub(crate) message: String,
    /// One sentence with the concrete next step.
    pub(crate) remediation: String,
    /// Facts in the fixed shape of the code.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub(crate) details: Value,
}
