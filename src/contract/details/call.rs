//! Facts about a call: its input, its key, its time, its items.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Facts;
use crate::contract::{
    Code, Coded, Violation, Violations,
    bounded::{Few, Head},
    violation::ListedViolations,
};

/// No facts beside the message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NothingDetails")]
pub struct Nothing {}

/// What is wrong with an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "InputDetails")]
pub struct Input {
    /// The ways in which the input is wrong, at most 50.
    violations: ListedViolations,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
    /// A valid input to start from.
    #[schemars(with = "Option<Map<String, Value>>")]
    skeleton: Option<Value>,
}

/// A name that is not known, or not usable here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UnknownDetails")]
pub struct Unknown {
    /// What kind of thing it names, such as `host` or `job`.
    what: Head<100>,
    /// The name as given, at most 200 characters.
    name: Head<200>,
    /// The nearest known name.
    did_you_mean: Option<Head<200>>,
    /// Known names, at most 50.
    known: Few<Head<200>, 50>,
}

/// The signal that ended the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SignalDetails")]
pub struct Signal {
    /// Its name, such as `SIGTERM`.
    signal: Head<40>,
}

/// A limit of the system that leaves too little.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LimitDetails")]
pub struct Limit {
    /// What it limits: `open files`, `processes`, `memory`, `file size`, `GPUs`, or `resources` where that is not known.
    limit: Head<40>,
    /// What the system reported, or how much is left.
    reason: Head<500>,
}

/// A time that ran out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WaitDetails")]
pub struct Wait {
    /// Milliseconds that were allowed.
    allowed_ms: u64,
    /// What was being waited for.
    waiting_for: Head<200>,
}

/// An idempotency key that is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KeyDetails")]
pub struct Key {
    /// The key.
    idempotency_key: Head<300>,
    /// The primitive it was used with.
    primitive: Head<100>,
    /// The job that carries it.
    job_id: Option<Head<200>>,
}

/// Something too large.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SizeDetails")]
pub struct Size {
    /// How large it is, in bytes.
    size_bytes: u64,
    /// How large it may be, in bytes.
    max_bytes: u64,
}

/// The items of a call over many that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ItemsDetails")]
pub struct Items {
    /// The failed items, at most 1,000.
    items: Few<Item, 1000>,
    /// How many more there are than are listed.
    #[serde(default)]
    omitted: u64,
}

/// One item that failed in a call over many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The item's id.
    id: Head<4096>,
    /// The stable name of its failure.
    error_code: Code,
    /// One sentence for a reader.
    message: Head<500>,
}

impl Facts for Nothing {}
impl Facts for Input {}
impl Facts for Unknown {}
impl Facts for Signal {}
impl Facts for Limit {}
impl Facts for Wait {}
impl Facts for Key {}
impl Facts for Size {}
impl Facts for Items {}

impl Input {
    /// Creates the facts from what is wrong, with a valid input to start from where there is one.
    pub fn new(violations: impl Into<Violations>, skeleton: Option<Value>) -> Self {
        let (violations, omitted) = violations.into().into_parts();
        Self {
            violations,
            omitted,
            skeleton,
        }
    }
}

impl Limit {
    /// Creates the facts of a limit that leaves too little.
    pub fn new(limit: impl Into<Head<40>>, reason: impl Into<Head<500>>) -> Self {
        Self {
            limit: limit.into(),
            reason: reason.into(),
        }
    }
}

impl Violations {
    /// Returns what a check of an input says is wrong with it.
    pub fn found_by<T, E: Coded>(check: Result<T, E>) -> Self {
        let Err(error) = check else {
            return Self::default();
        };
        match error.details().facts::<Input>() {
            Some(facts) => facts.into_violations(),
            None => Violation::new("", "value", error.to_string()).into(),
        }
    }
}

impl Input {
    /// Returns what is wrong.
    pub fn into_violations(self) -> Violations {
        let mut violations: Violations = self.violations.into_iter().collect();
        violations.omit(self.omitted);
        violations
    }
}

impl Unknown {
    /// Creates the facts of a name that is nothing known.
    pub fn new(what: impl Into<Head<100>>, name: impl Into<Head<200>>) -> Self {
        Self {
            what: what.into(),
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds the nearest known name.
    #[must_use]
    pub fn nearest(mut self, near: Option<impl Into<Head<200>>>) -> Self {
        self.did_you_mean = near.map(Into::into);
        self
    }

    /// Adds known names, of which the first 50 are taken.
    #[must_use]
    pub fn known<N: Into<Head<200>>>(mut self, known: impl IntoIterator<Item = N>) -> Self {
        self.known = known.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the nearest known name.
    pub fn did_you_mean(&self) -> Option<&str> {
        self.did_you_mean.as_ref().map(Head::as_str)
    }
}

impl Signal {
    /// Creates the facts from the signal's name.
    pub fn new(signal: impl Into<Head<40>>) -> Self {
        Self {
            signal: signal.into(),
        }
    }
}

impl Wait {
    /// Creates the facts from the time that was allowed and what for.
    pub fn new(allowed_ms: u64, waiting_for: impl Into<Head<200>>) -> Self {
        Self {
            allowed_ms,
            waiting_for: waiting_for.into(),
        }
    }
}

impl Key {
    /// Creates the facts from the key and the primitive that has it.
    pub fn new(key: impl Into<Head<300>>, primitive: impl Into<Head<100>>) -> Self {
        Self {
            idempotency_key: key.into(),
            primitive: primitive.into(),
            job_id: None,
        }
    }

    /// Adds the job that carries the key.
    #[must_use]
    pub fn of_job(mut self, job_id: impl Into<Head<200>>) -> Self {
        self.job_id = Some(job_id.into());
        self
    }
}

impl Size {
    /// Creates the facts from how large something is and may be.
    pub const fn new(size_bytes: u64, max_bytes: u64) -> Self {
        Self {
            size_bytes,
            max_bytes,
        }
    }
}

impl Items {
    /// Creates the facts from the failed items.
    pub fn new(items: impl IntoIterator<Item = Item>) -> Self {
        let (items, omitted) = Few::counted(items);
        Self { items, omitted }
    }
}

impl Item {
    /// Creates one from its id and why it failed.
    pub fn new(id: impl Into<Head<4096>>, error_code: Code, message: impl Into<Head<500>>) -> Self {
        Self {
            id: id.into(),
            error_code,
            message: message.into(),
        }
    }
}
