//! What can wait for a person.

use serde_json::Value;

use crate::contract::Scope;

/// Something that waits for a person.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// What it is, in a word.
    pub(crate) kind: &'static str,
    /// Its id, by which it is decided.
    pub(crate) id: String,
    /// The primitive that would be called; nothing where it is no call.
    pub(crate) primitive: Option<String>,
    /// The input that it would be called with, or what was asked for; nothing where that is not kept, or too large to list.
    pub(crate) input: Option<Value>,
    /// The folder that it was called from, where what it does depends on that.
    pub(crate) directory: Option<String>,
    /// The scopes for which leave is needed.
    pub(crate) scopes: Vec<Scope>,
    /// SHA-256 of primitive and input, where it is a call.
    pub(crate) arguments_sha256: Option<String>,
    /// The version that was looked at, where it can change while it waits.
    pub(crate) version: Option<u64>,
    /// Since when it waits (RFC 3339, UTC).
    pub(crate) waiting_since: String,
    /// Until when it waits (RFC 3339, UTC); nothing where it has no end.
    pub(crate) expires_at: Option<String>,
    /// The command by which a person lets it through.
    pub(crate) command: String,
}

/// What one noun has to list.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) waiting: Vec<Waiting>,
    /// What could not be read.
    pub(super) warnings: Vec<String>,
    /// The number behind which more follows; nothing where this is all.
    pub(super) last: Option<i64>,
}
