//! What a call may change, and what it did change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a caller may assume of a primitive before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the four annotations of a tool, each independent of the others"
)]
pub struct Effects {
    /// Whether it changes nothing that outlives the call, caches aside.
    pub read_only: bool,
    /// Whether the same call again adds no second effect.
    pub idempotent: bool,
    /// Whether it may end or remove something that exists.
    pub destructive: bool,
    /// Whether it talks to machines or services other than this one.
    pub open_world: bool,
}

impl Effects {
    /// Looks at this machine only.
    pub const READS: Self = Self {
        read_only: true,
        idempotent: true,
        destructive: false,
        open_world: false,
    };
    /// Looks, on other machines too.
    pub const READS_REMOTE: Self = Self {
        open_world: true,
        ..Self::READS
    };
    /// Brings about a state on this machine; the same call again adds nothing.
    pub const ENSURES: Self = Self {
        read_only: false,
        ..Self::READS
    };
    /// Brings about a state on another machine; the same call again adds nothing.
    pub const ENSURES_REMOTE: Self = Self {
        open_world: true,
        ..Self::ENSURES
    };
    /// Ends or removes something on this machine; the same call again adds nothing.
    pub const REMOVES: Self = Self {
        destructive: true,
        ..Self::ENSURES
    };
    /// Ends or removes something on another machine; the same call again adds nothing.
    pub const REMOVES_REMOTE: Self = Self {
        open_world: true,
        ..Self::REMOVES
    };
    /// Runs a command of the caller's, which may do anything; legwork itself changes nothing.
    pub const RUNS: Self = Self::REMOVES_REMOTE;
}

/// What **this** call did to the world.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Effect {
    /// Nothing was changed.
    None,
    /// The change was made by this call.
    Applied,
    /// It was already so; the same data comes back.
    Replayed,
    /// Some of the change was made.
    Partial,
    /// Contact was lost after the effect may have happened.
    Unknown,
}

impl Effect {
    /// Returns the name as it stands in envelopes.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
