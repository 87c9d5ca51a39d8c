//! Verdicts: what a verification found of one diff, and the evidence that it rests on.
//!
//! A verdict belongs to the digest of a diff and to nothing else. Whoever acts on one compares that digest with the
//! bytes in hand; a name such as `changes.diff` proves nothing, because the host may have changed what lies under it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Something fails without the diff's code, passes with it, and nothing that passed before fails now.
    Fixed,
    /// The check passes with the diff, and something that passed before fails: `regressions` names it.
    Regressed,
    /// The check fails without the diff and with it.
    NotFixed,
    /// The check passes without the diff's code: the problem does not show.
    NotReproduced,
    /// Runs of the same check in the same tree ended differently: `reason` says in which.
    Flaky,
    /// The check could not be judged: `reason` says why.
    Inconclusive,
}

impl Verdict {
    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Regressed => "regressed",
            Self::NotFixed => "not_fixed",
            Self::NotReproduced => "not_reproduced",
            Self::Flaky => "flaky",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Which diff of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiffSource {
    /// The one that the supervisor made of the worktree.
    #[default]
    Supervisor,
    /// The one that the agent wrote itself, `fix.diff`.
    Agent,
}

impl DiffSource {
    /// Returns the name of its artifact.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Supervisor => "changes.diff",
            Self::Agent => "fix.diff",
        }
    }
}

/// A tree in which checks are run. A tree that equals another one is made once.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tree {
    /// The base commit.
    Base,
    /// The base commit with the tests that the diff adds or changes: where the problem must show.
    BaseWithTests,
    /// The base commit with the whole diff: where it must be gone.
    Whole,
    /// The base commit with the diff, its tests left out: where nothing that passed before may fail.
    WithoutTests,
}

/// Who wrote a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Author {
    /// Whoever called: at the launch, or for this check alone.
    #[default]
    Caller,
    /// The configuration of this machine.
    Configuration,
    /// The agent whose diff is judged.
    Agent,
    /// Whoever wrote the issue or one of its comments.
    Stranger,
}

/// What a check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// It fails without the fix and passes with it.
    Fix,
    /// What passes before must pass afterwards.
    Regression,
}

/// A check: a command, pinned by digest together with the file that it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Check {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// The shell command, run at the top of the tree.
    pub(crate) command: String,
    /// Who wrote it.
    pub(crate) author: Author,
    /// SHA-256 of the command and of the bytes of `file`.
    pub(crate) sha256: String,
    /// The file that it runs, where it is a repro.
    pub(crate) file: Option<CheckFile>,
}

/// The file of a check, sent from here with its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct CheckFile {
    /// Its name.
    pub(crate) name: String,
    /// SHA-256 of its bytes.
    pub(crate) sha256: String,
    /// Its size.
    pub(crate) size_bytes: u64,
}

/// A file that only the trees of a verification get, and that the agent never saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct HeldOut {
    /// Where it is put, below the top of the tree, whatever the diff has there.
    pub(crate) path: String,
    /// SHA-256 of its bytes.
    pub(crate) sha256: String,
    /// Its size.
    pub(crate) size_bytes: u64,
}

/// How a run of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunResult {
    /// Something was run, and it failed.
    Red,
    /// Something was run to its end, and all of it passed.
    Green,
    /// Nothing that can be judged was run: `reason` says why.
    Nothing,
}

/// One run of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct CheckRun {
    /// Which check, by its place in `checks`.
    pub(crate) check: u32,
    /// The tree it was run in.
    pub(crate) tree: Tree,
    /// Which run of that check in that tree, from 1.
    pub(crate) number: u32,
    /// How it ended.
    pub(crate) result: RunResult,
    /// Why nothing was run, such as `nothing_collected`, `module_missing`, `timed_out`, `killed`, `command_not_found`.
    pub(crate) reason: Option<String>,
    /// Its exit code, as a shell gives it: 124 where the time ran out, above 128 for a signal.
    pub(crate) exit_code: i32,
    /// Milliseconds it took.
    pub(crate) duration_ms: u64,
    /// The test runner, where its report was understood.
    pub(crate) runner: Option<String>,
    /// Tests that passed; null where the runner does not say.
    pub(crate) passed: Option<u64>,
    /// Tests that failed.
    pub(crate) failed: Option<u64>,
    /// Tests that were skipped.
    pub(crate) skipped: Option<u64>,
    /// SHA-256 of all that it printed.
    pub(crate) output_sha256: String,
    /// The end of what it printed, standard error included, at most 4,000 characters; of the first run in each tree and of
    /// each run that ended otherwise.
    pub(crate) output: String,
}

