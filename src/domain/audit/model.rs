//! What an entry of the audit log says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What can stand in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// A call was refused and waits for a person.
    Requested,
    /// A person let calls through: one request, or so many calls of a scope.
    Granted,
    /// A person said no to a request.
    Rejected,
    /// A grant was taken back.
    Revoked,
    /// A call that needed a grant began; its use of the grant is counted.
    Begun,
    /// A call that had begun and not come to its end was begun again; no use is counted.
    TakenUp,
    /// A call that needed a grant came to its end.
    Ended,
    /// A request waited longer than it may.
    Expired,
}

/// An entry, as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its number, one more than that of the entry before.
    pub(crate) number: i64,
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
    /// What happened.
    pub(crate) event: Event,
    /// By what it was done: `terminal` or `key` for a person, `caller` for a call.
    pub(crate) by: String,
    /// The login of who did it, as its environment says.
    pub(crate) user: String,
    /// The request or authorization that it happened to.
    pub(crate) subject: String,
    /// Facts about it.
    pub(crate) facts: Map<String, Value>,
}

/// What is to be appended; number and time are added to it.
#[derive(Clone, Debug)]
pub(crate) struct Note<'a> {
    /// What happened.
    pub(crate) event: Event,
    /// By what it was done.
    pub(crate) by: &'a str,
    /// The login of who did it.
    pub(crate) user: &'a str,
    /// The request or authorization that it happened to.
    pub(crate) subject: &'a str,
    /// Facts about it: an object.
    pub(crate) facts: Value,
}

/// The newest entry, by its number and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// Its number, which is how many entries there are.
    pub(crate) number: i64,
    /// Its digest.
    pub(crate) digest: String,
}
