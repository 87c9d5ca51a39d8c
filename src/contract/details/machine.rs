//! Facts about machines and what lies on them: files, the database, hosts, programs, steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::contract::{
    Violations,
    bounded::{Few, Head, Tail},
    violation::ListedViolations,
};

/// What is wrong with the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigDetails")]
pub struct Config {
    /// The configuration file.
    path: Head<4096>,
    /// The ways in which it is wrong, at most 50.
    violations: ListedViolations,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
}

/// A file that is in the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FileDetails")]
pub struct File {
    /// The file or folder.
    path: Head<4096>,
    /// What the system reported, or what is wrong with the content; at most the last 2,000 characters.
    reason: Tail<2000>,
}

/// The database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StoreDetails")]
pub struct Store {
    /// The database file, or which database on which server.
    path: Head<4096>,
    /// What was found, at most 2,000 characters.
    reason: Head<2000>,
    /// Where a copy of what was found was put.
    backup: Option<Head<4096>>,
    /// The tables and rows that cannot be read, at most 500, where the file itself is whole.
    #[serde(default)]
    damaged: Few<DamagedRecord, 500>,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
}

/// A table or a row that cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DamagedRecord {
    /// The table.
    table: Head<200>,
    /// The row, by its key; null where the table itself is damaged.
    row: Option<Head<400>>,
    /// What is wrong with it, the column first where it is one.
    reason: Head<400>,
}

/// A host that did not do what was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostDetails")]
pub struct Host {
    /// The host's name here.
    host: Head<200>,
    /// The end of what the ssh client or the host wrote to stderr, at most 4,000 characters.
    stderr: Tail<4000>,
    /// When the host last answered (RFC 3339, UTC).
    last_evidence_at: Option<Head<40>>,
}

/// A program that is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ToolDetails")]
pub struct Tool {
    /// The program.
    tool: Head<4096>,
    /// The machine it is missing on.
    host: Head<200>,
    /// What was tried, at most 2,000 characters.
    evidence: Head<2000>,
}

/// A step that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StepDetails")]
pub struct Step {
    /// The step's name.
    step: Head<200>,
    /// Its exit code, where it ended by itself.
    exit_code: Option<i64>,
    /// The end of its stdout, at most 4,000 characters.
    stdout: Tail<4000>,
    /// The end of its stderr, at most 4,000 characters.
    stderr: Tail<4000>,
}

impl Facts for Config {}
impl Facts for File {}
impl Facts for Store {}
impl Facts for Host {}
impl Facts for Tool {}
impl Facts for Step {}

impl Config {
    /// Creates the facts from the file and what is wrong with it.
    pub fn new(path: impl Into<Head<4096>>, violations: impl Into<Violations>) -> Self {
        let (violations, omitted) = violations.into().into_parts();
        Self {
            path: path.into(),
            violations,
            omitted,
        }
    }
}

impl File {
    /// Creates the facts from the file and what is the matter with it.
    pub fn new(path: impl Into<Head<4096>>, reason: impl Into<Tail<2000>>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

impl Store {
    /// Creates the facts from the database file and what was found.
    pub fn new(path: impl Into<Head<4096>>, reason: impl Into<Head<2000>>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// Adds the tables and rows that cannot be read.
    #[must_use]
    pub fn with_damaged(mut self, damaged: impl IntoIterator<Item = DamagedRecord>) -> Self {
        (self.damaged, self.omitted) = Few::counted(damaged);
        self
    }

    /// Adds where a copy of what was found was put.
    #[must_use]
    pub fn copied_to(mut self, backup: Option<impl Into<Head<4096>>>) -> Self {
        self.backup = backup.map(Into::into);
        self
    }
}

impl DamagedRecord {
    /// Creates one from its table, the key of its row, and what is wrong.
    pub fn new(
        table: impl Into<Head<200>>,
        row: Option<impl Into<Head<400>>>,
        reason: impl Into<Head<400>>,
    ) -> Self {
        Self {
            table: table.into(),
            row: row.map(Into::into),
            reason: reason.into(),
        }
    }
}

impl Host {
    /// Creates the facts from the host's name and stderr.
    pub fn new(host: impl Into<Head<200>>, stderr: impl Into<Tail<4000>>) -> Self {
        Self {
            host: host.into(),
            stderr: stderr.into(),
            last_evidence_at: None,
        }
    }

    /// Adds when the host last answered.
    #[must_use]
    pub fn last_seen(mut self, at: Option<impl Into<Head<40>>>) -> Self {
        self.last_evidence_at = at.map(Into::into);
        self
    }
}

impl Tool {
    /// Creates the facts from the program, the machine and what was tried.
    pub fn new(
        tool: impl Into<Head<4096>>,
        host: impl Into<Head<200>>,
        evidence: impl Into<Head<2000>>,
    ) -> Self {
        Self {
            tool: tool.into(),
            host: host.into(),
            evidence: evidence.into(),
        }
    }
}

impl Step {
    /// Creates the facts of a step that did not end by itself, or of which no exit code is known.
    pub fn new(
        step: impl Into<Head<200>>,
        stdout: impl Into<Tail<4000>>,
        stderr: impl Into<Tail<4000>>,
    ) -> Self {
        Self {
            step: step.into(),
            exit_code: None,
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }

    /// Adds the exit code, where there is one.
    #[must_use]
    pub fn exited(mut self, exit_code: Option<impl Into<i64>>) -> Self {
        self.exit_code = exit_code.map(Into::into);
        self
    }
}
