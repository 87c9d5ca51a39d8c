//! What Mocha prints with its reporters `spec`, `dot` and `min`, as recorded from 12.
//!
//! The summary is `  2 passing (14ms)`, then `  1 pending` and `  1 failing`. With `spec` every test has a line before it,
//! and a summary that counts other passes than were shown was printed by somebody else.

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// Reads the output of Mocha; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text, is_expected: bool) -> Option<Report> {
    let mut report = Report::new(Runner::Mocha, Source::Text);
    let mut path: Vec<(usize, String)> = Vec::new();
    let (mut shown, mut hooks, mut listed_hooks, mut summaries) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut nothing = None;
    for line in text.iter() {
        if let Some(count) = counted(line, "passing") {
            summaries += 1;
            report.count(TestResult::Passed, count);
        } else if let Some(count) = counted(line, "pending").filter(|_| summaries > 0) {
            report.count(TestResult::Skipped, count);
        } else if let Some(count) = counted(line, "failing").filter(|_| summaries > 0) {
            report.count(TestResult::Failed, count);
        } else if line.starts_with("Error: No test files found") {
            nothing = Some(Reason::NothingCollected);
        } else if line.trim_start().starts_with("Exception during run: ")
            || line.starts_with("Error: Cannot find module ") && is_expected
        {
            let is_missing =
                line.contains("Cannot find module ") || line.contains("Cannot find package ");
            nothing = Some(if is_missing {
                Reason::ModuleMissing
            } else {
                Reason::CollectionError
            });
        } else if summaries > 0 {
            listed_hooks += u64::from(is_hook(line));
        } else if let Some(result) = tree(&mut report, &mut path, &mut hooks, line) {
            shown += u64::from(result == TestResult::Passed);
        }
    }
    let has_trace = summaries > 0 || is_expected && (nothing.is_some() || shown > 0);
    if !has_trace {
        return None;
    }
    report.progress = if summaries > 1 || shown > 0 && shown != report.passed {
        Progress::Nothing(if summaries == 0 {
            Reason::ReportUnfinished
        } else {
            Reason::ReportInconsistent
        })
    } else if let Some(reason) = nothing {
        Progress::Nothing(reason)
    } else if summaries == 0 {
        Progress::Unfinished
    } else if report.failed > 0 && hooks.max(listed_hooks) >= report.failed {
        Progress::Nothing(Reason::SetupFailed)
    } else {
        Progress::Finished
    };
    Some(report)
}

/// Whether a line of the list of failures names a hook: `1) "before all" hook for "one":`.
fn is_hook(line: &str) -> bool {
    let line = line.trim();
    let line = line.split_once(") ").map_or(line, |(_, rest)| rest);
    (line.starts_with("\"before ") || line.starts_with("\"after "))
        && line.contains("\" hook")
        && line.ends_with(':')
}

/// Reads `  2 passing (14ms)`.
fn counted(line: &str, word: &str) -> Option<u64> {
    let rest = line.strip_prefix("  ")?;
    let (count, rest) = number(rest)?;
    let rest = rest.strip_prefix(' ')?.strip_prefix(word)?.trim();
    (rest.is_empty() || rest.starts_with('(') && rest.ends_with(')')).then_some(count)
}

/// Reads a line of `spec`: a suite, `✔ one`, `1) two` or `- three`.
fn tree(
    report: &mut Report,
    path: &mut Vec<(usize, String)>,
    hooks: &mut u64,
    line: &str,
) -> Option<TestResult> {
    let indent = line.len() - line.trim_start().len();
    if indent < 2 || path.len() > 50 {
        return None;
    }
    let trimmed = line.trim();
    let (result, name) = if let Some(name) = trimmed
        .strip_prefix("✔ ")
        .or_else(|| trimmed.strip_prefix("✓ "))
    {
        let name = match name.rsplit_once(" (") {
            Some((head, time)) if time.ends_with("ms)") => head,
            _ => name,
        };
        (TestResult::Passed, name)
    } else if let Some((_, name)) =
        number(trimmed).and_then(|(count, rest)| Some((count, rest.strip_prefix(") ")?)))
    {
        *hooks += u64::from(name.starts_with("\"before ") || name.starts_with("\"after "));
        (TestResult::Failed, name)
    } else if let Some(name) = trimmed.strip_prefix("- ") {
        (TestResult::Skipped, name)
    } else {
        while path.last().is_some_and(|(last, _)| *last >= indent) {
            path.pop();
        }
        path.push((indent, trimmed.to_owned()));
        return None;
    };
    while path.last().is_some_and(|(last, _)| *last >= indent) {
        path.pop();
    }
    let names: Vec<&str> = path
        .iter()
        .map(|(_, name)| name.as_str())
        .chain([name])
        .collect();
    report.name(&names.join(" "), result);
    Some(result)
}
