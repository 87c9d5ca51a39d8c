//! What `go test` prints, as text and as JSON, recorded from Go 1.19.
//!
//! Without `-v`, `ok` stands for a package of which every test passed, of which every test was skipped, and of which
//! `TestMain` called `os.Exit(0)`. So a package counts only by tests that it names: `GOFLAGS=-v` makes it do so. A result
//! counts only for a test that was announced (`=== RUN`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::domain::test_run::{
    failure_text,
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::Text,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    package: Option<String>,
    test: Option<String>,
    output: Option<String>,
}

/// The package that is being reported.
#[derive(Default)]
struct Package {
    /// The tests that were announced, with their results.
    tests: BTreeMap<String, Option<TestResult>>,
    has_passed: bool,
    has_failures_unannounced: Vec<String>,
}

/// What was seen somewhere in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// Anything that `go test` alone writes.
    Trace,
    /// A package says `ok`, and not that any of its tests ran.
    Silent,
    /// A test was announced and has no result.
    Unfinished,
    /// A package failed and none of its tests did.
    FailedSetup,
    Panicked,
    TimedOut,
    Killed,
    OutOfMemory,
}

struct Reader {
    report: Report,
    packages: BTreeMap<String, Package>,
    current: Package,
    results: u64,
    nothing: Option<Reason>,
    marks: BTreeSet<Mark>,
}

/// Reads the output of `go test`; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text, stdout: &str, is_expected: bool) -> Option<Report> {
    let mut reader = Reader {
        report: Report::new(Runner::GoTest, Source::Text),
        packages: BTreeMap::new(),
        current: Package::default(),
        results: 0,
        nothing: None,
        marks: BTreeSet::new(),
    };
    let is_json = stdout.lines().take(100).any(|line| {
        line.starts_with("{\"") && line.contains("\"Action\":\"") && line.contains("\"Package\":\"")
    });
    for line in text.iter() {
        if is_json && line.starts_with('{') {
            if let Ok(event) = serde_json::from_str::<Event>(line) {
                reader.event(event);
            }
        } else {
            reader.line(line, !is_json);
        }
    }
    let has_trace = reader.marks.contains(&Mark::Trace) || is_expected && reader.nothing.is_some();
    has_trace.then(|| reader.finish())
}

impl Reader {
    fn event(&mut self, event: Event) {
        let Some(name) = event.package else {
            return;
        };
        self.marks.insert(Mark::Trace);
        if let Some(output) = &event.output {
            self.trouble(output.trim_end());
        }
        if !self.packages.contains_key(&name) && self.packages.len() >= 10_000 {
            return;
        }
        let package = self.packages.entry(name.clone()).or_default();
        let result = match event.action.as_str() {
            "pass" => TestResult::Passed,
            "fail" => TestResult::Failed,
            "skip" => TestResult::Skipped,
            "run" => {
                if let Some(test) = event.test {
                    package.tests.insert(test, None);
                }
                return;
            }
            "output" if event.test.is_none() && event.output.as_deref() == Some("PASS\n") => {
                package.has_passed = true;
                return;
            }
            _ => return,
        };
        if let Some(test) = event.test {
            if let Some(place) = package.tests.get_mut(&test) {
                *place = Some(result);
            }
        } else {
            let package = std::mem::take(package);
            self.package(&name, &package, result, false);
        }
    }

    fn line(&mut self, line: &str, is_text: bool) {
        self.trouble(line);
        let mut fields = line.split('\t');
        let (word, name, rest) = (
            fields.next().unwrap_or_default(),
            fields.next(),
            fields.next(),
        );
        match (word.trim_end(), name) {
            ("ok", Some(name)) if is_text => {
                self.marks.insert(Mark::Trace);
                let package = std::mem::take(&mut self.current);
                let is_empty = rest.is_some_and(|rest| rest.contains("[no tests to run]"));
                self.package(name, &package, TestResult::Passed, is_empty);
            }
            ("FAIL", Some(name)) => {
                self.marks.insert(Mark::Trace);
                if let Some((name, why)) = name.split_once(" [") {
                    let reason =
                        if why.starts_with("build failed") || why.starts_with("setup failed") {
                            Reason::BuildFailed
                        } else {
                            Reason::CollectionError
                        };
                    self.report.add(name, TestResult::Errored);
                    self.nothing.get_or_insert(reason);
                } else if is_text {
                    let package = std::mem::take(&mut self.current);
                    self.package(name, &package, TestResult::Failed, false);
                }
            }
            ("?", Some(_)) if rest.is_some_and(|rest| rest.contains("[no test files]")) => {
                self.marks.insert(Mark::Trace);
                self.results += 1;
            }
            _ if !is_text => {}
            ("PASS", None) => self.current.has_passed = true,
            _ => self.test(line),
        }
    }