/// A test whose result differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Flip {
    /// The test, by the name that its runner gives it.
    pub(crate) test: String,
    /// How it went before.
    pub(crate) before: TestState,
    /// How it went afterwards.
    pub(crate) after: TestState,
}

/// How one test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TestState {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was skipped.
    Skipped,
    /// It was not run.
    Absent,
}

/// How often the check was red and green, and what that is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Counts {
    /// Runs without the diff's code that failed, those of earlier verifications of the same diff by the same check included.
    pub(crate) reds: u32,
    /// Runs with the whole diff that passed, earlier ones included.
    pub(crate) greens: u32,
    /// Runs of either kind that ended otherwise.
    pub(crate) others: u32,
    /// How much likelier these counts are for a fix than for a check that fails by chance:
    /// (reds + greens + 1)! / ((reds + 1)! (greens + 1)!).
    pub(crate) likelihood_ratio: f64,
}

impl Counts {
    /// Counts runs.
    pub(crate) fn new(reds: u32, greens: u32, others: u32) -> Self {
        Self {
            reds,
            greens,
            others,
            likelihood_ratio: likelihood_ratio(reds, greens),
        }
    }
}

/// Returns how much likelier `reds` failures before and `greens` passes after are for a fix than for chance.
///
/// Nothing is known beforehand of how often a check fails. Where the diff changes that, the reds have a probability of
/// 1/(reds + 1) and the greens one of 1/(greens + 1); where it changes nothing, both together have reds! greens! /
/// (reds + greens + 1)!. This is the one divided by the other.
pub(crate) fn likelihood_ratio(reds: u32, greens: u32) -> f64 {
    // A product, because factorials overflow: the binomial of reds + greens + 1 over reds + 1.
    let binomial: f64 = (1..=reds.saturating_add(1))
        .map(|i| f64::from(greens.saturating_add(i)) / f64::from(i))
        .product();
    let ratio = binomial / f64::from(greens.saturating_add(1));
    (ratio * 100.0).round() / 100.0
}

/// Something that a reader must know before believing a verdict.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaveatKind {
    /// Only tests that the diff itself adds or changes show the problem.
    OwnTestOnly,
    /// The diff removes tests that passed before.
    TestRemoved,
    /// The diff skips tests that passed before, or marks them as expected to fail.
    TestSkipped,
    /// Tests of the base pass only because the diff changes them.
    TestWeakened,
    /// The diff changes what a test runner or a build tool reads before the first test.
    RunnerConfiguration,
    /// The diff changes what an interpreter or a shell reads when it starts.
    StartupFile,
    /// The diff changes a file that the check names.
    CheckFileTouched,
    /// The diff's code ends or replaces its process, or looks for a test runner.
    ProcessControl,
    /// The diff adds files that stand in the place of modules or programs that the check uses.
    ModuleShadowed,
    /// The diff adds programs or libraries as bytes, which nobody can read.
    BinaryAdded,
    /// The diff changes what the environment is made from, and the trees were judged in the old one.
    EnvironmentChanged,
    /// The check was written by the agent whose diff it judges.
    AgentsOwnRepro,
    /// The check was written by a stranger, and whoever called named it.
    StrangersRepro,
    /// The check's output is of no known test runner: only its exit code speaks.
    RunnerUnknown,
    /// Other tests ran with the diff than without it.
    OtherTestsRan,
    /// Some of the held-out files could not be told to have been run.
    HeldOutNotRun,
    /// Parts of the diff can be taken away without the check turning red: `unproven_hunks` names them.
    UnprovenHunks,
}

impl CaveatKind {
    /// Returns whether `require: fixed` fails on it unless it is named in `accept`.
    pub(crate) const fn blocks(self) -> bool {
        !matches!(
            self,
            Self::StrangersRepro | Self::RunnerUnknown | Self::UnprovenHunks
        )
    }

    /// Returns its name, as in envelopes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OwnTestOnly => "own_test_only",
            Self::TestRemoved => "test_removed",
            Self::TestSkipped => "test_skipped",
            Self::TestWeakened => "test_weakened",
            Self::RunnerConfiguration => "runner_configuration",
            Self::StartupFile => "startup_file",
            Self::CheckFileTouched => "check_file_touched",
            Self::ProcessControl => "process_control",
            Self::ModuleShadowed => "module_shadowed",
            Self::BinaryAdded => "binary_added",
            Self::EnvironmentChanged => "environment_changed",
            Self::AgentsOwnRepro => "agents_own_repro",
            Self::StrangersRepro => "strangers_repro",
            Self::RunnerUnknown => "runner_unknown",
            Self::OtherTestsRan => "other_tests_ran",
            Self::HeldOutNotRun => "held_out_not_run",
            Self::UnprovenHunks => "unproven_hunks",
        }
    }
}

