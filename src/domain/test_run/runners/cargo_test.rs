//! What the harness of Rust prints under `cargo test`, as recorded from cargo 1.95.
//!
//! Each binary, and the examples of the documentation, print `running N tests`, a line for each test, and `test result:`.
//! A test that calls `exit(0)` ends its binary without a result, and cargo takes that for a success. A result that
//! does not count to N, or that comes when no binary is running, was printed by somebody else.

use crate::domain::test_run::{
    failure_text,
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// The output of one binary.
#[derive(Default)]
struct Binary {
    expected: u64,
    named: u64,
    has_other_text: bool,
}

/// Reads the output of `cargo test`; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text, is_expected: bool) -> Option<Report> {
    let mut report = Report::new(Runner::CargoTest, Source::Text);
    let mut open: Option<Binary> = None;
    let mut pending: Option<String> = None;
    let mut binaries = 0_u64;
    let mut is_inconsistent = false;
    let mut nothing = None;
    let mut crash = None;
    for line in text.iter() {
        if let Some(expected) = running(line) {
            // The one before has no result.
            is_inconsistent |= open.is_some() && nothing.is_none() && crash.is_none();
            open = Some(Binary {
                expected,
                ..Binary::default()
            });
            binaries += 1;
        } else if let Some(counts) = result_of(line) {
            let total = counts
                .iter()
                .map(|(_, count)| *count)
                .fold(0, u64::saturating_add);
            match open.take() {
                Some(binary) if binary.expected == total => {
                    is_inconsistent |=
                        binary.named > 0 && binary.named < total && !binary.has_other_text;
                    for (result, count) in counts {
                        report.count(result, count);
                    }
                    pending = None;
                }
                Some(mut binary) => {
                    binary.has_other_text = true;
                    open = Some(binary);
                }
                None => is_inconsistent = true,
            }
        } else if let Some((name, word)) = test(line) {
            let Some(binary) = &mut open else { continue };
            binary.named += 1;
            pending = None;
            match result(word) {
                Some(result) => report.name(name, result),
                None => pending = Some(name.to_owned()),
            }
        } else if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|line| line.strip_suffix(" stdout ----"))
        {
            report.name(name, TestResult::Failed);
        } else if line.contains("use of unresolved module or unlinked crate") {
            nothing = Some(Reason::ModuleMissing);
        } else if let Some(found) = trouble(line) {
            nothing.get_or_insert(found);
        } else if line
            .trim_start()
            .starts_with("process didn't exit successfully: ")
        {
            crash = crash.or_else(|| ended(line));
        } else if let Some(name) = pending.take_if(|_| result(line.trim_end()).is_some()) {
            if let Some(result) = result(line.trim_end()) {
                report.name(&name, result);
            }
        } else if let Some(binary) = &mut open {
            binary.has_other_text |= !line.trim().is_empty();
        }
    }
    let has_trace = binaries > 0 || is_expected && (nothing.is_some() || crash.is_some());
    if !has_trace {
        return None;
    }
    let is_out_of_memory = text.iter().any(failure_text::is_out_of_memory);
    report.progress = match (crash, nothing) {
        _ if is_inconsistent => Progress::Nothing(Reason::ReportInconsistent),
        (Some(_), _) if is_out_of_memory && open.is_some() => {
            Progress::Nothing(Reason::OutOfMemory)
        }
        (Some(Ended::Killed), _) => Progress::Nothing(Reason::Killed),
        // A test brought its own process down, which is a failure.
        (Some(Ended::Crashed), _) => {
            if let Some(name) = pending {
                report.name(&name, TestResult::Failed);
            }
            report.count(TestResult::Failed, 1);
            Progress::Finished
        }
        (_, Some(reason)) if report.failed == 0 => Progress::Nothing(reason),
        _ if open.is_some() => Progress::Unfinished,
        _ => Progress::Finished,
    };
    Some(report)
}

#[derive(Clone, Copy)]
enum Ended {
    Killed,
    Crashed,
}

/// How a binary ended that a signal ended.
fn ended(line: &str) -> Option<Ended> {
    let (_, signal) = line.rsplit_once("(signal: ")?;
    let (signal, _) = number(signal)?;
    Some(match signal {
        4..=8 | 11 => Ended::Crashed,
        _ => Ended::Killed,
    })
}

/// Why cargo ran no test.
fn trouble(line: &str) -> Option<Reason> {
    let rest = line.strip_prefix("error")?;
    let is_missing = [
        "can't find crate for",
        ": no matching package named",
        ": failed to get `",
    ];
    if is_missing.iter().any(|words| rest.contains(words)) {
        return Some(Reason::ModuleMissing);
    }
    if rest.starts_with(": could not compile ")
        || rest.starts_with("[E")
        || rest.starts_with(": failed to run custom build command")
    {
        return Some(Reason::BuildFailed);
    }
    if rest.starts_with(": no test target named ") || rest.starts_with(": no library targets found")
    {
        return Some(Reason::NothingCollected);
    }
    if rest.starts_with(": could not find `Cargo.toml`")
        || rest.starts_with(": unexpected argument ")
    {
        return Some(Reason::UsageError);
    }
    None
}

/// Reads `running 3 tests`.
fn running(line: &str) -> Option<u64> {
    let (count, rest) = number(line.strip_prefix("running ")?)?;
    matches!(rest.trim_end(), " tests" | " test").then_some(count)
}

/// Reads `test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s`.
pub(super) fn result_of(line: &str) -> Option<Vec<(TestResult, u64)>> {
    let rest = line.strip_prefix("test result: ")?;
    let rest = rest
        .strip_prefix("ok. ")
        .or_else(|| rest.strip_prefix("FAILED. "))?;
    let mut counts = Vec::new();
    for part in rest.split("; ") {
        let Some((count, word)) = number(part) else {
            continue;
        };
        let result = match word.trim() {
            "passed" | "measured" => TestResult::Passed,
            "failed" => TestResult::Failed,
            "ignored" => TestResult::Skipped,
            _ => continue,
        };
        counts.push((result, count));
    }
    (counts.len() >= 3).then_some(counts)
}

/// Reads `test tests::one ... ok`, where the result may still be to come.
fn test(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("test ")?;
    let (name, result) = rest
        .split_once(" ... ")
        .or_else(|| Some((rest.strip_suffix(" ...")?, "")))?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    Some((name, result.trim_end()))
}

fn result(word: &str) -> Option<TestResult> {
    Some(match word {
        "ok" => TestResult::Passed,
        "FAILED" => TestResult::Failed,
        _ if word.starts_with("ignored") => TestResult::Skipped,
        _ if word.starts_with("bench: ") => TestResult::Passed,
        _ if word.starts_with("ok <") => TestResult::Passed,
        _ if word.starts_with("FAILED <") => TestResult::Failed,
        _ => return None,
    })
}
