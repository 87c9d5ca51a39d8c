//! One way in which an input is wrong, and all of them together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::{Few, Head};

/// How many violations an answer lists; the rest are counted.
pub(super) const MAX_VIOLATIONS: usize = 50;

/// The violations that an answer lists.
pub type ListedViolations = Few<Violation, MAX_VIOLATIONS>;

/// One way in which an input is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// Where in the input, as a JSON pointer (RFC 6901); empty for the input as a whole.
    pointer: Head<300>,
    /// The schema keyword or rule that was broken, such as `type`, `required`, `additionalProperties`, `flag`.
    keyword: Head<60>,
    /// What is wrong, for a reader.
    message: Head<300>,
    /// What would have been right: a type, a list of values, the nearest known name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Head<600>>,
}

impl Violation {
    /// Creates one without what would have been right.
    pub fn new(
        pointer: impl Into<Head<300>>,
        keyword: impl Into<Head<60>>,
        message: impl Into<Head<300>>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            keyword: keyword.into(),
            message: message.into(),
            expected: None,
        }
    }

    /// Says what would have been right.
    #[must_use]
    pub fn expecting(mut self, expected: impl Into<Head<600>>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what would have been right, where that is known.
    #[must_use]
    pub fn maybe_expecting(self, expected: Option<impl Into<Head<600>>>) -> Self {
        match expected {
            Some(expected) => self.expecting(expected),
            None => self,
        }
    }

    /// Returns where in the input it is, as a JSON pointer.
    pub fn pointer(&self) -> &str {
        self.pointer.as_str()
    }

    /// Returns the keyword or rule that was broken.
    pub fn keyword(&self) -> &str {
        self.keyword.as_str()
    }

    /// Returns what is wrong, for a reader.
    pub fn message(&self) -> &str {
        self.message.as_str()
    }

    /// Returns what would have been right, where that is known.
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_ref().map(Head::as_str)
    }
}

/// All ways in which an input is wrong: the first [`MAX_VIOLATIONS`] of them, and how many more there are.
///
/// An input may be wrong in millions of places, and its answer is small nevertheless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    listed: Vec<Violation>,
    omitted: u64,
}

impl Violations {
    /// Adds one.
    pub fn push(&mut self, violation: Violation) {
        self.push_with(|| violation);
    }

    /// Adds one, which is worded only where it is listed.
    pub fn push_with(&mut self, worded: impl FnOnce() -> Violation) {
        if self.listed.len() < MAX_VIOLATIONS {
            self.listed.push(worded());
        } else {
            self.omit(1);
        }
    }

    /// Adds all of another list.
    pub fn append(&mut self, other: Self) {
        for violation in other.listed {
            self.push(violation);
        }
        self.omit(other.omitted);
    }

    /// Adds to the count of those that are not listed.
    pub const fn omit(&mut self, count: u64) {
        self.omitted = self.omitted.saturating_add(count);
    }

    /// Returns whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.omitted == 0
    }

    /// Returns how many there are, those not listed included.
    pub fn count(&self) -> u64 {
        u64::try_from(self.listed.len())
            .unwrap_or(u64::MAX)
            .saturating_add(self.omitted)
    }

    /// Returns the first.
    pub fn first(&self) -> Option<&Violation> {
        self.listed.first()
    }

    /// Lists those that are listed.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.listed.iter()
    }

    /// Returns those that an answer lists, and how many more there are.
    pub fn into_parts(self) -> (ListedViolations, u64) {
        (self.listed.into(), self.omitted)
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self {
            listed: vec![violation],
            omitted: 0,
        }
    }
}

impl From<Vec<Violation>> for Violations {
    fn from(violations: Vec<Violation>) -> Self {
        violations.into_iter().collect()
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(violations: I) -> Self {
        let mut all = Self::default();
        for violation in violations {
            all.push(violation);
        }
        all
    }
}
