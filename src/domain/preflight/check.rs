//! One thing that could make a launch fail, and whether it would.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Code;

/// One thing that could make a launch fail, and whether it would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Check {
    /// What was checked. More may be added.
    pub(crate) name: Subject,
    /// Its result.
    pub(crate) status: Status,
    /// What the result is based on.
    pub(crate) evidence: String,
    /// One sentence with the concrete next step; null where there is none to take.
    pub(crate) remediation: Option<String>,
    /// The code that a launch would fail with; null where it would not, or with none of its own.
    pub(crate) error_code: Option<Code>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// As it must be.
    Pass,
    /// A launch would work; something about it would not be as it should.
    Warn,
    /// A launch would fail.
    Fail,
    /// It could not be found out.
    Unknown,
    /// It does not apply here.
    Skipped,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    /// The ssh client here.
    SshClient,
    /// The ssh-agent here: `SSH_AUTH_SOCK`, and the keys behind it.
    SshAgent,
    /// Whether the host answers.
    Connection,
    /// Whether the host's key is known here.
    HostKey,
    /// Whether the host accepts a key.
    Authentication,
    /// How long a command takes to the host and back.
    RoundTrip,
    /// A POSIX shell there.
    Shell,
    /// Whether start-up files there print where a program's answer belongs.
    StartupNoise,
    /// git there, and its version.
    Git,
    /// tar there.
    Tar,
    /// The programs of coreutils that are needed there.
    Coreutils,
    /// flock there.
    Flock,
    /// setsid there.
    Setsid,
    /// Whether `/proc` can be read there.
    Proc,
    /// Whether the kernel there keeps a run together, so that its end ends all that it started.
    Containment,
    /// Whether a run there lives on when the login that started it ends.
    Logout,
    /// Whether the folder legwork keeps its things in can be written there.
    RootWritable,
    /// The free space on that folder's disk.
    Disk,
    /// How far the clocks are apart.
    Clock,
    /// The agent's program there.
    AgentPresent,
    /// Whether the agent is logged in, by what it reports itself.
    AgentLogin,
    /// Whether the agent leaves out what a repository brings along: settings, hooks, plugins, MCP servers.
    AgentProjectSettings,
    /// The name and address that git there signs commits with.
    GitIdentity,
    /// How many sessions the host's sshd allows.
    SessionLimits,
    /// Whether the host can read the repository.
    Repository,
    /// git-lfs there, where the configuration of the repository wants its large files.
    GitLfs,
}

impl Subject {
    /// Returns whether a launch must not be tried while this is unknown.
    pub(super) const fn is_essential(self) -> bool {
        !matches!(
            self,
            Self::SshAgent
                | Self::StartupNoise
                | Self::Containment
                | Self::Logout
                | Self::Clock
                | Self::AgentProjectSettings
                | Self::GitIdentity
                | Self::SessionLimits
        )
    }
}

impl Check {
    fn new(name: Subject, status: Status, evidence: impl Into<String>) -> Self {
        Self {
            name,
            status,
            evidence: evidence.into(),
            remediation: None,
            error_code: None,
        }
    }

    /// Makes a check that passes.
    pub(super) fn pass(name: Subject, evidence: impl Into<String>) -> Self {
        Self::new(name, Status::Pass, evidence)
    }

    /// Makes a check that warns: a launch would work.
    pub(super) fn warn(
        name: Subject,
        evidence: impl Into<String>,
        remediation: impl Into<String>,
    ) -> Self {
        Self::new(name, Status::Warn, evidence).with_remediation(remediation)
    }

    /// Makes a check that fails: a launch would fail too.
    pub(super) fn fail(
        name: Subject,
        evidence: impl Into<String>,
        remediation: impl Into<String>,
    ) -> Self {
        Self::new(name, Status::Fail, evidence).with_remediation(remediation)
    }

    /// Makes a check whose result is unknown.
    pub(super) fn unknown(name: Subject, evidence: impl Into<String>) -> Self {
        Self::new(name, Status::Unknown, evidence)
    }

    /// Makes a check that does not apply.
    pub(super) fn skipped(name: Subject, evidence: impl Into<String>) -> Self {
        Self::new(name, Status::Skipped, evidence)
    }

    /// Adds the next step.
    pub(super) fn with_remediation(mut self, remediation: impl Into<String>) -> Self {
        self.remediation = Some(remediation.into());
        self
    }

    /// Adds the code that a launch would fail with.
    pub(super) fn with_code(mut self, code: Code) -> Self {
        self.error_code = Some(code);
        self
    }

    /// Returns whether it leaves a launch worth trying.
    pub(super) fn allows_launch(&self) -> bool {
        match self.status {
            Status::Pass | Status::Warn | Status::Skipped => true,
            Status::Unknown => !self.name.is_essential(),
            Status::Fail => false,
        }
    }
}

/// Makes the check of what lies behind a connection that did not come about.
pub(super) fn not_reached(subject: Subject) -> Check {
    Check::unknown(subject, "the host was not reached")
}

/// Keeps the first 500 characters of a program's output as evidence.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= 500 {
        return text.to_owned();
    }
    text.chars().take(500).chain("…".chars()).collect()
}
