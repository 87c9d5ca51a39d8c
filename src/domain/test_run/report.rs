//! What a reader of one runner's report found in it.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::model::{Reason, Runner, Source, TestResult};

/// Tests of which the names are kept; all are counted.
const MAX_TESTS: usize = 100_000;
/// Bytes of a test's name that are kept.
const MAX_NAME: usize = 1000;

/// Whether a report came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The runner wrote all of it.
    Finished,
    /// It begins and does not end.
    Unfinished,
    /// It says, or lets it be seen, that nothing ran that could be judged.
    Nothing(Reason),
}

/// A runner's report.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) runner: Runner,
    /// All the runners whose reports are joined in it.
    pub(super) runners: BTreeSet<Runner>,
    pub(super) source: Source,
    pub(super) tests: BTreeMap<String, TestResult>,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) errors: u64,
    pub(super) progress: Progress,
    /// Results under a name that another one had already, and those that the runner never names.
    repeats: u64,
    /// Whether tests ran that nothing counts.
    has_uncounted: bool,
    /// Whether a test was running when the process crashed: where it also ended by such a signal, that is a failure.
    pub(super) has_crashed: bool,
}

impl Report {
    /// Returns a report that has not ended and holds nothing.
    pub(super) fn new(runner: Runner, source: Source) -> Self {
        Self {
            runner,
            runners: BTreeSet::from([runner]),
            source,
            tests: BTreeMap::new(),
            passed: 0,
            failed: 0,
            skipped: 0,
            errors: 0,
            progress: Progress::Unfinished,
            repeats: 0,
            has_uncounted: false,
            has_crashed: false,
        }
    }

    /// Says that tests were counted that the runner never names.
    pub(super) fn never_names(&mut self, count: u64) {
        self.repeats = self.repeats.saturating_add(count);
    }

    /// Says that tests may have run that nothing counts.
    pub(super) fn uncounted(&mut self) {
        self.has_uncounted = true;
    }

    /// Says which runner wrote it.
    pub(super) fn is_of(&mut self, runner: Runner) {
        self.runner = runner;
        self.runners = BTreeSet::from([runner]);
    }

    /// Names a test. Of results under one name the worst is kept.
    pub(super) fn name(&mut self, name: &str, result: TestResult) {
        let mut end = name.len().min(MAX_NAME);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        let is_full = self.tests.len() >= MAX_TESTS;
        match self.tests.entry(name[..end].to_owned()) {
            Entry::Occupied(mut entry) => {
                let worst = (*entry.get()).max(result);
                entry.insert(worst);
            }
            Entry::Vacant(entry) if !is_full => {
                entry.insert(result);
            }
            Entry::Vacant(_) => {}
        }
    }

    /// Says how a test went, whatever was said before.
    pub(super) fn set(&mut self, name: &str, result: TestResult) {
        self.tests.remove(name);
        self.name(name, result);
    }

    /// Names a test and counts it.
    pub(super) fn add(&mut self, name: &str, result: TestResult) {
        let names = self.tests.len();
        self.name(name, result);
        self.repeats += u64::from(self.tests.len() == names);
        self.count(result, 1);
    }

    /// Counts results.
    pub(super) fn count(&mut self, result: TestResult, count: u64) {
        let counter = match result {
            TestResult::Passed => &mut self.passed,
            TestResult::Skipped => &mut self.skipped,
            TestResult::Errored => &mut self.errors,
            TestResult::Failed => &mut self.failed,
        };
        *counter = counter.saturating_add(count);
    }

    /// Takes the place of the tree out of the names.
    pub(super) fn forget_tree(&mut self, tree: &str) {
        let tree = tree.trim_end_matches('/');
        if tree.is_empty() || !self.tests.keys().any(|name| name.contains(tree)) {
            return;
        }
        let below = format!("{tree}/");
        for (name, result) in std::mem::take(&mut self.tests) {
            let name = name.replace(&below, "").replace(tree, ".");
            self.name(&name, result);
        }
    }

    /// Returns how many tests were counted.
    pub(super) fn total(&self) -> u64 {
        [self.passed, self.failed, self.skipped, self.errors]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Returns whether every test that was counted is named.
    pub(super) fn is_named(&self) -> bool {
        self.progress == Progress::Finished
            && !self.has_uncounted
            && self.total() > 0
            && self.repeats.saturating_add(self.tests.len() as u64) >= self.total()
    }

    /// Says why nothing ran, unless that was said.
    pub(super) fn nothing(&mut self, reason: Reason) {
        if !matches!(self.progress, Progress::Nothing(_)) {
            self.progress = Progress::Nothing(reason);
        }
    }

    /// Takes another report of the same run, such as that of a second call of the runner.
    pub(super) fn merge(&mut self, other: Self) {
        for (name, result) in other.tests {
            self.name(&name, result);
        }
        self.count(TestResult::Passed, other.passed);
        self.count(TestResult::Failed, other.failed);
        self.count(TestResult::Skipped, other.skipped);
        self.count(TestResult::Errored, other.errors);
        self.repeats = self.repeats.saturating_add(other.repeats);
        self.runners.extend(other.runners);
        self.source = self.source.max(other.source);
        self.has_crashed |= other.has_crashed;
        self.has_uncounted |= other.has_uncounted;
        self.progress = match (self.progress, other.progress) {
            (Progress::Nothing(reason), _) | (_, Progress::Nothing(reason)) => {
                Progress::Nothing(reason)
            }
            (Progress::Unfinished, _) | (_, Progress::Unfinished) => Progress::Unfinished,
            (Progress::Finished, Progress::Finished) => Progress::Finished,
        };
    }

    /// Takes the names from a report file of the same run, which has to agree with what was printed.
    pub(super) fn confirm(&mut self, file: Self) {
        let counts = |report: &Self| {
            (
                report.passed,
                report.failed.saturating_add(report.errors),
                report.skipped,
            )
        };
        let is_whole = file.progress == Progress::Finished && self.progress == Progress::Finished;
        if is_whole && counts(self) != counts(&file) {
            self.nothing(Reason::ReportInconsistent);
        } else if is_whole && !self.is_named() {
            self.repeats = file.repeats;
            self.tests = file.tests;
        }
    }
}
