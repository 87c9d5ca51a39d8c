//! Compares the tests of a file before and after.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    braces,
    language::{Language, Test},
    mask::Masked,
    python, shell,
};

/// The largest file that is read.
const MAX_FILE: usize = 4 << 20;
/// Findings of one file that are kept.
const MAX_FINDINGS: usize = 500;

/// Tests that are looked at to find one again that was renamed.
const MAX_NAMESAKES: usize = 20;

/// How a test is weaker than it was.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WeakeningKind {
    /// It is gone, or has a name that no runner takes for a test.
    Removed,
    /// It asserts nothing any more.
    Emptied,
    /// It is skipped, left out by a condition, or expected to fail.
    Skipped,
    /// It asserts less than it did.
    AssertionRemoved,
    /// It asserts something else in the place of what it did.
    AssertionChanged,
}

#[cfg(test)]
impl WeakeningKind {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Emptied => "emptied",
            Self::Skipped => "skipped",
            Self::AssertionRemoved => "assertion_removed",
            Self::AssertionChanged => "assertion_changed",
        }
    }
}

/// A test that is weaker than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weakening {
    /// How.
    pub(crate) kind: WeakeningKind,
    /// The test, with the names of what it is part of; empty for what a file checks outside its tests.
    pub(crate) test: String,
    /// The statement or the mark that says so.
    pub(crate) what: String,
}

/// Lists the tests of a file that are weaker than they were.
///
/// `None` stands for a file that is not there. A file in a language that is not read has no findings, unless it is gone
/// altogether: then it is one test that was removed.
pub(crate) fn weakened(path: &str, before: Option<&str>, after: Option<&str>) -> Vec<Weakening> {
    let Some(before) = before else {
        return Vec::new();
    };
    let Some(language) = Language::of(path) else {
        return match after {
            None => vec![finding(WeakeningKind::Removed, "", path)],
            Some(_) => Vec::new(),
        };
    };
    let old = tests(language, before);
    let new = tests(language, after.unwrap_or_default());
    let by_name: BTreeMap<&str, &Test> =
        new.iter().map(|test| (test.name.as_str(), test)).collect();
    let known: std::collections::BTreeSet<&str> =
        old.iter().map(|test| test.name.as_str()).collect();
    let added = Added::new(
        new.iter()
            .filter(|test| !known.contains(test.name.as_str())),
    );
    let mut findings = Vec::new();
    for test in &old {
        if findings.len() >= MAX_FINDINGS {
            break;
        }
        match by_name.get(test.name.as_str()) {
            Some(now) => compare(test, now, &mut findings),
            None if after.is_some() && added.has_all_of(test) => {}
            None => findings.push(finding(WeakeningKind::Removed, &test.name, "")),
        }
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

fn tests(language: Language, source: &str) -> Vec<Test> {
    let mut end = source.len().min(MAX_FILE);
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let masked = Masked::new(&source[..end], &language.lexis());
    let mut tests = match language {
        Language::Python => python::tests(&masked),
        Language::Shell => shell::tests(&masked),
        Language::JavaScript | Language::Rust | Language::Go | Language::C => {
            braces::tests(language, &masked)
        }
    };
    // Names that are used again are told apart by their order.
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for test in &mut tests {
        let count = uses.entry(test.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            test.name = format!("{} #{count}", test.name);
        }
    }
    tests
}

/// The tests that only the new file has, to find those again that were renamed.
struct Added<'a> {
    assertions: Vec<BTreeMap<&'a str, usize>>,
    by_first: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Added<'a> {
    fn new(tests: impl Iterator<Item = &'a Test>) -> Self {
        let mut added = Self {
            assertions: Vec::new(),
            by_first: BTreeMap::new(),
        };
        for test in tests.filter(|test| test.skip.is_none()) {
            let counts = counts(test);
            for assertion in counts.keys() {
                let places = added.by_first.entry(assertion).or_default();
                if places.len() < MAX_NAMESAKES {
                    places.push(added.assertions.len());
                }
            }
            added.assertions.push(counts);
        }
        added
    }

    /// Whether one of them asserts all that this test did.
    fn has_all_of(&self, test: &Test) -> bool {
        let wanted = counts(test);
        let candidates = test
            .assertions
            .first()
            .and_then(|first| self.by_first.get(first.as_str()));
        candidates.into_iter().flatten().any(|at| {
            wanted
                .iter()
                .all(|(assertion, count)| self.assertions[*at].get(assertion) >= Some(count))
        })
    }
}

fn counts(test: &Test) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for assertion in &test.assertions {
        *counts.entry(assertion.as_str()).or_default() += 1;
    }
    counts
}

fn compare(before: &Test, after: &Test, findings: &mut Vec<Weakening>) {
    if let (None, Some(skip)) = (&before.skip, &after.skip) {
        findings.push(finding(WeakeningKind::Skipped, &before.name, skip));
        return;
    }
    let missing = missing(before, after);
    let Some(first) = missing.first() else {
        return;
    };
    let kind = if after.assertions.is_empty() {
        WeakeningKind::Emptied
    } else if after.assertions.len() < before.assertions.len() {
        WeakeningKind::AssertionRemoved
    } else {
        WeakeningKind::AssertionChanged
    };
    findings.push(finding(kind, &before.name, first));
}

/// Lists what one test asserts and the other does not, each as often as it does so.
fn missing<'a>(before: &'a Test, after: &Test) -> Vec<&'a str> {
    let mut left = counts(after);
    before
        .assertions
        .iter()
        .map(String::as_str)
        .filter(|assertion| match left.get_mut(assertion) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect()
}

fn finding(kind: WeakeningKind, test: &str, what: &str) -> Weakening {
    let head = |text: &str| text.chars().take(300).collect();
    Weakening {
        kind,
        test: head(test),
        what: head(what),
    }
}
