//! What cargo-nextest prints, as recorded from 0.9.148.
//!
//! Each test is a process, and nextest believes its exit code: one that calls `exit(0)` passes. With
//! `NEXTEST_SUCCESS_OUTPUT=immediate` what each test's harness printed is shown, and has to end with its result. Where it is
//! not shown, the report rests on exit codes.

use super::cargo_test;
use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// Reads the output of nextest; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text, is_expected: bool) -> Option<Report> {
    let mut report = Report::new(Runner::Nextest, Source::Text);
    let mut has_started = false;
    let mut is_over = false;
    let mut summaries = 0;
    let mut nothing = None;
    let (mut killed, mut timed_out, mut shown, mut ended) = (0_u64, 0_u64, 0_u64, 0_u64);
    for line in text.iter() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("Nextest run ID ") {
            has_started = true;
            is_over = false;
        } else if let Some(counts) = summary(trimmed).filter(|_| has_started) {
            summaries += 1;
            is_over = true;
            for (count, word) in counts {
                match word {
                    "passed" => report.count(TestResult::Passed, count),
                    "skipped" => {
                        report.count(TestResult::Skipped, count);
                        report.never_names(count);
                    }
                    "timed out" => {
                        timed_out += count;
                        report.count(TestResult::Failed, count);
                    }
                    _ => report.count(TestResult::Failed, count),
                }
            }
        } else if let Some((status, name)) = status(trimmed).filter(|_| has_started && !is_over) {
            let result = match status {
                "PASS" | "LEAK" | "FLAKY" => TestResult::Passed,
                "SKIP" => TestResult::Skipped,
                _ => TestResult::Failed,
            };
            killed += u64::from(matches!(
                status,
                "SIGKILL" | "SIGTERM" | "SIGINT" | "SIGHUP" | "ABORT"
            ));
            report.name(name, result);
        } else if trimmed.starts_with("stdout ──") {
            shown += 1;
        } else if cargo_test::result_of(trimmed)
            .is_some_and(|counts| counts.first() == Some(&(TestResult::Passed, 1)))
        {
            ended += 1;
        } else if trimmed.starts_with("error: could not compile ") {
            nothing.get_or_insert(Reason::BuildFailed);
        } else if trimmed.starts_with("error: no test target named ")
            || trimmed.starts_with("error: no tests to run")
        {
            nothing.get_or_insert(Reason::NothingCollected);
        } else if trimmed.contains("use of unresolved module or unlinked crate") {
            nothing = Some(Reason::ModuleMissing);
        }
    }
    if !(has_started || is_expected && nothing.is_some()) {
        return None;
    }
    let shown_passes = shown.saturating_sub(report.failed);
    report.progress = match nothing {
        Some(Reason::NothingCollected) if report.skipped > 0 => {
            Progress::Nothing(Reason::AllSkipped)
        }
        Some(reason) => Progress::Nothing(reason),
        None if summaries == 0 => Progress::Unfinished,
        None if summaries > 1 => Progress::Nothing(Reason::ReportInconsistent),
        None if report.failed > 0 && killed >= report.failed => Progress::Nothing(Reason::Killed),
        None if report.failed > 0 && timed_out >= report.failed => {
            Progress::Nothing(Reason::TimedOut)
        }
        None if shown_passes > 0 && ended < report.passed => Progress::Unfinished,
        None => Progress::Finished,
    };
    if ended < report.passed {
        report.source = Source::ExitCode;
    }
    Some(report)
}

/// Reads `Summary [   0.528s] 2 tests run: 1 passed (1 slow), 1 failed, 1 skipped`.
fn summary(line: &str) -> Option<Vec<(u64, &str)>> {
    let (_, rest) = line.strip_prefix("Summary [")?.split_once("] ")?;
    let (_, counts) = rest.split_once(" run: ")?;
    let mut all = Vec::new();
    let mut depth = 0_usize;
    // What stands in parentheses is counted already.
    let outside: String = counts
        .chars()
        .filter(|char| {
            depth += usize::from(*char == '(');
            let is_outside = depth == 0;
            depth -= usize::from(*char == ')' && depth > 0);
            is_outside
        })
        .collect();
    for part in outside.split(',') {
        let (count, word) = number(part.trim())?;
        let word = word.trim();
        let word = ["passed", "failed", "exec failed", "timed out", "skipped"]
            .into_iter()
            .find(|known| *known == word)?;
        all.push((count, word));
    }
    Some(all)
}

/// Reads `PASS [   0.097s] (1/2) cart::mixed three`.
fn status(line: &str) -> Option<(&str, &str)> {
    let (status, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once("] ")?;
    let seconds = time
        .trim()
        .trim_start_matches('>')
        .trim()
        .strip_suffix('s')?;
    seconds.parse::<f64>().ok()?;
    let status = status.trim();
    let status = status.rsplit(' ').next().unwrap_or(status);
    if matches!(status, "TERMINATING" | "SLOW")
        || status.is_empty()
        || !status
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    {
        return None;
    }
    let rest = rest.trim_start();
    let name = match rest
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "))
    {
        Some((_, name)) => name.trim_start(),
        None => rest,
    };
    (!name.is_empty()).then_some((status, name))
}
