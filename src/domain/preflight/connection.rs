//! The checks of the connection to the host.

use super::{
    check::{Check, Subject, not_reached},
    observation::{Client, Contact, NoContact, Observation},
    ssh_agent::{self, Accepted},
};
use crate::{contract::Code, domain::host::Facts};

/// Checks what it takes to log in to the host, in the order in which ssh gets there.
pub(super) fn connection(observation: &Observation<'_>) -> Vec<Check> {
    use Subject::{Authentication, Connection, HostKey, SshAgent, SshClient};
    if observation.contact == Contact::Local {
        return [SshClient, SshAgent, Connection, HostKey, Authentication]
            .map(|subject| Check::skipped(subject, "the host is this machine"))
            .into();
    }
    let failed = |subject, failure: &NoContact| {
        Check::fail(
            subject,
            failure.evidence.clone(),
            failure.remediation.clone(),
        )
        .with_code(failure.code)
    };
    let answered = |subject| Check::pass(subject, "the host answers");
    let client = match &observation.client {
        Some(Client::Found(version)) => Check::pass(SshClient, version.clone()),
        Some(Client::Missing(why)) => {
            Check::fail(SshClient, why.clone(), "Install the OpenSSH client.")
                .with_code(Code::SshClientMissing)
        }
        None => Check::unknown(SshClient, "it was not queried"),
    };
    let (accepted, [connection, key, authentication]) = match &observation.contact {
        Contact::Local | Contact::Connected => (
            Accepted::Yes,
            [
                answered(Connection),
                Check::pass(HostKey, "the host's key is the known one"),
                Check::pass(Authentication, "the host accepts a key"),
            ],
        ),
        Contact::HostKey(failure) => (
            Accepted::Unknown,
            [
                answered(Connection),
                failed(HostKey, failure),
                not_reached(Authentication),
            ],
        ),
        Contact::Refused(failure) => (
            Accepted::No,
            [
                answered(Connection),
                Check::pass(HostKey, "the host's key is the known one"),
                failed(Authentication, failure),
            ],
        ),
        Contact::None(failure) if matches!(observation.client, Some(Client::Missing(_))) => (
            Accepted::Unknown,
            [
                Check::unknown(Connection, failure.evidence.clone()),
                not_reached(HostKey),
                not_reached(Authentication),
            ],
        ),
        Contact::None(failure) => (
            Accepted::Unknown,
            [
                failed(Connection, failure),
                not_reached(HostKey),
                not_reached(Authentication),
            ],
        ),
    };
    let agent = observation.socket.as_ref().map_or_else(
        || Check::unknown(SshAgent, "it was not queried"),
        |socket| ssh_agent::check(socket, accepted),
    );
    vec![client, agent, connection, key, authentication]
}

/// Checks that sshd allows the sessions that legwork uses, by `sshd -T` (recorded from OpenSSH 9.2).
pub(super) fn session_limits(observation: &Observation<'_>, facts: &Facts) -> Check {
    let subject = Subject::SessionLimits;
    if observation.contact == Contact::Local {
        return Check::skipped(subject, "the host is this machine");
    }
    let limit = |label: &str| {
        facts
            .all("sshd")
            .find_map(|line| line.strip_prefix(label)?.strip_prefix(' '))
    };
    let Some(sessions) = limit("maxsessions").and_then(|text| text.parse::<u64>().ok()) else {
        return Check::unknown(
            subject,
            "only root on the host can query sshd for its limits",
        );
    };
    let evidence = format!(
        "sshd's configuration allows {sessions} sessions a connection, and connections by MaxStartups {}; legwork uses up to {} sessions",
        limit("maxstartups").unwrap_or("unknown"),
        observation.sessions
    );
    if sessions < u64::from(observation.sessions) {
        Check::warn(
            subject,
            evidence,
            format!("Set ssh.max_sessions to {sessions} or less in the configuration."),
        )
    } else {
        Check::pass(subject, evidence)
    }
}
