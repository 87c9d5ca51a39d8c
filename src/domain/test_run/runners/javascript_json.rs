//! The JSON reports of Jest 30.5, Vitest 4.1 and Mocha 12.

use serde::Deserialize;

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
};

/// The largest report that is read.
const MAX_BYTES: usize = 16 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Jest {
    num_total_tests: u64,
    num_failed_tests: u64,
    num_passed_tests: u64,
    #[serde(default)]
    num_pending_tests: u64,
    #[serde(default)]
    num_todo_tests: u64,
    success: bool,
    #[serde(default)]
    test_results: Vec<JestFile>,
    num_runtime_error_test_suites: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JestFile {
    #[serde(default)]
    assertion_results: Vec<JestTest>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JestTest {
    full_name: String,
    status: String,
}

#[derive(Deserialize)]
struct Mocha {
    stats: MochaStats,
    tests: Vec<MochaTest>,
    #[serde(default)]
    failures: Vec<MochaTest>,
    #[serde(default)]
    pending: Vec<MochaTest>,
}

#[derive(Deserialize)]
struct MochaStats {
    tests: u64,
    passes: u64,
    pending: u64,
    failures: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MochaTest {
    full_title: String,
}

/// Reads a report that stands alone or begins in some line of a text; `None` where there is none.
pub(in super::super) fn read(text: &str, source: Source) -> Option<Report> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let jest = ["{\"numFailedTestSuites\":", "{\"numTotalTestSuites\":"];
    if let Some(at) = jest.iter().find_map(|start| text.find(start)) {
        let found = first::<Jest>(&text[at..]);
        return Some(found.map_or_else(
            || unfinished(Runner::Jest, source),
            |report| of_jest(&report, source),
        ));
    }
    let is_mocha = text.contains("\"fullTitle\"") || text.contains("\"passes\"");
    let start = text
        .strip_prefix("{\n  \"stats\"")
        .map(|_| 0)
        .or_else(|| text.find("\n{\n  \"stats\"").map(|at| at + 1))?;
    is_mocha.then(|| {
        first::<Mocha>(&text[start..]).map_or_else(
            || unfinished(Runner::Mocha, source),
            |report| of_mocha(&report, source),
        )
    })
}

/// Reads the first value of a text, whatever follows it.
fn first<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::Deserializer::from_str(text)
        .into_iter::<T>()
        .next()?
        .ok()
}

fn unfinished(runner: Runner, source: Source) -> Report {
    Report::new(runner, source)
}

fn of_jest(found: &Jest, source: Source) -> Report {
    // Vitest writes the same form, without the suites that could not be run.
    let runner = if found.num_runtime_error_test_suites.is_some() {
        Runner::Jest
    } else {
        Runner::Vitest
    };
    let mut report = Report::new(runner, source);
    for file in &found.test_results {
        for test in &file.assertion_results {
            let result = match test.status.as_str() {
                "passed" => TestResult::Passed,
                "failed" => TestResult::Failed,
                _ => TestResult::Skipped,
            };
            report.add(&format!("{} › {}", file.name, test.full_name), result);
        }
    }
    let is_whole = report.total() == found.num_total_tests
        && report.failed == found.num_failed_tests
        && report.passed == found.num_passed_tests
        && report.skipped == found.num_pending_tests.saturating_add(found.num_todo_tests);
    report.progress = Progress::Finished;
    if !is_whole {
        report.nothing(Reason::ReportInconsistent);
    } else if !found.success && report.failed == 0 {
        let unloadable: Vec<&JestFile> = found
            .test_results
            .iter()
            .filter(|file| file.status == "failed")
            .collect();
        let is_missing = unloadable.iter().any(|file| {
            file.message.contains("Cannot find module '")
                || file.message.contains("Cannot find package '")
        });
        report.nothing(if unloadable.is_empty() {
            Reason::NothingCollected
        } else if is_missing {
            Reason::ModuleMissing
        } else {
            Reason::CollectionError
        });
    }
    report
}

fn of_mocha(found: &Mocha, source: Source) -> Report {
    let mut report = Report::new(Runner::Mocha, source);
    let failed: std::collections::BTreeSet<&str> = found
        .failures
        .iter()
        .map(|test| test.full_title.as_str())
        .collect();
    let pending: std::collections::BTreeSet<&str> = found
        .pending
        .iter()
        .map(|test| test.full_title.as_str())
        .collect();
    for test in &found.tests {
        let title = test.full_title.as_str();
        let result = if failed.contains(title) {
            TestResult::Failed
        } else if pending.contains(title) {
            TestResult::Skipped
        } else {
            TestResult::Passed
        };
        report.name(title, result);
    }
    report.count(TestResult::Passed, found.stats.passes);
    report.count(TestResult::Failed, found.stats.failures);
    report.count(TestResult::Skipped, found.stats.pending);
    report.progress = Progress::Finished;
    let hooks = found
        .failures
        .iter()
        .filter(|test| test.full_title.contains("\"before "))
        .count() as u64;
    if found.tests.len() as u64 != found.stats.tests
        || found.stats.passes.saturating_add(found.stats.pending) > found.stats.tests
    {
        report.nothing(Reason::ReportInconsistent);
    } else if report.failed > 0 && hooks >= report.failed {
        report.nothing(Reason::SetupFailed);
    }
    report
}
