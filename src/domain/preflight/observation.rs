//! What a preflight observed, here and on the host, before anything is judged.

use super::{round_trip::RoundTrip, ssh_agent::Socket};
use crate::{
    contract::Code,
    domain::{agent::Agent, host::Facts},
};

/// The ssh client of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// It runs, and printed this as its version.
    Found(String),
    /// It cannot be run, for this reason.
    Missing(String),
}

/// How far a connection to the host got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// The host is this machine.
    Local,
    /// Connected and logged in.
    Connected,
    /// The host answered, but its key is unknown here or differs from the known one.
    HostKey(NoContact),
    /// The host answered, and refused every key.
    Refused(NoContact),
    /// No connection.
    None(NoContact),
}

/// Why there is no contact with the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoContact {
    /// The code of the failure.
    pub(super) code: Code,
    /// What the ssh client printed.
    pub(super) evidence: String,
    /// The next step.
    pub(super) remediation: String,
}

/// Everything observed.
#[derive(Clone, Debug)]
pub(super) struct Observation<'a> {
    /// The ssh client here; none where the host is this machine.
    pub(super) client: Option<Client>,
    /// The ssh-agent here; none where the host is this machine.
    pub(super) socket: Option<Socket>,
    /// How far the connection got.
    pub(super) contact: Contact,
    /// What one command to the host and back measured; none where no answer came.
    pub(super) round_trip: Option<RoundTrip>,
    /// What `preflight.sh` reported; none where it gave no whole answer.
    pub(super) facts: Option<Facts>,
    /// What start-up files of the host printed before `preflight.sh` began; none where it gave no whole answer.
    pub(super) noise: Option<String>,
    /// The agent that would be launched.
    pub(super) agent: &'a Agent,
    /// The first of the agent's secrets whose variable is not set here: the variable there, and the one here.
    pub(super) unset_secret: Option<(&'a str, &'a str)>,
    /// Whether the call names a repository to check.
    pub(super) asks_repository: bool,
    /// Whether the configuration wants the large files of that repository, for which the host needs git-lfs.
    pub(super) needs_lfs: bool,
    /// How many sessions legwork may use at once on one host.
    pub(super) sessions: u8,
}
