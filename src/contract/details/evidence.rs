//! Facts about jobs and what they bring back: checkouts, diffs, artifacts, the forge, harnesses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::contract::bounded::{Few, Head, Tail};

/// A git repository that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CheckoutDetails")]
pub struct Checkout {
    /// The checkout or clone.
    path: Head<4096>,
    /// The ref, branch or commit in question.
    reference: Option<Head<300>>,
    /// Files in the way, at most 50.
    files: Few<Head<4096>, 50>,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
    /// What is the matter, at most the last 4,000 characters.
    reason: Tail<4000>,
}

/// An answer of the forge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ForgeDetails")]
pub struct Forge {
    /// What was asked for, without secrets.
    url: Head<2000>,
    /// The HTTP status, where there was an answer.
    status: Option<u16>,
    /// The forge's own message, at most 2,000 characters.
    message: Head<2000>,
    /// When a rate limit ends (RFC 3339, UTC).
    resets_at: Option<Head<40>>,
}

/// A job that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobDetails")]
pub struct Job {
    /// The job.
    job_id: Head<200>,
    /// Its last known state.
    state: Option<Head<40>>,
    /// When its host last answered (RFC 3339, UTC).
    last_evidence_at: Option<Head<40>>,
}

/// A demand that was not met.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequirementDetails")]
pub struct Requirement {
    /// The job; empty where the diff is no job's.
    job_id: Head<200>,
    /// What was demanded.
    required: Head<100>,
    /// The state the job is in.
    state: Head<40>,
    /// What the evidence says of it.
    outcome: Option<Head<40>>,
    /// The caveats that stand in the way, as `accept` would name them.
    #[serde(default)]
    caveats: Few<Head<60>, 30>,
}

/// Processes that did not end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SurvivorsDetails")]
pub struct Survivors {
    /// The job.
    job_id: Head<200>,
    /// Their process ids on the host, at most 1,000.
    pids: Few<u64, 1000>,
}

/// A file of a job that is not as needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ArtifactDetails")]
pub struct Artifact {
    /// The job.
    job_id: Head<200>,
    /// The file's name, made printable.
    name: Head<4096>,
    /// What is the matter, at most 2,000 characters.
    reason: Head<2000>,
}

/// A diff that cannot be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DiffDetails")]
pub struct Diff {
    /// Where the diff came from.
    source: Head<4096>,
    /// What is wrong with it, each with the rule it breaks; at most 100.
    findings: Few<Finding, 100>,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
}

/// One thing in a diff that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The path in the diff, made printable.
    path: Head<4096>,
    /// The rule it breaks, as `allow` would name it.
    rule: Head<60>,
    /// What is wrong, for a reader.
    message: Head<500>,
}

/// A diff that does not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConflictDetails")]
pub struct Conflict {
    /// The commit it was put on.
    onto: Head<300>,
    /// The files whose hunks do not apply, at most 50.
    files: Few<Conflicted, 50>,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
}

/// One file of a diff that does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflicted {
    /// The path in the diff.
    path: Head<4096>,
    /// The headers of the hunks that do not apply, such as `@@ -10,4 +10,5 @@`, at most 50; empty where the file as a whole is the matter.
    hunks: Few<Head<200>, 50>,
    /// git's message about it, at most 500 characters.
    reason: Head<500>,
}

/// What a harness does wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConformanceDetails")]
pub struct Conformance {
    /// How many scenarios it passed.
    passed: u64,
    /// How many it failed.
    failed: u64,
    /// What it does wrong, scenario by scenario; at most 200.
    findings: Few<Nonconformance, 200>,
}

/// One thing that a harness does wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nonconformance {
    /// The scenario that shows it.
    scenario: Head<100>,
    /// What it is, by its stable name.
    fault: Head<100>,
    /// The point of the contract of harnesses that it breaks.
    rule: Head<100>,
    /// What was expected, for a reader.
    expected: Head<2000>,
    /// What was observed, for a reader.
    observed: Head<2000>,
}

impl Facts for Checkout {}
impl Facts for Forge {}
impl Facts for Job {}
impl Facts for Requirement {}
impl Facts for Survivors {}
impl Facts for Artifact {}
impl Facts for Diff {}
impl Facts for Conflict {}
impl Facts for Conformance {}

