//! What can go wrong with GPUs.

use crate::{
    contract::{Code, Coded, Retry, details, details::Details},
    domain::host::{self, Facts},
};

/// Why GPUs cannot be looked at, reserved or released.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The host can never give what was asked for, as it is.
    #[error("the host cannot give these GPUs: {reason}")]
    Unusable {
        /// Why not.
        reason: String,
    },
    /// Fewer are free now.
    #[error("{free} of {asked} GPUs are free ({held})")]
    Taken {
        /// How many were asked for.
        asked: u32,
        /// How many are free.
        free: usize,
        /// What keeps the others.
        held: String,
    },
    /// The lease of that id holds another number of GPUs.
    #[error("the lease {lease_id} holds {holds} GPUs, and {asked} were asked for")]
    OtherLease {
        /// Its id.
        lease_id: String,
        /// How many it holds.
        holds: usize,
        /// How many were asked for.
        asked: u32,
    },
    /// The locks cannot be used.
    #[error("the locks of the GPUs cannot be used: {reason}")]
    Locks {
        /// Why not.
        reason: String,
    },
    /// A script of this noun failed there.
    #[error("the script ended with status {status}")]
    Script {
        /// Its exit status.
        status: i32,
        /// Its stdout.
        stdout: String,
        /// Its stderr.
        stderr: String,
    },
    /// The host cannot be used.
    #[error(transparent)]
    Host(#[from] host::Error),
}

impl Error {
    /// Makes the error of a script that reports why it did nothing.
    pub(super) fn refused(facts: &Facts) -> Self {
        if let Some(pid) = facts.first("holder_gone") {
            return Self::Unusable {
                reason: format!(
                    "there is no process {pid} on the host, with which the lease was to end"
                ),
            };
        }
        let reason = ["locks_unusable", "keeper_failed"]
            .iter()
            .find_map(|key| facts.first(key).map(str::to_owned))
            .or_else(|| {
                facts
                    .first("not_yours")
                    .map(|what| format!("{what} belongs to another user of the host"))
            })
            .or_else(|| {
                facts
                    .first("kept")
                    .map(|lease| format!("the keeper of the lease {lease} does not end"))
            });
        match reason {
            Some(reason) => Self::Locks { reason },
            None => Self::Script {
                status: 0,
                stdout: String::new(),
                stderr: "it reports nothing that is known here".to_owned(),
            },
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unusable { .. } => Code::GpusUnusable,
            Self::Taken { .. } => Code::GpusTaken,
            Self::OtherLease { .. } => Code::IdempotencyKeyReused,
            Self::Locks { .. } => Code::GpuLocksUnusable,
            Self::Script { .. } => Code::HostScriptFailed,
            Self::Host(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::OtherLease { lease_id, .. } => {
                format!("Release {lease_id} with release-gpus first, or use another lease_id.")
            }
            Self::Host(inner) => inner.remediation(),
            Self::Unusable { .. } => {
                "Ask for what list-gpus shows, or mend what details.reason says of the host.".to_owned()
            }
            Self::Taken { .. } => {
                "Send the same call again later, or with wait_s; list-gpus shows who holds them.".to_owned()
            }
            Self::Locks { .. } => {
                "Set gpu_locks of the host in the configuration to a folder on a disk of its own that all its users can write."
                    .to_owned()
            }
            Self::Script { .. } => {
                "Read details.stderr, fix the host, and send the same call again.".to_owned()
            }
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Unusable { reason } => details::Limit::new("GPUs", reason.as_str()).into(),
            Self::Taken { .. } => details::Limit::new("GPUs", self.to_string()).into(),
            Self::Locks { reason } => details::Limit::new("GPUs", reason.as_str()).into(),
            Self::OtherLease { lease_id, .. } => {
                details::Key::new(lease_id.as_str(), "reserve-gpus").into()
            }
            Self::Script { stdout, stderr, .. } => {
                details::Step::new("gpus", stdout, stderr).into()
            }
            Self::Host(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Host(inner) => inner.retry(),
            Self::Unusable { .. }
            | Self::Taken { .. }
            | Self::OtherLease { .. }
            | Self::Locks { .. }
            | Self::Script { .. } => self.code().retry(),
        }
    }
}
