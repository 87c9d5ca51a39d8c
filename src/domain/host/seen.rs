//! All that a preflight sees, here and on the host.

use super::{agent_login::Agent, frames::Frames, ssh_agent::Socket};
use crate::contract::Code;

/// The ssh client here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// It says this of itself.
    There(String),
    /// It cannot be run.
    Missing(String),
}

/// How far a connection got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// The host is this machine.
    Local,
    /// It stands.
    Stands,
    /// The host answered, and its key is not the one that is known, or none is.
    HostKey(Trouble),
    /// The host answered, and refused every key.
    Refused(Trouble),
    /// It did not come about.
    None(Trouble),
}

/// What stood in the way of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The code it has.
    pub(super) code: Code,
    /// What the client said.
    pub(super) evidence: String,
    /// The next step.
    pub(super) remediation: String,
}

/// What a command to the host and back showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RoundTrip {
    /// How long it took, in milliseconds.
    pub(super) milliseconds: f64,
    /// How far the host's clock is ahead, in seconds; nothing where it does not tell.
    pub(super) clock_ahead_s: Option<f64>,
}

/// All that was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The ssh client here; nothing where none is needed.
    pub(super) client: Option<Client>,
    /// The ssh-agent here; nothing where none is needed.
    pub(super) socket: Option<Socket>,
    /// How far the connection got.
    pub(super) contact: Contact,
    /// What a command showed; nothing where none came back.
    pub(super) round_trip: Option<RoundTrip>,
    /// What the script on the host printed; nothing where it did not come back.
    pub(super) frames: Option<Frames>,
    /// The agent that was asked for.
    pub(super) agent: Agent,
    /// Whether a repository was asked for.
    pub(super) asks_repository: bool,
    /// The sessions legwork may use at once on one host.
    pub(super) sessions: u8,
}