/// A caveat, with what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Caveat {
    /// What kind.
    pub(crate) kind: CaveatKind,
    /// Whether `require: fixed` fails on it unless it is named in `accept`.
    pub(crate) blocks: bool,
    /// The files, tests or lines that it is about, at most 50.
    pub(crate) about: Vec<String>,
}

impl Caveat {
    /// Names what a caveat is about, of which the first 50 are kept.
    pub(crate) fn new(kind: CaveatKind, about: impl IntoIterator<Item = String>) -> Self {
        Self {
            kind,
            blocks: kind.blocks(),
            about: about.into_iter().take(50).collect(),
        }
    }
}

/// The ids of the trees that checks were run in; null for one that was not needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Trees {
    /// The base commit's.
    pub(crate) base: Option<String>,
    /// That with the diff's tests.
    pub(crate) base_with_tests: Option<String>,
    /// That with the whole diff: what a branch with the diff holds.
    pub(crate) whole: Option<String>,
    /// That with the diff, its tests left out.
    pub(crate) without_tests: Option<String>,
}

/// A verification that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Verified {
    /// What was found.
    pub(crate) verdict: Verdict,
    /// Why a verdict is `inconclusive` or `flaky`, in one word.
    pub(crate) reason: Option<String>,
    /// SHA-256 of the diff, to which the verdict belongs.
    pub(crate) diff_sha256: String,
    /// Its size.
    pub(crate) diff_bytes: u64,
    /// Which diff of the job it was; null for a diff from a file.
    pub(crate) which: Option<DiffSource>,
    /// The repository.
    pub(crate) repository: String,
    /// The host it was judged on.
    pub(crate) host: String,
    /// Whether that is another host than the one the agent worked on.
    pub(crate) on_other_host: bool,
    /// The commit that the diff was put on.
    pub(crate) base_commit: String,
    /// The trees.
    pub(crate) trees: Trees,
    /// SHA-256 of the lock that the environments were made from; null where there is none.
    pub(crate) environment_lock: Option<String>,
    /// The checks.
    pub(crate) checks: Vec<Check>,
    /// The files that only these trees got.
    pub(crate) held_out: Vec<HeldOut>,
    /// The files of the diff that were taken for tests.
    pub(crate) tests: Vec<String>,
    /// How often the check was red and green.
    pub(crate) counts: Counts,
    /// Tests that differ between `base_with_tests` and `whole`, at most 200.
    pub(crate) flips: Vec<Flip>,
    /// Tests that passed at the base and fail with the diff, at most 200.
    pub(crate) regressions: Vec<Flip>,
    /// What must be known before believing the verdict.
    pub(crate) caveats: Vec<Caveat>,
    /// Hunks without which the check stays green, by file and header; null unless `strict` asked.
    pub(crate) unproven_hunks: Option<Vec<String>>,
    /// The runs of this verification.
    pub(crate) runs: Vec<CheckRun>,
    /// Where it was run: system, versions.
    pub(crate) fingerprint: Vec<String>,
    /// What a tool said, where the trees could not be made.
    pub(crate) message: Option<String>,
    /// The id of this verification.
    pub(crate) verification: String,
    /// When it was made (RFC 3339, UTC).
    pub(crate) at: String,
}

impl Verified {
    /// Returns the caveats that stand in the way of `require: fixed`, those in `accept` left out.
    pub(crate) fn blocking<'a>(
        &'a self,
        accept: &'a [CaveatKind],
    ) -> impl Iterator<Item = &'a Caveat> {
        self.caveats
            .iter()
            .filter(|caveat| caveat.blocks && !accept.contains(&caveat.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::likelihood_ratio;

    #[test]
    fn counts_are_worth_what_they_say() {
        for (reds, greens, least) in [(3, 11, 100.0), (10, 4, 100.0), (5, 6, 100.0)] {
            assert!(likelihood_ratio(reds, greens) >= least, "{reds} {greens}");
            assert!(
                likelihood_ratio(reds, greens - 1) < least,
                "{reds} {greens}"
            );
        }
        assert!((likelihood_ratio(2, 2) - 3.33).abs() < 0.001);
        assert!((likelihood_ratio(0, 0) - 1.0).abs() < 0.001);
    }
}
