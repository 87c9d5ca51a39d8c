//! What a caller may do after a failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a failed call may be tried again.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    /// The same call can never succeed.
    Never,
    /// Send the same call again at once.
    SameCall,
    /// Send the same call again once `after_ms` have passed.
    After,
    /// Read the state again, then decide on a new call.
    Sequence,
    /// A person or a configuration must change first.
    AfterFix,
    /// The effect is unknown: the primitive named in `next` finds out and adopts what it finds.
    ReconcileFirst,
}

impl Mode {
    /// Returns the name as it stands in envelopes.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// When and how to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// How the call may be tried again.
    pub mode: Mode,
    /// Milliseconds to wait before the same call; present where the mode is `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
}

impl Retry {
    /// The same call can never succeed.
    pub const NEVER: Self = Self::of(Mode::Never);
    /// Send the same call again at once.
    pub const SAME_CALL: Self = Self::of(Mode::SameCall);
    /// Read the state again, then decide on a new call.
    pub const SEQUENCE: Self = Self::of(Mode::Sequence);
    /// A person or a configuration must change first.
    pub const AFTER_FIX: Self = Self::of(Mode::AfterFix);

    /// Creates a retry advice without a wait.
    pub const fn of(mode: Mode) -> Self {
        Self {
            mode,
            after_ms: None,
        }
    }

    /// Creates the advice to send the same call again after a wait.
    pub const fn after(after_ms: u64) -> Self {
        Self {
            mode: Mode::After,
            after_ms: Some(after_ms),
        }
    }

    /// Returns whether the very same call may simply be sent again.
    pub const fn is_safe(self) -> bool {
        matches!(self.mode, Mode::SameCall | Mode::After)
    }
}
