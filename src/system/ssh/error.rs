//! What can go wrong with SSH.

use std::io;

use crate::{
    contract::{Code, Coded, details, details::Details},
    system::files,
};

/// Why the ssh client could not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectFailure {
    /// The host does not answer.
    Unreachable,
    /// The name does not resolve.
    UnknownName,
    /// No key was accepted.
    Refused,
    /// The host's key is not known.
    KeyUnknown,
    /// The host's key is another than the one known.
    KeyChanged,
    /// The client rejects its configuration.
    Configuration,
}

impl ConnectFailure {
    /// Recognises what `ssh` printed when it could not connect (recorded from OpenSSH 9.2).
    pub(crate) fn of(stderr: &str) -> Self {
        let has = |part: &str| stderr.contains(part);
        if has("REMOTE HOST IDENTIFICATION HAS CHANGED")
            || has("Host key for") && has("has changed")
        {
            Self::KeyChanged
        } else if has("Host key verification failed") || has("host key is known for") {
            Self::KeyUnknown
        } else if has("Permission denied (")
            || has("Too many authentication failures")
            || has("No more authentication methods")
        {
            Self::Refused
        } else if has("Could not resolve hostname") && !has("Temporary failure") {
            Self::UnknownName
        } else if has("Bad configuration option")
            || has("terminating,")
            || has("Bad owner or permissions")
            || has("hostname contains invalid characters")
            || has("Can't open user config file")
        {
            Self::Configuration
        } else {
            Self::Unreachable
        }
    }
}

/// Why a host gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No connection came about.
    #[error("cannot connect to {host}")]
    Connect {
        /// The host's name.
        host: String,
        /// Why not.
        failure: ConnectFailure,
        /// What the client printed.
        stderr: String,
        /// When it last answered.
        last_evidence_at: Option<String>,
    },
    /// All sessions stayed in use.
    #[error("all SSH sessions to {host} stayed in use")]
    Busy {
        /// The host's name.
        host: String,
    },
    /// There is no ssh client here.
    #[error("there is no ssh client on this machine")]
    NoClient(#[source] io::Error),
    /// The folder of the control sockets cannot be used.
    #[error(transparent)]
    Folder(#[from] files::Error),
}

impl Error {
    /// Returns what the client or the host printed.
    pub(crate) fn stderr(&self) -> Option<&str> {
        match self {
            Self::Connect { stderr, .. } => Some(stderr),
            Self::Busy { .. } | Self::NoClient(_) | Self::Folder(_) => None,
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Connect { failure, .. } => match failure {
                ConnectFailure::Unreachable => Code::SshUnreachable,
                ConnectFailure::UnknownName => Code::HostUnknown,
                ConnectFailure::Refused => Code::SshAuthFailed,
                ConnectFailure::KeyUnknown => Code::SshHostKeyUnknown,
                ConnectFailure::KeyChanged => Code::SshHostKeyChanged,
                ConnectFailure::Configuration => Code::SshConfigInvalid,
            },
            Self::Busy { .. } => Code::HostBusy,
            Self::NoClient(_) => Code::SshClientMissing,
            Self::Folder(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Connect { host, failure, .. } => match failure {
                ConnectFailure::Unreachable => format!("Check that {host} is up and reachable, then send the same call again."),
                ConnectFailure::UnknownName => format!("Add {host} with add-host or to your ssh configuration, or use a name from list-hosts."),
                ConnectFailure::Refused => format!("Add your public key to {host}, or start an ssh-agent, load the key and set SSH_AUTH_SOCK."),
                ConnectFailure::KeyUnknown => format!("Check the key's fingerprint with whoever runs {host}, then connect once by hand with ssh to accept it."),
                ConnectFailure::KeyChanged => format!("Find out why the key of {host} changed, then remove the old one with ssh-keygen -R."),
                ConnectFailure::Configuration => format!("Run ssh -G for {host} and fix what it names."),
            },
            Self::Busy { .. } => "Send the same call again in a moment, or raise ssh.max_sessions if the host allows more.".to_owned(),
            Self::NoClient(_) => "Install the OpenSSH client.".to_owned(),
            Self::Folder(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Connect {
                host,
                failure: ConnectFailure::UnknownName,
                ..
            } => details::Unknown::new("host", host).into(),
            Self::Connect {
                host,
                stderr,
                last_evidence_at,
                failure: _,
            } => details::Host::new(host, stderr)
                .last_seen(last_evidence_at.clone())
                .into(),
            Self::Busy { host } => details::Host::new(host, "").into(),
            Self::NoClient(source) => details::Tool::new("ssh", "local", source.to_string()).into(),
            Self::Folder(inner) => inner.details(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectFailure;

    /// Recorded from OpenSSH 9.2 on Debian 12.
    #[test]
    fn what_the_client_says() {
        for (stderr, failure) in [
            (
                "ssh: connect to host 127.0.0.9 port 1: Connection refused",
                ConnectFailure::Unreachable,
            ),
            (
                "ssh: connect to host h port 22: Connection timed out",
                ConnectFailure::Unreachable,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 127.0.0.2 port 2222",
                ConnectFailure::Unreachable,
            ),
            (
                "ssh: Could not resolve hostname nosuch: Name or service not known",
                ConnectFailure::UnknownName,
            ),
            (
                "ssh: Could not resolve hostname box: Temporary failure in name resolution",
                ConnectFailure::Unreachable,
            ),
            (
                "root@127.0.0.2: Permission denied (publickey).",
                ConnectFailure::Refused,
            ),
            (
                "No ED25519 host key is known for [127.0.0.2]:2222 and you have requested strict checking.\r\nHost key verification failed.",
                ConnectFailure::KeyUnknown,
            ),
            (
                "@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key for [127.0.0.2]:2222 has changed and you have requested strict checking.\r\nHost key verification failed.",
                ConnectFailure::KeyChanged,
            ),
            (
                "/tmp/c: line 1: Bad configuration option: nonsense\r\n/tmp/c: terminating, 1 bad configuration options",
                ConnectFailure::Configuration,
            ),
        ] {
            assert_eq!(ConnectFailure::of(stderr), failure, "{stderr}");
        }
    }
}