    fn test(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("=== RUN   ") {
            self.marks.insert(Mark::Trace);
            if self.current.tests.len() < 100_000 {
                self.current.tests.insert(name.trim().to_owned(), None);
            }
            return;
        }
        let Some(rest) = line.trim_start_matches(' ').strip_prefix("--- ") else {
            return;
        };
        let Some((word, rest)) = rest.split_once(": ") else {
            return;
        };
        let name = rest.split(" (").next().unwrap_or(rest).trim();
        let result = match word {
            "PASS" => TestResult::Passed,
            "FAIL" => TestResult::Failed,
            "SKIP" => TestResult::Skipped,
            _ => return,
        };
        let is_silent = self.current.tests.is_empty();
        match self.current.tests.get_mut(name) {
            Some(place) => *place = Some(place.unwrap_or(result).max(result)),
            // Without -v only what failed is told.
            None if result == TestResult::Failed && is_silent => {
                self.current.has_failures_unannounced.push(name.to_owned());
            }
            None => {}
        }
    }

    fn trouble(&mut self, line: &str) {
        let trimmed = line.trim_start();
        let marks = [
            (
                Mark::Panicked,
                line.starts_with("panic: ") || line.starts_with("fatal error: "),
            ),
            (
                Mark::TimedOut,
                line.starts_with("panic: test timed out after "),
            ),
            (
                Mark::Killed,
                line.starts_with("signal: killed") || line.starts_with("signal: terminated"),
            ),
            (Mark::OutOfMemory, failure_text::is_out_of_memory(line)),
        ];
        self.marks.extend(
            marks
                .into_iter()
                .filter_map(|(mark, is)| is.then_some(mark)),
        );
        if trimmed.contains(": no required module provides package ")
            || trimmed.contains(" is not in GOROOT")
            || trimmed.contains(" is not in std")
            || trimmed.contains(": cannot find module providing package ")
        {
            self.nothing = Some(Reason::ModuleMissing);
        } else if line.starts_with("stat ") && line.ends_with(": directory not found")
            || line.starts_with("go: warning: \"") && line.ends_with(" matched no packages")
            || line.starts_with("no packages to test")
        {
            self.nothing.get_or_insert(Reason::NothingCollected);
        } else if line.starts_with("go: cannot find main module")
            || line.starts_with("go: go.mod file not found")
            || line.starts_with("flag provided but not defined: ")
        {
            self.nothing.get_or_insert(Reason::UsageError);
        }
    }

    /// Takes the result of a package, which may say itself that it is empty.
    fn package(&mut self, name: &str, package: &Package, result: TestResult, is_empty: bool) {
        self.results += 1;
        let is_failed = result == TestResult::Failed;
        let mut failures = 0;
        for test in &package.has_failures_unannounced {
            failures += 1;
            self.report.uncounted();
            self.report
                .add(&format!("{name}.{test}"), TestResult::Failed);
        }
        let mut open = Vec::new();
        for (test, result) in &package.tests {
            match result {
                Some(result) => {
                    failures += u64::from(*result == TestResult::Failed);
                    self.report.add(&format!("{name}.{test}"), *result);
                }
                None => open.push(test),
            }
        }
        if is_failed && failures == 0 && open.is_empty() {
            self.marks.insert(Mark::FailedSetup);
            self.report.add(name, TestResult::Errored);
        } else if is_failed && !open.is_empty() && self.marks.contains(&Mark::Panicked) {
            for test in &open {
                self.report
                    .add(&format!("{name}.{test}"), TestResult::Failed);
            }
        } else if !open.is_empty() || !is_failed && !package.tests.is_empty() && !package.has_passed
        {
            self.marks.insert(Mark::Unfinished);
        } else if !is_failed && package.tests.is_empty() {
            // Nothing says that any of its tests ran.
            if !is_empty {
                self.marks.insert(Mark::Silent);
            }
            self.report.uncounted();
        }
    }

    fn finish(mut self) -> Report {
        let has_failed = self.report.failed > 0;
        let has_open = !self.current.tests.is_empty()
            || self
                .packages
                .values()
                .any(|package| !package.tests.is_empty());
        let has = |mark: Mark| self.marks.contains(&mark);
        let has_failed_setup = has(Mark::FailedSetup) && !has_failed;
        self.report.progress = if has(Mark::TimedOut) {
            Progress::Nothing(Reason::TimedOut)
        } else if has(Mark::OutOfMemory) {
            Progress::Nothing(Reason::OutOfMemory)
        } else if let Some(reason) = self.nothing.filter(|_| !has_failed) {
            Progress::Nothing(reason)
        } else if has(Mark::Killed) && !has_failed {
            Progress::Nothing(Reason::Killed)
        } else if has(Mark::Unfinished) || has_open || self.results == 0 {
            Progress::Unfinished
        } else if has(Mark::Silent) && self.report.total() == 0 {
            Progress::Nothing(Reason::TestsUncounted)
        } else if has_failed_setup {
            Progress::Nothing(Reason::SetupFailed)
        } else {
            Progress::Finished
        };
        self.report
    }
}
