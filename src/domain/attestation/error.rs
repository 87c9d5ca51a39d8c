//! What can go wrong with a proof.

use serde_json::json;

use crate::{
    contract::{
        Below, Code, Coded, JobId, Next,
        details::{self, Details, Discrepancy},
        passes_on,
    },
    domain::{job, patch},
    system::{configuration, files},
};

/// Why a proof cannot be made, or does not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody verified the diff.
    #[error("no verification of the diff of {job_id} is recorded")]
    NotVerified {
        /// The job.
        job_id: JobId,
        /// Its state.
        state: &'static str,
    },
    /// A file cannot be read or written, or something else is in its place.
    #[error("{path} cannot be used: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is the matter.
        reason: String,
    },
    /// There is no proof.
    #[error("there is no proof of {of}: {reason}")]
    Missing {
        /// What a proof was looked for of.
        of: String,
        /// Where it was looked for.
        reason: String,
    },
    /// The statement is not one that legwork writes.
    #[error("{name} is not a statement of legwork: {reason}")]
    Invalid {
        /// Where it came from.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody signed the statement.
    #[error("the statement of {} is not signed", statement.name)]
    Unsigned {
        /// The statement.
        statement: Source,
    },
    /// The signature does not hold.
    #[error("the signature of {} does not hold: {}", statement.name, reason)]
    Signature {
        /// The statement.
        statement: Source,
        /// What does not hold, for a reader.
        reason: String,
        /// What does not hold.
        findings: Vec<Discrepancy>,
    },
    /// What is there is not what the statement speaks of.
    #[error("{} speaks of something else, in {} places", statement.name, findings.len())]
    Mismatch {
        /// The statement.
        statement: Source,
        /// What differs.
        findings: Vec<Discrepancy>,
    },
    /// The proof holds, and what it says is less than is demanded.
    #[error("the proof holds, and says {verdict}{}", listed(blocking))]
    Unmet {
        /// The job that it speaks of.
        job_id: String,
        /// What was found.
        verdict: String,
        /// The caveats in the way.
        blocking: Vec<String>,
    },
    /// The key cannot sign.
    #[error("the key {key} cannot sign: {}", fault.reason())]
    Signing {
        /// The key, as it was named.
        key: String,
        /// Why.
        fault: KeyFault,
        /// What `ssh-keygen` wrote to stderr.
        stderr: String,
    },
    /// There is no `ssh-keygen`.
    #[error("no ssh-keygen was found")]
    KeygenMissing,
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

/// Lists caveats behind a verdict.
fn listed(caveats: &[String]) -> String {
    if caveats.is_empty() {
        return String::new();
    }
    format!(", with {}", caveats.join(", "))
}

passes_on!(Error: configuration::Error, files::Error, job::Error, patch::Error);

/// A statement, by where it came from and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Where it came from.
    pub(crate) name: String,
    /// SHA-256 of its bytes.
    pub(crate) sha256: String,
}

impl Source {
    fn details(&self, findings: &[Discrepancy]) -> Details {
        details::Proof::new(&self.name, findings.iter().cloned())
            .of_statement(Some(&self.sha256))
            .into()
    }
}

/// Why a key cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// There is no such file.
    NotFound,
    /// The file holds no key.
    NoKey,
    /// Others can read the private key, so that OpenSSH does not use it.
    TooOpen,
    /// The private key has a passphrase, and nobody can be asked for it.
    Passphrase,
    /// The public key is there, and neither the ssh-agent nor a file beside it has the private one.
    NotInAgent,
    /// The ssh-agent, or the device that holds the key, did not sign.
    Refused,
    /// Something else.
    Other,
}

impl KeyFault {
    /// Returns its name, as in details.
    const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NoKey => "no_key",
            Self::TooOpen => "too_open",
            Self::Passphrase => "passphrase",
            Self::NotInAgent => "not_in_agent",
            Self::Refused => "agent_refused",
            Self::Other => "other",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "there is no such file",
            Self::NoKey => "the file holds no SSH key",
            Self::TooOpen => "others can read the file",
            Self::Passphrase => "it has a passphrase, and nobody can be asked for it",
            Self::NotInAgent => "neither the ssh-agent nor a file beside it has the private key",
            Self::Refused => "the ssh-agent did not sign with it",
            Self::Other => "ssh-keygen did not sign with it",
        }
    }

    fn remediation(self, key: &str) -> String {
        match self {
            Self::NotFound => {
                format!("Check the path {key}, or make a key with ssh-keygen -t ed25519.")
            }
            Self::NoKey => {
                format!("Name an SSH key in place of {key}: a private one, or the .pub of one.")
            }
            Self::TooOpen => format!("Run chmod 600 {key}, then send the same call again."),
            Self::Passphrase => {
                format!("Run ssh-add {key}, then send the same call again with SSH_AUTH_SOCK set.")
            }
            Self::NotInAgent => {
                "Add the private key with ssh-add, set SSH_AUTH_SOCK, then send the same call again."
                    .to_owned()
            }
            Self::Refused => {
                "Unlock the ssh-agent or confirm the use of the key, then send the same call again."
                    .to_owned()
            }
            Self::Other => "Read details.stderr, or name another key.".to_owned(),
        }
    }
}

