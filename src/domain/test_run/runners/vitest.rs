//! What Vitest prints, as recorded from 4.1.
//!
//! The summary is ` Test Files  …` and `      Tests  …`, `Start at` and `Duration`. A worker that was killed leaves counts
//! that do not add up, and an XML report without a failure.

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// Reads the output of Vitest; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text) -> Option<Report> {
    let lines = text.lines();
    let mut report = Report::new(Runner::Vitest, Source::Text);
    let mut has_started = false;
    let mut summaries: Vec<bool> = Vec::new();
    let mut nothing = None;
    let mut is_inconsistent = false;
    let mut has_failed_suites = false;
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with("RUN  v") || trimmed.starts_with("DEV  v") {
            has_started = true;
        } else if line.starts_with("No test files found, exiting with code ") {
            nothing = Some(Reason::NothingCollected);
        } else if trimmed.contains("[vitest-pool]: Worker ")
            || trimmed.contains("Error: Worker exited unexpectedly")
        {
            nothing = Some(Reason::Killed);
        } else if let Some(tests) = summary(&lines[at..]) {
            let before = report.failed;
            match counts(tests) {
                Some((counts, total)) => {
                    let sum = counts
                        .iter()
                        .map(|(_, count)| *count)
                        .fold(0, u64::saturating_add);
                    is_inconsistent |= sum != total;
                    for (result, count) in counts {
                        report.count(result, count);
                    }
                }
                None => is_inconsistent = true,
            }
            summaries.push(report.failed > before);
        } else if let Some(name) = trimmed.strip_prefix("FAIL  ") {
            has_failed_suites |= name.ends_with(" ]");
            if !name.ends_with(" ]") {
                report.name(name, TestResult::Failed);
            }
        } else if let Some((result, name)) = verbose(trimmed) {
            report.name(name, result);
        }
    }
    if !(has_started && (!summaries.is_empty() || nothing.is_some() || text.has("⎯⎯⎯"))
        || !summaries.is_empty()
        || nothing.is_some() && has_started)
    {
        return None;
    }
    let failed_before_last = summaries.iter().rev().skip(1).any(|failed| *failed);
    report.progress = if let Some(reason) = nothing {
        Progress::Nothing(reason)
    } else if is_inconsistent || failed_before_last {
        Progress::Nothing(Reason::ReportInconsistent)
    } else if summaries.is_empty() {
        Progress::Unfinished
    } else if has_failed_suites && report.failed == 0 {
        Progress::Nothing(
            if text.has("Error: Cannot find package '")
                || text.has("Error: Cannot find module '")
                || text.has("Error: Failed to resolve import ")
            {
                Reason::ModuleMissing
            } else if text.has("Error: No test suite found in file ") {
                Reason::NothingCollected
            } else if report.skipped > 0 {
                Reason::SetupFailed
            } else {
                Reason::CollectionError
            },
        )
    } else {
        Progress::Finished
    };
    Some(report)
}

type Counts = (Vec<(TestResult, u64)>, u64);

/// Returns what a summary, from its first line on, says of its tests.
fn summary(lines: &[String]) -> Option<&str> {
    let files = lines.first()?.trim_start();
    files.strip_prefix("Test Files  ")?;
    let tests = lines.get(1)?.trim().strip_prefix("Tests  ")?;
    let has_end = lines
        .iter()
        .skip(2)
        .take(3)
        .any(|line| line.trim_start().starts_with("Start at "));
    has_end.then_some(tests.trim())
}

/// Reads `1 failed | 2 passed | 1 skipped (4)` and `no tests`.
fn counts(text: &str) -> Option<Counts> {
    if text == "no tests" {
        return Some((Vec::new(), 0));
    }
    let (counts, total) = text.rsplit_once('(')?;
    let total = total.strip_suffix(')')?.parse().ok()?;
    let mut all = Vec::new();
    for part in counts
        .split('|')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (count, word) = number(part)?;
        let result = match word.trim() {
            "passed" => TestResult::Passed,
            "failed" => TestResult::Failed,
            "skipped" | "todo" | "expected fail" => TestResult::Skipped,
            _ => return None,
        };
        all.push((result, count));
    }
    Some((all, total))
}

/// Reads `✓ a.test.js > cart > one 4ms`.
fn verbose(line: &str) -> Option<(TestResult, &str)> {
    let mut chars = line.chars();
    let result = match chars.next()? {
        '✓' | '√' => TestResult::Passed,
        '×' => TestResult::Failed,
        '↓' => TestResult::Skipped,
        _ => return None,
    };
    let name = chars.as_str().strip_prefix(' ')?;
    if !name.contains(" > ") {
        return None;
    }
    let name = match name.rsplit_once(' ') {
        Some((head, time)) if time.ends_with("ms") && number(time).is_some() => head,
        _ => name,
    };
    Some((result, name))
}