impl Checkout {
    /// Creates the facts from the checkout and what is the matter with it.
    pub fn new(path: impl Into<Head<4096>>, reason: impl Into<Tail<4000>>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// Adds the ref, branch or commit in question.
    #[must_use]
    pub fn reference(mut self, reference: Option<impl Into<Head<300>>>) -> Self {
        self.reference = reference.map(Into::into);
        self
    }

    /// Adds the files in the way, of which the first 50 are taken.
    #[must_use]
    pub fn files<N: Into<Head<4096>>>(mut self, files: impl IntoIterator<Item = N>) -> Self {
        (self.files, self.omitted) = Few::counted(files.into_iter().map(Into::into));
        self
    }
}

impl Forge {
    /// Creates the facts from what was asked for and the forge's message.
    pub fn new(url: impl Into<Head<2000>>, message: impl Into<Head<2000>>) -> Self {
        Self {
            url: url.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// Adds the HTTP status.
    #[must_use]
    pub const fn status(mut self, status: Option<u16>) -> Self {
        self.status = status;
        self
    }

    /// Adds when a rate limit ends.
    #[must_use]
    pub fn resets_at(mut self, at: Option<impl Into<Head<40>>>) -> Self {
        self.resets_at = at.map(Into::into);
        self
    }
}

impl Job {
    /// Creates the facts from the job's id and last known state.
    pub fn new(job_id: impl Into<Head<200>>, state: Option<impl Into<Head<40>>>) -> Self {
        Self {
            job_id: job_id.into(),
            state: state.map(Into::into),
            last_evidence_at: None,
        }
    }

    /// Adds when its host last answered.
    #[must_use]
    pub fn last_seen(mut self, at: Option<impl Into<Head<40>>>) -> Self {
        self.last_evidence_at = at.map(Into::into);
        self
    }
}

impl Requirement {
    /// Creates the facts from what was demanded of a job and what it is.
    pub fn new(
        job_id: impl Into<Head<200>>,
        required: impl Into<Head<100>>,
        state: impl Into<Head<40>>,
        outcome: Option<impl Into<Head<40>>>,
    ) -> Self {
        Self {
            job_id: job_id.into(),
            required: required.into(),
            state: state.into(),
            outcome: outcome.map(Into::into),
            caveats: Few::default(),
        }
    }

    /// Adds the caveats that stand in the way.
    #[must_use]
    pub fn caveats(mut self, caveats: impl IntoIterator<Item = &'static str>) -> Self {
        self.caveats = caveats.into_iter().map(Into::into).collect();
        self
    }
}

impl Survivors {
    /// Creates the facts from the job and the ids of its processes.
    pub fn new(job_id: impl Into<Head<200>>, pids: impl IntoIterator<Item = u64>) -> Self {
        Self {
            job_id: job_id.into(),
            pids: pids.into_iter().collect(),
        }
    }
}

impl Artifact {
    /// Creates the facts from the job, the file and what is the matter with it.
    pub fn new(
        job_id: impl Into<Head<200>>,
        name: impl Into<Head<4096>>,
        reason: impl Into<Head<2000>>,
    ) -> Self {
        Self {
            job_id: job_id.into(),
            name: name.into(),
            reason: reason.into(),
        }
    }
}

impl Diff {
    /// Creates the facts from where the diff came from and what is wrong with it.
    pub fn new(source: impl Into<Head<4096>>, findings: impl IntoIterator<Item = Finding>) -> Self {
        let (findings, omitted) = Few::counted(findings);
        Self {
            source: source.into(),
            findings,
            omitted,
        }
    }

    /// Says where the diff came from.
    #[must_use]
    pub fn from_source(mut self, source: impl Into<Head<4096>>) -> Self {
        self.source = source.into();
        self
    }
}

impl Finding {
    /// Creates one from the path, the rule and what is wrong.
    pub fn new(
        path: impl Into<Head<4096>>,
        rule: impl Into<Head<60>>,
        message: impl Into<Head<500>>,
    ) -> Self {
        Self {
            path: path.into(),
            rule: rule.into(),
            message: message.into(),
        }
    }

    /// Returns the path in the diff.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Returns the rule it breaks.
    pub fn rule(&self) -> &str {
        self.rule.as_str()
    }
}

impl Conflict {
    /// Creates the facts from the commit and the files that do not apply to it.
    pub fn new(onto: impl Into<Head<300>>, files: impl IntoIterator<Item = Conflicted>) -> Self {
        let (files, omitted) = Few::counted(files);
        Self {
            onto: onto.into(),
            files,
            omitted,
        }
    }
}

impl Conflicted {
    /// Creates one from the path, the headers of the hunks and git's message.
    pub fn new<H: Into<Head<200>>>(
        path: impl Into<Head<4096>>,
        hunks: impl IntoIterator<Item = H>,
        reason: impl Into<Head<500>>,
    ) -> Self {
        Self {
            path: path.into(),
            hunks: hunks.into_iter().map(Into::into).collect(),
            reason: reason.into(),
        }
    }

    /// Replaces git's message.
    pub fn set_reason(&mut self, reason: impl Into<Head<500>>) {
        self.reason = reason.into();
    }

    /// Returns the path in the diff.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Lists the headers of the hunks that do not apply.
    pub fn hunks(&self) -> Vec<&str> {
        self.hunks.as_slice().iter().map(Head::as_str).collect()
    }

    /// Returns git's message about it.
    pub fn reason(&self) -> &str {
        self.reason.as_str()
    }
}

impl Conformance {
    /// Creates the facts from how many scenarios passed and failed, and what failed.
    pub fn new(
        passed: u64,
        failed: u64,
        findings: impl IntoIterator<Item = Nonconformance>,
    ) -> Self {
        Self {
            passed,
            failed,
            findings: findings.into_iter().collect(),
        }
    }
}

impl Nonconformance {
    /// Creates one from the scenario, the fault, the rule, and what was expected and observed.
    pub fn new(
        scenario: impl Into<Head<100>>,
        fault: impl Into<Head<100>>,
        rule: impl Into<Head<100>>,
        expected: impl Into<Head<2000>>,
        observed: impl Into<Head<2000>>,
    ) -> Self {
        Self {
            scenario: scenario.into(),
            fault: fault.into(),
            rule: rule.into(),
            expected: expected.into(),
            observed: observed.into(),
        }
    }
}