impl Error {
    /// Makes the error of a file that cannot be read or written.
    pub(super) fn file(path: &std::path::Path, reason: impl Into<String>) -> Self {
        Self::File {
            path: path.display().to_string(),
            reason: reason.into(),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotVerified { .. } => Code::JobNotVerified,
            Self::File { .. } => Code::ProofFileUnusable,
            Self::Missing { .. } => Code::ProofMissing,
            Self::Invalid { .. } => Code::ProofInvalid,
            Self::Unsigned { .. } => Code::ProofUnsigned,
            Self::Signature { .. } => Code::SignatureRefused,
            Self::Mismatch { .. } => Code::ProofMismatch,
            Self::Unmet { .. } => Code::RequirementUnmet,
            Self::Signing { .. } => Code::SigningFailed,
            Self::KeygenMissing => Code::SshKeygenMissing,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::NotVerified { job_id, .. } => {
                format!("Verify the diff of {job_id} with verify-fix, then send the call again.")
            }
            Self::File { path, .. } => {
                format!("Check what is at {path}, then send the same call again.")
            }
            Self::Missing { .. } => self.code().remediation().to_owned(),
            Self::Invalid { name, .. } => {
                format!("Get {name} again, byte for byte, from whoever made it.")
            }
            Self::Unsigned { .. } => {
                "Ask its maker to sign it: fetch-proof with key. Set allow_unsigned to read it as a claim of nobody."
                    .to_owned()
            }
            Self::Signature { .. } => {
                "Trust nothing that it says; ask its maker for the proof again, and for the key it is signed with."
                    .to_owned()
            }
            Self::Mismatch { .. } => {
                "Read details.findings; get what the proof was made for, or verify what is there now."
                    .to_owned()
            }
            Self::Unmet { blocking, .. } if !blocking.is_empty() => {
                "Look at what the caveats are about; name in accept those that do not matter."
                    .to_owned()
            }
            Self::Unmet { .. } => {
                "Read what the statement says; launch again if another try is wanted.".to_owned()
            }
            Self::Signing { key, fault, .. } => fault.remediation(key),
            Self::KeygenMissing => "Install the OpenSSH client, which has ssh-keygen.".to_owned(),
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotVerified { job_id, state } => {
                details::Job::new(job_id.to_string(), Some(*state)).into()
            }
            Self::File { path, reason } => details::File::new(path, reason).into(),
            Self::Missing { of, reason } => {
                let finding = Discrepancy::new("statement", "a statement", "nothing", reason);
                details::Proof::new(of, [finding]).into()
            }
            Self::Invalid { name, reason } => {
                let expected = "a statement in canonical JSON";
                let finding = Discrepancy::new("statement", expected, "something else", reason);
                details::Proof::new(name, [finding]).into()
            }
            Self::Unsigned { statement } => statement.details(&[Discrepancy::new(
                "signature",
                "a signature",
                "nothing",
                "nobody signed it, so that anybody can have written it",
            )]),
            Self::Signature {
                statement,
                findings,
                ..
            }
            | Self::Mismatch {
                statement,
                findings,
            } => statement.details(findings),
            Self::Unmet {
                job_id, verdict, ..
            } => details::Requirement::new(job_id, "fixed", "verified", Some(verdict)).into(),
            Self::Signing { key, fault, stderr } => {
                details::Signing::new(key, fault.name(), stderr).into()
            }
            Self::KeygenMissing => {
                details::Tool::new("ssh-keygen", "local", "it is not on PATH here").into()
            }
            Self::Below(inner) => inner.details(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::NotVerified { job_id, .. } => vec![Next::new(
                "verify-fix",
                json!({"job_id": job_id}),
                "find out whether its diff fixes the problem",
            )],
            Self::Below(inner) => inner.next(),
            Self::File { .. }
            | Self::Missing { .. }
            | Self::Invalid { .. }
            | Self::Unsigned { .. }
            | Self::Signature { .. }
            | Self::Mismatch { .. }
            | Self::Unmet { .. }
            | Self::Signing { .. }
            | Self::KeygenMissing => Vec::new(),
        }
    }
}
