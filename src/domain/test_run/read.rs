//! Reads what a command left behind as a run of tests.
//!
//! Exit codes lie. Of what was recorded, these say 0 although no test ran or none was judged: unittest 3.11, `cargo test`,
//! `go test`, mocha, `node --test` and `CTest` where nothing was collected, `-t` of jest and vitest, every runner whose tests
//! were all skipped, and nearly every one where the tested code calls `exit(0)`. And these say 1, as a failed test does,
//! although no test ran: unittest, mocha and jest where a module is missing, a pytest fixture that cannot be made.
//!
//! So a run is red or green only where the report of the runner is whole, agrees with the exit code, and counts a failure
//! or a pass. Where the command names a runner, its report has to be there. Where a program of unknown make speaks, only
//! its exit code can be believed.

use std::collections::BTreeMap;

use super::{
    command, failure_text,
    model::{End, Output, Reason, Runner, Source, TestRun},
    report::{Progress, Report},
    runners,
    text::Text,
};

/// Lines at the end in which a process says that its memory ran out.
const LAST: usize = 60;

/// Variables that make runners say what is read here; what `GOFLAGS` holds already has to stay in it.
///
/// With `-v` Go names its tests: without it a package says `ok` too where nothing ran. nextest shows what the harness of
/// each test said at its end: without it a test that calls `exit(0)` has passed.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("GOFLAGS", "-v"),
    ("NEXTEST_SUCCESS_OUTPUT", "immediate"),
    ("NEXTEST_STATUS_LEVEL", "all"),
    ("CARGO_TERM_COLOR", "never"),
    ("NO_COLOR", "1"),
];

/// Reads what a command left behind.
pub(crate) fn read(output: &Output<'_>) -> TestRun {
    let text = Text::joined(output.stdout, output.stderr);
    let expected = command::expected(output.command, &text);
    let mut report = reported(output, &text, &expected);
    if let Some(report) = &mut report {
        report.forget_tree(output.tree);
    }
    let end = match (interrupted(output.exit_code, &text), &report) {
        (Some(reason), _) => End::DidNotRun(reason),
        (None, Some(report)) => judge(report, &expected, output.exit_code, &text),
        (None, None) if expected.is_empty() || is_crash(output.exit_code) => {
            by_exit_code(output.exit_code, &text)
        }
        (None, None) => End::DidNotRun(unreported(&text)),
    };
    let Some(report) = report else {
        return TestRun {
            runner: match expected.as_slice() {
                [runner] => Some(*runner),
                _ => None,
            },
            source: Source::ExitCode,
            is_named: false,
            tests: BTreeMap::new(),
            passed: 0,
            failed: 0,
            skipped: 0,
            errors: 0,
            end,
        };
    };
    TestRun {
        runner: Some(report.runner),
        source: report.source,
        is_named: report.is_named(),
        tests: report.tests,
        passed: report.passed,
        failed: report.failed,
        skipped: report.skipped,
        errors: report.errors,
        end,
    }
}

/// Joins the reports of all the runners that spoke: one for each, the best that there is.
fn reported(output: &Output<'_>, text: &Text, expected: &[Runner]) -> Option<Report> {
    let is = |runner: Runner| expected.contains(&runner);
    let mut found: Vec<Report> = [
        of_pytest(output, text),
        runners::unittest::read(text, is(Runner::Unittest)),
        runners::cargo_test::read(text, is(Runner::CargoTest)).filter(|_| !is(Runner::Nextest)),
        runners::nextest::read(text, is(Runner::Nextest)),
        runners::go_test::read(text, output.stdout, is(Runner::GoTest)),
        runners::jest::read(text),
        runners::vitest::read(text),
        runners::mocha::read(text, is(Runner::Mocha)),
        runners::node_test::read(text),
        runners::ctest::read(text),
    ]
    .into_iter()
    .flatten()
    .filter(|report| expected.is_empty() || is(report.runner))
    .collect();
    // A runner that says what it did in a form that others write too.
    if !found.iter().any(|report| is_javascript(report.runner)) {
        let other = runners::javascript_json::read(output.stdout, Source::Text)
            .or_else(|| runners::tap::read(text, Source::Text))
            .or_else(|| runners::junit::read(after_noise(output.stdout)));
        let named = expected
            .iter()
            .copied()
            .find(|runner| is_javascript(*runner));
        if let Some(mut other) =
            other.filter(|_| named.is_some() || expected.is_empty() && found.is_empty())
        {
            other.source = Source::Text;
            other.is_of(named.unwrap_or(other.runner));
            found.push(other);
        }
    }
    let spoken = found.into_iter().reduce(|mut one, other| {
        one.merge(other);
        one
    });
    let written = output
        .reports
        .iter()
        .filter_map(|(_, bytes)| written(bytes))
        .reduce(|mut one, other| {
            one.merge(other);
            one
        });
    match (spoken, written) {
        (Some(mut spoken), Some(written)) => {
            spoken.confirm(written);
            Some(spoken)
        }
        (spoken, written) => spoken.or(written),
    }
}

