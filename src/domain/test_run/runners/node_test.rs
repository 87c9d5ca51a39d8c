//! What `node --test` prints with its reporter `spec`, as recorded from Node.js 20. Its TAP is read with all TAP.
//!
//! Node takes a file that ends with 0 for a test that passed: an empty one, and one in which the tested code called
//! `process.exit(0)`. A test that has the name of a file is none.

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::Text,
};

/// Reads the output of `node --test`; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text) -> Option<Report> {
    let mut report = Report::new(Runner::NodeTest, Source::Text);
    let mut counts: Vec<(&str, u64)> = Vec::new();
    let mut summaries = 0_u64;
    let mut suites: Vec<(usize, String)> = Vec::new();
    let mut files = Files::default();
    let mut is_over = false;
    let mut is_missing_file = false;
    for line in text.iter() {
        if let Some((word, count)) = line
            .strip_prefix("ℹ ")
            .and_then(|rest| rest.split_once(' '))
        {
            if let Ok(count) = count.trim().parse() {
                summaries += u64::from(word == "tests");
                is_over = true;
                counts.push((word, count));
            }
        } else if line.starts_with("Could not find '") {
            is_missing_file = true;
        } else if !is_over {
            take(&mut report, &mut suites, &mut files, line);
        }
    }
    if summaries == 0 && !is_missing_file {
        return None;
    }
    let of = |word: &str| {
        counts
            .iter()
            .filter(|(other, _)| *other == word)
            .map(|(_, count)| *count)
            .fold(0, u64::saturating_add)
    };
    files.count(
        &mut report,
        [
            of("pass"),
            of("fail").saturating_add(of("cancelled")),
            of("skipped").saturating_add(of("todo")),
        ],
    );
    report.progress = if is_missing_file {
        Progress::Nothing(Reason::NothingCollected)
    } else if summaries != 1 {
        Progress::Nothing(Reason::ReportInconsistent)
    } else {
        Progress::Finished
    };
    if report.progress == Progress::Finished {
        files.judge(&mut report, text);
    }
    Some(report)
}

/// Files that node reports as if they were tests.
#[derive(Default)]
pub(super) struct Files {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) killed: u64,
    pub(super) hooks: u64,
}

impl Files {
    /// Counts passes, failures and skips, without those of whole files.
    pub(super) fn count(&self, report: &mut Report, [passed, failed, skipped]: [u64; 3]) {
        report.count(TestResult::Passed, passed.saturating_sub(self.passed));
        report.count(TestResult::Failed, failed.saturating_sub(self.failed));
        report.count(TestResult::Errored, self.failed);
        report.count(TestResult::Skipped, skipped);
    }

    /// Says why nothing ran, where only whole files failed or passed.
    pub(super) fn judge(&self, report: &mut Report, text: &Text) {
        if self.hooks > 0 && self.hooks >= report.failed.saturating_add(report.errors) {
            report.nothing(Reason::SetupFailed);
        } else if report.failed > 0 || self.failed == 0 {
        } else if self.killed >= self.failed {
            report.nothing(Reason::Killed);
        } else if text.has("Error: Cannot find module '") || text.has("ERR_MODULE_NOT_FOUND") {
            report.nothing(Reason::ModuleMissing);
        } else {
            report.nothing(Reason::CollectionError);
        }
    }
}

/// Whether the name of a test is that of a file.
pub(super) fn is_file(name: &str) -> bool {
    [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".jsx", ".tsx"]
        .iter()
        .any(|ending| name.ends_with(ending))
        && !name.contains(' ')
}

fn take(report: &mut Report, suites: &mut Vec<(usize, String)>, files: &mut Files, line: &str) {
    let indent = line.len() - line.trim_start().len();
    let trimmed = line.trim();
    let mut chars = trimmed.chars();
    let result = match chars.next() {
        Some('▶') => None,
        Some('✔') => Some(TestResult::Passed),
        Some('✖') => Some(TestResult::Failed),
        Some('﹣') => Some(TestResult::Skipped),
        Some(_) | None => return,
    };
    let Some(name) = chars.as_str().strip_prefix(' ') else {
        return;
    };
    let name = name.split(" # ").next().unwrap_or(name);
    let name = match name.rsplit_once(" (") {
        Some((head, time)) if time.ends_with("ms)") => head,
        _ => name,
    };
    while suites.last().is_some_and(|(last, _)| *last > indent) {
        suites.pop();
    }
    let Some(result) = result else {
        suites.truncate(50);
        suites.push((indent, name.to_owned()));
        return;
    };
    if suites
        .last()
        .is_some_and(|(last, suite)| *last == indent && suite == name)
    {
        // The end of a suite.
        suites.pop();
        return;
    }
    if indent == 0 && is_file(name) {
        files.passed += u64::from(result == TestResult::Passed);
        files.failed += u64::from(result == TestResult::Failed);
        return;
    }
    let names: Vec<&str> = suites
        .iter()
        .map(|(_, name)| name.as_str())
        .chain([name])
        .collect();
    report.name(&names.join(" > "), result);
}
