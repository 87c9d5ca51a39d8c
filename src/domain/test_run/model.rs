//! What a run of tests left behind, and what it is read as.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a command left behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output<'a> {
    /// The shell command. It says which runner to expect; what was printed decides.
    pub(crate) command: &'a str,
    /// The tree that it ran in, by its whole path: names of tests lose it, so that those of two trees can be compared.
    pub(crate) tree: &'a str,
    /// Its exit code, as a shell gives it: 124 where the time ran out, above 128 for a signal.
    pub(crate) exit_code: i32,
    /// What it printed; both streams as one where they were not kept apart.
    pub(crate) stdout: &'a str,
    /// What it printed on standard error; empty where both are in `stdout`.
    pub(crate) stderr: &'a str,
    /// What came over the channel of the pytest plugin; `None` where there was no channel.
    pub(crate) events: Option<&'a str>,
    /// The key that the plugin was given for this one run. Without it no event is believed.
    pub(crate) key: &'a str,
    /// Report files (`JUnit` XML, TAP, JSON of jest or vitest) with their names.
    pub(crate) reports: &'a [(String, Vec<u8>)],
}

/// A test runner whose report is understood.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Runner {
    /// pytest.
    Pytest,
    /// Python's unittest.
    Unittest,
    /// `cargo test`: the harness of Rust.
    CargoTest,
    /// cargo-nextest.
    Nextest,
    /// `go test`.
    GoTest,
    /// Jest.
    Jest,
    /// Vitest.
    Vitest,
    /// Mocha.
    Mocha,
    /// `node --test`.
    NodeTest,
    /// `CTest`.
    Ctest,
    /// Any runner that writes `JUnit` XML.
    Junit,
    /// Any runner that writes TAP.
    Tap,
}

impl Runner {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::Unittest => "unittest",
            Self::CargoTest => "cargo_test",
            Self::Nextest => "nextest",
            Self::GoTest => "go_test",
            Self::Jest => "jest",
            Self::Vitest => "vitest",
            Self::Mocha => "mocha",
            Self::NodeTest => "node_test",
            Self::Ctest => "ctest",
            Self::Junit => "junit",
            Self::Tap => "tap",
        }
    }
}

/// What a reading rests on, the best first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// Events that the runner's plugin signed and sent while the tests ran.
    Events,
    /// A report file that agrees with the exit code and with what was printed. The tested code could write it.
    Report,
    /// What was printed, where it agrees with the exit code. The tested code could print it.
    Text,
    /// The exit code alone.
    ExitCode,
}

/// How one test went.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TestResult {
    /// It passed.
    Passed,
    /// It was skipped, or failed as it was expected to.
    Skipped,
    /// It could not be run: its preparation failed or could not be loaded.
    Errored,
    /// It ran and failed.
    Failed,
}

/// Why nothing ran that could be judged.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// No test was found, or none was selected.
    NothingCollected,
    /// Every test was skipped.
    AllSkipped,
    /// A module or package that is asked for is not there.
    ModuleMissing,
    /// The tests could not be loaded.
    CollectionError,
    /// The tests, or what they test, could not be built.
    BuildFailed,
    /// What prepares the tests failed, and no test itself did.
    SetupFailed,
    /// The program that was to be run is not there, or cannot be run.
    CommandMissing,
    /// The runner did not understand its arguments or its configuration.
    UsageError,
    /// It was killed by a signal that no program gives itself.
    Killed,
    /// Its memory ran out.
    OutOfMemory,
    /// Its time ran out.
    TimedOut,
    /// The runner says that all is well, and not that any test ran: `go test` without `-v`.
    TestsUncounted,
    /// The runner's report has no end: something ended the process before the runner did.
    ReportUnfinished,
    /// What the runner reports, what it printed and how it exited do not agree.
    ReportInconsistent,
}

impl Reason {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NothingCollected => "nothing_collected",
            Self::AllSkipped => "all_skipped",
            Self::ModuleMissing => "module_missing",
            Self::CollectionError => "collection_error",
            Self::BuildFailed => "build_failed",
            Self::SetupFailed => "setup_failed",
            Self::CommandMissing => "command_missing",
            Self::UsageError => "usage_error",
            Self::Killed => "killed",
            Self::OutOfMemory => "out_of_memory",
            Self::TimedOut => "timed_out",
            Self::TestsUncounted => "tests_uncounted",
            Self::ReportUnfinished => "report_unfinished",
            Self::ReportInconsistent => "report_inconsistent",
        }
    }
}

/// How a run of tests ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A test ran and failed, and the exit code says so too.
    Red,
    /// A finished report counts at least one pass and no failure, and the exit code is 0.
    Green,
    /// Nothing that can be judged was run.
    DidNotRun(Reason),
}

/// What a run of tests is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestRun {
    /// Whose report was understood; `None` where only the exit code speaks.
    pub(crate) runner: Option<Runner>,
    /// What that rests on.
    pub(crate) source: Source,
    /// The tests by the names that their runner gives them. Those of a name that is used twice are one, the worst counts.
    pub(crate) tests: BTreeMap<String, TestResult>,
    /// Whether `tests` names every test that ran. Many runners name only failures unless they are asked.
    pub(crate) is_named: bool,
    /// Tests that passed, as the runner counts.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that were skipped or failed as expected.
    pub(crate) skipped: u64,
    /// Tests that could not be run.
    pub(crate) errors: u64,
    /// How it ended.
    pub(crate) end: End,
}