/// Takes what the plugin sent before what was printed, which may still say why the plugin saw no end.
fn of_pytest(output: &Output<'_>, text: &Text) -> Option<Report> {
    let is_crash = is_crash(output.exit_code);
    let printed = runners::pytest::read(text);
    let sent = output.events.and_then(|events| {
        runners::pytest_events::read(events, output.key, output.exit_code, is_crash)
    });
    let Some(mut sent) = sent else {
        return printed;
    };
    if sent.progress == Progress::Unfinished
        && let Some(Progress::Nothing(reason)) = printed.map(|report| report.progress)
        && reason != Reason::ReportInconsistent
    {
        sent.nothing(reason);
    }
    Some(sent)
}

const fn is_javascript(runner: Runner) -> bool {
    matches!(
        runner,
        Runner::Jest | Runner::Vitest | Runner::Mocha | Runner::NodeTest
    )
}

/// What stands before XML on standard output was printed by the tests.
fn after_noise(stdout: &str) -> &[u8] {
    let start = stdout.find("<?xml").or_else(|| stdout.find("<testsuite"));
    &stdout.as_bytes()[start.unwrap_or(stdout.len())..]
}

/// Reads a report file.
fn written(bytes: &[u8]) -> Option<Report> {
    runners::junit::read(bytes).or_else(|| {
        let text = String::from_utf8_lossy(bytes);
        runners::javascript_json::read(&text, Source::Report)
            .or_else(|| runners::tap::read(&Text::new(&text), Source::Report))
    })
}

/// Judges a report by how the process ended.
fn judge(report: &Report, expected: &[Runner], exit_code: i32, text: &Text) -> End {
    match report.progress {
        Progress::Nothing(reason) => return End::DidNotRun(reason),
        Progress::Unfinished if report.has_crashed && is_crash(exit_code) => return End::Red,
        Progress::Unfinished => return End::DidNotRun(unreported(text)),
        Progress::Finished => {}
    }
    let failures = report.failed.saturating_add(report.errors);
    if failures > 0 {
        return match exit_code {
            0 => End::DidNotRun(Reason::ReportInconsistent),
            _ => End::Red,
        };
    }
    if report.passed == 0 {
        return End::DidNotRun(if report.skipped > 0 {
            Reason::AllSkipped
        } else {
            Reason::NothingCollected
        });
    }
    let is_silent = |runner: &Runner| !report.runners.contains(runner);
    match exit_code {
        0 if expected.iter().any(is_silent) => End::DidNotRun(Reason::ReportUnfinished),
        0 => End::Green,
        _ => End::DidNotRun(failure_text::reason(text).unwrap_or(Reason::ReportInconsistent)),
    }
}

/// Why the report that was to be expected is not there, or has no end.
fn unreported(text: &Text) -> Reason {
    failure_text::reason(text).unwrap_or_else(|| {
        let is_of_make = |line: &str| line.starts_with("make") && line.contains("*** [");
        if text.iter().rev().take(LAST).any(is_of_make) {
            Reason::BuildFailed
        } else {
            Reason::ReportUnfinished
        }
    })
}

/// Judges a program that is no known runner.
fn by_exit_code(exit_code: i32, text: &Text) -> End {
    match (failure_text::reason(text), exit_code) {
        (Some(reason), _) => End::DidNotRun(reason),
        (None, 0) => End::Green,
        (None, _) => End::Red,
    }
}

/// Why a process did not come to its own end, whatever it printed before.
fn interrupted(exit_code: i32, text: &Text) -> Option<Reason> {
    let is_out_of_memory = || {
        text.iter()
            .rev()
            .take(LAST)
            .any(failure_text::is_out_of_memory)
    };
    match exit_code {
        // SIGXCPU: the limit of processor time.
        124 | 152 => Some(Reason::TimedOut),
        125..=127 => Some(Reason::CommandMissing),
        129..=159 if is_out_of_memory() => Some(Reason::OutOfMemory),
        129..=159 if !is_crash(exit_code) => Some(Reason::Killed),
        _ => None,
    }
}

/// Whether a program ended by a signal that its own mistake brings about: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV.
const fn is_crash(exit_code: i32) -> bool {
    matches!(exit_code, 132..=136 | 139)
}
