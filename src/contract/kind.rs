//! The closed set of failure kinds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who must act, in the canonical status names of the field (google.rpc.Code).
///
/// Closed: no kind is ever added within one contract version, so that a caller can fall back on it
/// when it does not know an `error_code`.
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
pub enum Kind {
    /// The request is wrong whatever the state of the world.
    InvalidArgument,
    /// What the request names does not exist.
    NotFound,
    /// What the request wants to make exists already with other content.
    AlreadyExists,
    /// The world is not as the request needs it; somebody must change it first.
    FailedPrecondition,
    /// Authorization or approval is missing.
    PermissionDenied,
    /// Somebody else holds or changed it; read again.
    Aborted,
    /// A host, network, scheduler or forge did not answer.
    Unavailable,
    /// The time allowed ran out.
    DeadlineExceeded,
    /// A login is missing or expired.
    Unauthenticated,
    /// Disk, memory, GPUs, sessions or a rate limit are used up.
    ResourceExhausted,
    /// A bug in this program.
    Internal,
    /// The store is damaged.
    DataLoss,
    /// A signal ended the call.
    Cancelled,
}

impl Kind {
    /// Returns the name as it stands in envelopes.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the exit code of a call that fails with this kind.
    ///
    /// `signal` is the number of the signal that ended the call, used by [`Kind::Cancelled`] alone.
    pub const fn exit_code(self, signal: Option<u8>) -> u8 {
        match self {
            Self::InvalidArgument
            | Self::NotFound
            | Self::AlreadyExists
            | Self::FailedPrecondition
            | Self::PermissionDenied
            | Self::Aborted => 1,
            Self::Unavailable
            | Self::DeadlineExceeded
            | Self::Unauthenticated
            | Self::ResourceExhausted => 2,
            Self::Internal | Self::DataLoss => 3,
            Self::Cancelled => match signal {
                Some(number) => 128 + number,
                None => 130,
            },
        }
    }
}
