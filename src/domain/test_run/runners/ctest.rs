//! What `CTest` prints, as recorded from 3.25 and 4.4.
//!
//! Each test has a line with its result, and at the end `67% tests passed, 1 tests failed out of 3`. What a test prints
//! stands behind its number with `-V`, and bare with `--output-on-failure`; so a summary counts only where it speaks of as
//! many tests as have lines.

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// Reads the output of `CTest`; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text) -> Option<Report> {
    let mut report = Report::new(Runner::Ctest, Source::Text);
    let mut has_started = false;
    let mut is_empty = false;
    let mut summaries: Vec<(u64, u64)> = Vec::new();
    let (mut timed_out, mut killed, mut not_run, mut disabled) = (0_u64, 0_u64, 0_u64, 0_u64);
    for line in text.iter() {
        if line.starts_with("Test project ") {
            has_started = true;
        } else if line.starts_with("No tests were found!!!") {
            is_empty = true;
        } else if let Some((name, result)) = test(line) {
            let of = if result.contains("***Skipped") || result.contains("***Not Run (Disabled)") {
                disabled += u64::from(result.contains("(Disabled)"));
                TestResult::Skipped
            } else if result.trim_start().starts_with("Passed ") {
                TestResult::Passed
            } else {
                timed_out += u64::from(result.contains("***Timeout"));
                killed += u64::from(result.contains("Subprocess killed"));
                not_run += u64::from(result.contains("***Not Run"));
                TestResult::Failed
            };
            report.add(name, of);
        } else if let Some(summary) = summary(line) {
            summaries.push(summary);
        }
    }
    if !has_started && (summaries.is_empty() || report.total() == 0) {
        return None;
    }
    let total = report.total().saturating_sub(disabled);
    let is_whole = summaries.last() == Some(&(report.failed, total));
    report.progress = if is_empty && report.total() == 0 {
        Progress::Nothing(Reason::NothingCollected)
    } else if summaries.is_empty() {
        Progress::Unfinished
    } else if !is_whole {
        Progress::Nothing(Reason::ReportInconsistent)
    } else if report.failed > 0 && timed_out == report.failed {
        Progress::Nothing(Reason::TimedOut)
    } else if report.failed > 0 && killed == report.failed {
        Progress::Nothing(Reason::Killed)
    } else if report.failed > 0 && not_run == report.failed {
        Progress::Nothing(Reason::CommandMissing)
    } else {
        Progress::Finished
    };
    Some(report)
}

/// Reads `2/4 Test #2: two ..............................***Failed    0.01 sec`.
fn test(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = number(line.trim_start())?;
    let (_, rest) = number(rest.strip_prefix('/')?)?;
    let (_, rest) = number(
        rest.trim_start()
            .strip_prefix("Test")?
            .trim_start()
            .strip_prefix('#')?,
    )?;
    let rest = rest.strip_prefix(": ")?;
    let dots = rest
        .find(" ..")
        .or_else(|| rest.find(" ***"))
        .or_else(|| rest.find("   Passed"))?;
    let (name, result) = rest.split_at(dots);
    let result = result.trim_start().trim_start_matches('.');
    result
        .trim_end()
        .ends_with(" sec")
        .then_some((name, result))
}

/// Reads how many tests failed of how many.
fn summary(line: &str) -> Option<(u64, u64)> {
    let (_, rest) = number(line)?;
    let rest = rest.strip_prefix("% tests passed")?;
    let (failed, rest) = match rest.strip_prefix(", ") {
        Some(rest) => {
            let (failed, rest) = number(rest)?;
            let rest = rest
                .strip_prefix(" tests failed")
                .or_else(|| rest.strip_prefix(" test failed"))?;
            (failed, rest)
        }
        None => (0, rest),
    };
    let (total, rest) = number(rest.strip_prefix(" out of ")?)?;
    rest.trim().is_empty().then_some((failed, total))
}
