//! What Jest prints, as recorded from 30.5.
//!
//! The summary is four lines in a row: `Test Suites:`, `Tests:`, `Snapshots:`, `Time:`. What a test prints through
//! `console` is indented. Code that calls `process.exit` ends Jest with that code and without a summary; Jest says so.

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, counted},
};

/// Reads the output of Jest; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text) -> Option<Report> {
    let lines = text.lines();
    let mut report = Report::new(Runner::Jest, Source::Text);
    let mut summaries: Vec<bool> = Vec::new();
    let mut file: Option<String> = None;
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut nothing = None;
    let mut is_left = false;
    let mut failed_suites = 0;
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if let Some((suites, tests)) = summary(&lines[at..]) {
            failed_suites += suites;
            let mut has_failed = suites > 0;
            for (count, word) in tests {
                let result = match word {
                    "passed" => TestResult::Passed,
                    "failed" => TestResult::Failed,
                    "skipped" | "todo" => TestResult::Skipped,
                    _ => continue,
                };
                has_failed |= result == TestResult::Failed && count > 0;
                report.count(result, count);
            }
            summaries.push(has_failed);
            file = None;
        } else if let Some(name) = line
            .strip_prefix("PASS ")
            .or_else(|| line.strip_prefix("FAIL "))
        {
            file = Some(name.split(" (").next().unwrap_or(name).trim().to_owned());
            path.clear();
        } else if line.starts_with("No tests found, exiting with code ") {
            nothing = Some(Reason::NothingCollected);
        } else if trimmed.starts_with("● ") && trimmed.contains("process.exit called with ") {
            is_left = true;
        } else if trimmed.starts_with("● Validation Error") {
            nothing = Some(Reason::UsageError);
        } else if trimmed.contains("jest worker process (pid=")
            && trimmed.contains("was terminated by another process")
        {
            nothing = Some(Reason::Killed);
        } else if let Some(file) = &file {
            if let Some(name) = trimmed.strip_prefix("● ") {
                if is_test_name(name) {
                    report.name(&format!("{file} › {name}"), TestResult::Failed);
                }
            } else {
                tree(&mut report, file, &mut path, line);
            }
        }
    }
    let has_trace = !summaries.is_empty() || nothing.is_some() || is_left;
    if !has_trace {
        return None;
    }
    let failed_before_last = summaries.iter().rev().skip(1).any(|failed| *failed);
    report.progress = if is_left {
        Progress::Unfinished
    } else if failed_before_last {
        Progress::Nothing(Reason::ReportInconsistent)
    } else if let Some(reason) = nothing {
        Progress::Nothing(reason)
    } else if failed_suites > 0 && report.failed == 0 {
        Progress::Nothing(
            if text.has("Cannot find module '") || text.has("Cannot find package '") {
                Reason::ModuleMissing
            } else if text.has("Your test suite must contain at least one test.") {
                Reason::NothingCollected
            } else {
                Reason::CollectionError
            },
        )
    } else {
        Progress::Finished
    };
    Some(report)
}

fn is_test_name(name: &str) -> bool {
    !matches!(name, "Console" | "Test suite failed to run") && !name.starts_with(' ')
}

/// Reads a line of the tree below a file: a suite, or `✓ one (6 ms)`.
fn tree(report: &mut Report, file: &str, path: &mut Vec<(usize, String)>, line: &str) {
    let indent = line.len() - line.trim_start().len();
    if indent < 2 || path.len() > 50 {
        return;
    }
    let line = line.trim();
    let mut chars = line.chars();
    let result = match chars.next() {
        Some('✓' | '√') => TestResult::Passed,
        Some('✕' | '×') => TestResult::Failed,
        Some('○' | '✎') => TestResult::Skipped,
        Some(_) => {
            while path.last().is_some_and(|(last, _)| *last >= indent) {
                path.pop();
            }
            path.push((indent, line.to_owned()));
            return;
        }
        None => return,
    };
    let Some(name) = chars.as_str().strip_prefix(' ') else {
        return;
    };
    let name = name
        .strip_prefix("skipped ")
        .or_else(|| name.strip_prefix("todo "))
        .unwrap_or(name);
    let name = match name.rsplit_once(" (") {
        Some((head, time)) if time.ends_with("s)") => head,
        _ => name,
    };
    while path.last().is_some_and(|(last, _)| *last >= indent) {
        path.pop();
    }
    let names: Vec<&str> = path
        .iter()
        .map(|(_, name)| name.as_str())
        .chain([name])
        .collect();
    report.name(&format!("{file} › {}", names.join(" › ")), result);
}

/// Reads the four lines of a summary: how many suites failed, and the counts of tests.
fn summary(lines: &[String]) -> Option<(u64, Vec<(u64, &str)>)> {
    let suites = lines.first()?.strip_prefix("Test Suites: ")?;
    let tests = lines.get(1)?.strip_prefix("Tests:")?.trim();
    lines.get(2)?.strip_prefix("Snapshots:")?;
    lines.get(3)?.strip_prefix("Time:")?;
    // `1 skipped, 0 of 1 total`
    let suites = suites
        .split(", ")
        .find_map(|part| part.strip_suffix(" failed"))
        .map_or(Some(0), |count| count.parse().ok())?;
    Some((suites, counted(tests)?))
}
