//! The Test Anything Protocol, versions 12 to 14, with subtests as node and vitest write them.
//!
//! A report is whole when its plan (`1..N`) is there and as many tests as it says stand at its top.

use super::node_test::{Files, is_file};
use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// A line of a test.
struct Entry<'a> {
    indent: usize,
    result: TestResult,
    name: &'a str,
    is_open: bool,
}

/// Reads TAP; `None` where there is none.
pub(in super::super) fn read(text: &Text, source: Source) -> Option<Report> {
    let mut report = Report::new(Runner::Tap, source);
    let mut plan: Option<(u64, bool)> = None;
    let mut plans = 0_u64;
    let (mut tops, mut after_plan) = (0_u64, 0_u64);
    let (mut has_version, mut is_bailed, mut is_in_yaml, mut is_node) =
        (false, false, false, false);
    let mut names: Vec<(usize, &str)> = Vec::new();
    let mut deepest_since: Option<usize> = None;
    let mut files = Files::default();
    let mut counts: Vec<(&str, u64)> = Vec::new();
    let mut last_file_failed = false;
    let lines: Vec<&str> = text.iter().collect();
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_end().trim_start();
        let indent = line.len() - line.trim_start().len();
        if is_in_yaml {
            is_in_yaml = trimmed != "...";
            files.killed += u64::from(last_file_failed && trimmed == "signal: 'SIGKILL'");
            files.hooks += u64::from(trimmed == "failureType: 'hookFailed'");
            continue;
        }
        if trimmed == "---" && indent > 0 {
            is_in_yaml = true;
        } else if trimmed.starts_with("TAP version ") && indent == 0 {
            has_version = true;
        } else if let Some((count, is_skipped)) = planned(trimmed).filter(|_| indent == 0) {
            plans += 1;
            plan = Some((count, is_skipped));
            after_plan = 0;
        } else if trimmed.starts_with("Bail out!") {
            is_bailed = true;
        } else if let Some(name) = trimmed.strip_prefix("# Subtest: ") {
            is_node = true;
            while names.last().is_some_and(|(last, _)| *last >= indent) {
                names.pop();
            }
            names.truncate(50);
            names.push((indent, name));
        } else if let Some((word, count)) = trimmed
            .strip_prefix("# ")
            .and_then(|rest| rest.split_once(' '))
            .filter(|_| indent == 0 && plan.is_some())
        {
            if let Ok(count) = count.parse() {
                counts.push((word, count));
            }
        } else if let Some(entry) = entry(line) {
            if entry.indent == 0 {
                tops += 1;
                after_plan += 1;
            }
            // Node writes a suite below what it holds, others above it.
            let is_suite = entry.is_open
                || deepest_since.is_some_and(|deepest| deepest > entry.indent) && is_node
                || !is_node && followed_by_deeper(&lines[at + 1..], entry.indent);
            deepest_since = Some(entry.indent);
            while names.last().is_some_and(|(last, _)| *last >= entry.indent) {
                names.pop();
            }
            last_file_failed = false;
            if is_suite {
                if !is_node {
                    names.truncate(50);
                    names.push((entry.indent, entry.name));
                }
            } else if is_node && entry.indent == 0 && is_file(entry.name) {
                files.passed += u64::from(entry.result == TestResult::Passed);
                files.failed += u64::from(entry.result == TestResult::Failed);
                last_file_failed = entry.result == TestResult::Failed;
            } else {
                let path: Vec<&str> = names
                    .iter()
                    .map(|(_, name)| *name)
                    .chain([entry.name])
                    .collect();
                report.add(&path.join(" > "), entry.result);
            }
        }
    }
    let has_trace = plans > 0 && (has_version || tops > 0) || has_version && tops > 0;
    if !has_trace {
        return None;
    }
    if is_node {
        report.is_of(Runner::NodeTest);
        report.count(TestResult::Errored, files.failed);
    }
    let says_otherwise = contradicts(&counts, &report, &files, is_node);
    report.progress = if is_bailed {
        Progress::Unfinished
    } else {
        let is_split = plans > 1 || after_plan > 0 && after_plan < tops;
        progress(plan, plans, tops, is_split || says_otherwise)
    };
    if report.progress == Progress::Finished {
        files.judge(&mut report, text);
    }
    Some(report)
}

/// Whether the counts below a report are not those of its tests.
fn contradicts(counts: &[(&str, u64)], report: &Report, files: &Files, is_node: bool) -> bool {
    let counted = |word: &str| {
        counts
            .iter()
            .find(|(other, _)| *other == word)
            .map(|(_, count)| *count)
    };
    let failures = report.failed.saturating_add(report.errors);
    let passes = report.passed.saturating_add(files.passed);
    counted("fail")
        .is_some_and(|count| count.saturating_add(counted("cancelled").unwrap_or(0)) != failures)
        || is_node && counted("pass").is_some_and(|count| count != passes)
}

/// Whether as many tests stand at the top of a report as its plan says.
fn progress(plan: Option<(u64, bool)>, plans: u64, tops: u64, is_inconsistent: bool) -> Progress {
    match plan {
        None => Progress::Unfinished,
        Some((0, is_skipped)) if tops == 0 => Progress::Nothing(if is_skipped {
            Reason::AllSkipped
        } else {
            Reason::NothingCollected
        }),
        Some((count, _)) if plans == 1 && tops < count => Progress::Unfinished,
        Some((count, _)) if tops > count || is_inconsistent => {
            Progress::Nothing(Reason::ReportInconsistent)
        }
        Some(_) => Progress::Finished,
    }
}

/// Reads `1..4` and `1..0 # SKIP why`.
fn planned(line: &str) -> Option<(u64, bool)> {
    let (count, rest) = number(line.strip_prefix("1..")?)?;
    let rest = rest.trim();
    (rest.is_empty() || rest.starts_with('#'))
        .then(|| (count, rest.to_lowercase().contains("skip")))
}

/// Reads `not ok 2 - two`, with the directive behind it.
fn entry(line: &str) -> Option<Entry<'_>> {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    let (is_ok, rest) = match trimmed.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, trimmed.strip_prefix("ok")?),
    };
    let rest = rest
        .strip_prefix(' ')
        .or_else(|| rest.is_empty().then_some(rest))?;
    let (number, rest) = number(rest).map_or((None, rest), |(count, rest)| (Some(count), rest));
    // `ok` alone in a line is an ordinary word.
    number?;
    let rest = rest.trim();
    let is_open = rest.ends_with('{');
    let rest = rest.trim_end_matches('{').trim_end();
    let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
    let directive = directive.to_lowercase();
    let name = name.strip_prefix("- ").unwrap_or(name).trim();
    let result = if directive.starts_with("skip") || directive.starts_with("todo") {
        TestResult::Skipped
    } else if is_ok {
        TestResult::Passed
    } else {
        TestResult::Failed
    };
    Some(Entry {
        indent,
        result,
        name,
        is_open,
    })
}

/// Whether the next lines that are not blank hold a subtest: TAP 14 without braces.
fn followed_by_deeper(lines: &[&str], indent: usize) -> bool {
    let next = lines.iter().take(3).find(|line| !line.trim().is_empty());
    next.is_some_and(|line| {
        let deeper = line.len() - line.trim_start().len();
        deeper > indent && entry(line).is_some()
    })
}
