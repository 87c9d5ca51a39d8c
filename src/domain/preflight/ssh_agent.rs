//! The ssh-agent on this machine.

use std::time::Duration;

use super::check::{Check, Subject};
use crate::{
    contract::Code,
    system::{
        Context, clock,
        process::{self, Invocation},
    },
};

/// What is behind `SSH_AUTH_SOCK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    /// The variable is not set.
    Unset,
    /// No process listens on it.
    Dead(String),
    /// An agent without keys.
    Empty,
    /// An agent with this many keys.
    Keys(usize),
    /// `ssh-add` could not be run, or ended in no known way.
    Unknown(String),
}

/// Whether the host accepted a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// It accepted one.
    Yes,
    /// It refused every key.
    No,
    /// The connection did not get that far.
    Unknown,
}

/// Lists the keys that the agent holds.
pub(super) async fn ask(context: &Context) -> Socket {
    let Some(path) = context.environment().get("SSH_AUTH_SOCK") else {
        return Socket::Unset;
    };
    let asking = process::run(Invocation::new("ssh-add").arg("-l").look(true));
    match clock::within(Duration::from_secs(5), asking).await {
        None => Socket::Dead(format!("SSH_AUTH_SOCK is {path}: it does not answer")),
        Some(Ok(exit)) => parse(
            path,
            exit.status,
            &exit.stdout_text(),
            exit.stderr_text().trim(),
        ),
        Some(Err(error)) => Socket::Unknown(format!("ssh-add cannot be run: {error}")),
    }
}

/// Reads `ssh-add -l` (recorded from OpenSSH 9.2: status 0 with keys, 1 without, 2 without an agent).
fn parse(path: &str, status: Option<i32>, stdout: &str, stderr: &str) -> Socket {
    match status {
        Some(0) => Socket::Keys(
            stdout
                .lines()
                .filter(|line| !line.trim().is_empty())
                .count(),
        ),
        Some(1) => Socket::Empty,
        Some(2) => Socket::Dead(format!("SSH_AUTH_SOCK is {path}: {stderr}")),
        _ => Socket::Unknown(format!("ssh-add ended in an unknown way: {stderr}")),
    }
}

/// Checks it, given whether the host accepts a key anyway.
pub(super) fn check(socket: &Socket, accepted: Accepted) -> Check {
    let name = Subject::SshAgent;
    let (evidence, remediation) = match socket {
        Socket::Keys(1) => return Check::pass(name, "the agent holds 1 key"),
        Socket::Keys(count) => return Check::pass(name, format!("the agent holds {count} keys")),
        Socket::Unknown(why) => return Check::unknown(name, why.clone()),
        Socket::Unset => (
            "SSH_AUTH_SOCK is not set".to_owned(),
            "Start legwork with the SSH_AUTH_SOCK of your login, or run eval \"$(ssh-agent)\" and ssh-add before it.",
        ),
        Socket::Dead(why) => (
            why.clone(),
            "Start an ssh-agent and set SSH_AUTH_SOCK to its socket.",
        ),
        Socket::Empty => (
            "the agent holds no keys".to_owned(),
            "Load your key with ssh-add.",
        ),
    };
    match accepted {
        Accepted::Yes => Check::warn(
            name,
            format!("{evidence}; the host accepts a key without it"),
            remediation,
        ),
        Accepted::No => Check::fail(name, evidence, remediation).with_code(Code::SshAuthFailed),
        Accepted::Unknown => Check::unknown(
            name,
            format!("{evidence}; whether the host accepts a key without it is not known"),
        )
        .with_remediation(remediation),
    }
}

#[cfg(test)]
mod tests {
    use super::{Accepted, Socket, check, parse};
    use crate::domain::preflight::check::Status;

    /// Recorded from OpenSSH 9.2.
    #[test]
    fn ssh_add_output_is_read() {
        let key = "256 SHA256:J2pnbVqhCZGKO4gvFyMBrYmvd5EDJTcd+8oYA7FF3mk me (ED25519)\n";
        assert_eq!(parse("/s", Some(0), key, ""), Socket::Keys(1));
        assert_eq!(
            parse("/s", Some(1), "The agent has no identities.\n", ""),
            Socket::Empty
        );
        assert!(matches!(
            parse("/s", Some(2), "", "Error connecting to agent: Connection refused"),
            Socket::Dead(why) if why.contains("/s") && why.contains("refused")
        ));
        assert!(matches!(parse("/s", None, "", ""), Socket::Unknown(_)));
    }

    #[test]
    fn a_missing_agent_matters_only_where_no_key_works_without_it() {
        for socket in [
            Socket::Unset,
            Socket::Empty,
            Socket::Dead("dead".to_owned()),
        ] {
            for (accepted, status) in [
                (Accepted::Yes, Status::Warn),
                (Accepted::No, Status::Fail),
                (Accepted::Unknown, Status::Unknown),
            ] {
                let check = check(&socket, accepted);
                assert_eq!(check.status, status, "{socket:?}");
                assert!(check.remediation.is_some());
            }
        }
        assert!(
            check(&Socket::Unset, Accepted::No)
                .evidence
                .contains("SSH_AUTH_SOCK")
        );
        assert_eq!(check(&Socket::Keys(2), Accepted::No).status, Status::Pass);
    }
}
