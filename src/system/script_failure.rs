//! A script that ended on its host without doing its work.

use super::{records::Malformed, reply::Reply};
use crate::contract::{Code, Coded, Name, details, details::Details};

/// A script on a host did not do its work, or its answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the step {step} failed on {host}")]
pub(crate) struct ScriptFailure {
    /// The host.
    pub(crate) host: Name,
    /// What the script was for.
    pub(crate) step: &'static str,
    /// Its exit code.
    pub(crate) status: i32,
    /// What it wrote to stdout.
    pub(crate) stdout: String,
    /// What it wrote to stderr.
    pub(crate) stderr: String,
}

impl ScriptFailure {
    /// Describes a step that failed by all that its script answered.
    pub(crate) fn of(host: &Name, step: &'static str, reply: &Reply) -> Self {
        Self {
            host: host.clone(),
            step,
            status: reply.status,
            stdout: reply.text(),
            stderr: reply.stderr.clone(),
        }
    }

    /// Describes a step whose script answered with a record that cannot be read; of stdout the record alone is kept.
    pub(crate) fn at(host: &Name, step: &'static str, reply: &Reply, record: Malformed) -> Self {
        Self {
            stdout: record.line,
            ..Self::of(host, step, reply)
        }
    }
}

impl Coded for ScriptFailure {
    fn code(&self) -> Code {
        Code::HostScriptFailed
    }

    fn remediation(&self) -> String {
        "Read details.stderr, repair the host, and send the same call again.".to_owned()
    }

    fn details(&self) -> Details {
        details::Step::new(self.step, &self.stdout, &self.stderr)
            .exited(Some(i64::from(self.status)))
            .into()
    }
}
