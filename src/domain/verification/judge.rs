//! Judging: what the runs of the checks say of a diff.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    examine::{self, Examined},
    request::CheckSpec,
    result::{Ran, Side, Written},
};
use crate::domain::{
    job::{Author, Caveat, CaveatKind, Flip, RunResult, TestState, Tree, Verdict},
    test_run::{self, End, Source, TestResult, TestRun, WeakeningKind},
};

/// The most tests that are listed of each kind.
const MOST_TESTS: usize = 200;

/// Runs of the first check by how they ended, on either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Without the fix: failed.
    pub(super) red: u32,
    /// Without the fix: passed.
    pub(super) false_green: u32,
    /// With the fix: passed.
    pub(super) green: u32,
    /// With the fix: failed.
    pub(super) false_red: u32,
}

impl Tally {
    /// Counts a run of the first check.
    pub(super) fn count(&mut self, tree: Tree, result: RunResult) {
        let counter = match (tree, result) {
            (Tree::BaseWithTests, RunResult::Red) => &mut self.red,
            (Tree::BaseWithTests, RunResult::Green) => &mut self.false_green,
            (Tree::Whole, RunResult::Green) => &mut self.green,
            (Tree::Whole, RunResult::Red) => &mut self.false_red,
            (Tree::BaseWithTests | Tree::Whole, RunResult::Nothing)
            | (Tree::Base | Tree::WithoutTests, _) => return,
        };
        *counter = counter.saturating_add(1);
    }
}

/// What the runs say.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<String>,
    pub(super) flips: Vec<Flip>,
    pub(super) regressions: Vec<Flip>,
    pub(super) caveats: Vec<Caveat>,
    pub(super) tally: Tally,
}

/// What is judged, beside the runs.
pub(super) struct Case<'a> {
    pub(super) checks: &'a [CheckSpec],
    pub(super) examined: &'a Examined,
    /// Files with their content before and after.
    pub(super) files: &'a [(String, Option<String>, Option<String>)],
    /// Paths of the held-out files.
    pub(super) held_out: &'a [String],
    /// The runs of earlier verifications of the same diff by the same check.
    pub(super) earlier: Tally,
}

/// Returns how a run counts.
pub(super) fn result_of(run: &TestRun) -> RunResult {
    match run.end {
        End::Red => RunResult::Red,
        End::Green => RunResult::Green,
        End::DidNotRun(_) => RunResult::Nothing,
    }
}

/// Returns why nothing was run.
pub(super) fn reason_of(run: &TestRun) -> Option<String> {
    match run.end {
        End::DidNotRun(reason) => Some(reason.name().to_owned()),
        End::Red | End::Green => None,
    }
}

/// Judges a diff by the runs of its checks; `state` says how a verification ended that has too few of them.
pub(super) fn judge(case: &Case<'_>, written: &Written, state: &str) -> Judged {
    let runs = Runs {
        runs: &written.runs,
    };
    let mut tally = case.earlier;
    for run in &written.runs {
        if let (0, Side::Tree(tree)) = (run.check, run.side) {
            tally.count(tree, result_of(&run.read));
        }
    }
    let mut judged = Judged {
        verdict: Verdict::Inconclusive,
        reason: None,
        flips: Vec::new(),
        regressions: Vec::new(),
        caveats: Vec::new(),
        tally,
    };
    let compared = compare(case, &runs);
    (judged.verdict, judged.reason) = verdict(written, &runs, tally, state);
    if let (Some(before), Some(after)) = (
        runs.first(0, Tree::BaseWithTests),
        runs.last(0, Tree::Whole),
    ) {
        judged.flips = flips(&before.read, &after.read);
    }
    judged.regressions = compared.regressions;
    if judged.verdict == Verdict::Fixed {
        conclude_fixed(&mut judged, compared.reason);
    } else if judged.verdict == Verdict::NotFixed && has_moved(&judged.flips) {
        judged.regressions = failing(&judged.flips);
        judged.verdict = Verdict::Regressed;
    }
    judged.flips.truncate(MOST_TESTS);
    judged.regressions.truncate(MOST_TESTS);
    judged.caveats = caveats(case, &runs, &judged, compared.about);
    judged
}

/// Looks at what else has to hold where the check itself says fixed.
fn conclude_fixed(judged: &mut Judged, reason: Option<String>) {
    let is_named = !judged.flips.is_empty();
    let has_flipped = judged
        .flips
        .iter()
        .any(|flip| flip.before == TestState::Failed && flip.after == TestState::Passed);
    if !judged.regressions.is_empty() {
        judged.verdict = Verdict::Regressed;
    } else if is_named && !has_flipped {
        judged.verdict = Verdict::Inconclusive;
        judged.reason = Some("other_tests_ran".to_owned());
    } else if reason.is_some() {
        judged.verdict = Verdict::Inconclusive;
        judged.reason = reason;
    }
}

/// Whether the tests that failed all pass, and others fail instead.
fn has_moved(flips: &[Flip]) -> bool {
    let is = |flip: &Flip, before, after| flip.before == before && flip.after == after;
    flips
        .iter()
        .any(|flip| is(flip, TestState::Failed, TestState::Passed))
        && flips
            .iter()
            .any(|flip| is(flip, TestState::Passed, TestState::Failed))
}

fn failing(flips: &[Flip]) -> Vec<Flip> {
    let fails = |flip: &&Flip| flip.before == TestState::Passed && flip.after == TestState::Failed;
    flips.iter().filter(fails).cloned().collect()
}

fn verdict(
    written: &Written,
    runs: &Runs<'_>,
    tally: Tally,
    state: &str,
) -> (Verdict, Option<String>) {
    let because = |verdict, reason: &str| (verdict, Some(reason.to_owned()));
    if let Some((reason, _)) = &written.stop {
        return because(Verdict::Inconclusive, reason);
    }
    let nothing = |tree| {
        let mut of_tree = runs.of(0, tree);
        of_tree.find_map(|run| reason_of(&run.read))
    };
    if let Some(reason) = nothing(Tree::BaseWithTests) {
        return (Verdict::Inconclusive, Some(reason));
    }
    if tally.red > 0 && tally.false_green > 0 {
        return because(Verdict::Flaky, "base_with_tests");
    }
    if tally.false_green > 0 {
        return (Verdict::NotReproduced, None);
    }
    if tally.red == 0 {
        return because(Verdict::Inconclusive, &format!("verification_{state}"));
    }
    if let Some(reason) = nothing(Tree::Whole) {
        return (Verdict::Inconclusive, Some(reason));
    }
    if has_fallen_silent(runs) {
        return because(Verdict::Inconclusive, "report_missing");
    }
    match (tally.green > 0, tally.false_red > 0) {
        (true, true) => because(Verdict::Flaky, "whole"),
        (false, true) => (Verdict::NotFixed, None),
        (true, false) if written.is_done => (Verdict::Fixed, None),
        (_, false) => because(Verdict::Inconclusive, &format!("verification_{state}")),
    }
}

/// Whether a report that was there without the diff's code is not there with it.
///
/// Code that ends its process before the first test leaves an exit code of 0 and no report. Where the command does not
/// name the runner, as in `python3 tests/test_a.py` or `sh check.sh`, that looks like a program of unknown make.
fn has_fallen_silent(runs: &Runs<'_>) -> bool {
    let before = || runs.of(0, Tree::BaseWithTests).map(|run| &run.read);
    let mut after = runs.of(0, Tree::Whole).map(|run| &run.read);
    after.any(|after| {
        let is_other = |before: &TestRun| before.runner.is_some() && before.runner != after.runner;
        let is_weaker =
            |before: &TestRun| before.source == Source::Events && after.source != Source::Events;
        before().any(|before| is_other(before) || is_weaker(before))
    })
}

/// The runs of a verification.
struct Runs<'a> {
    runs: &'a [Ran],
}

impl<'a> Runs<'a> {
    fn of(&self, check: usize, tree: Tree) -> impl Iterator<Item = &'a Ran> + use<'a> {
        self.runs
            .iter()
            .filter(move |run| run.check == check && run.side == Side::Tree(tree))
    }

    fn first(&self, check: usize, tree: Tree) -> Option<&'a Ran> {
        self.of(check, tree).next()
    }

    fn last(&self, check: usize, tree: Tree) -> Option<&'a Ran> {
        self.of(check, tree).last()
    }
}

fn state_of(run: &TestRun, test: &str) -> TestState {
    match run.tests.get(test) {
        Some(TestResult::Passed) => TestState::Passed,
        Some(TestResult::Failed | TestResult::Errored) => TestState::Failed,
        Some(TestResult::Skipped) => TestState::Skipped,
        None => TestState::Absent,
    }
}

/// Compares two runs test by test; nothing where one of them does not name what it ran.
fn flips(before: &TestRun, after: &TestRun) -> Vec<Flip> {
    if !before.is_named || !after.is_named {
        return Vec::new();
    }
    let names: BTreeSet<&String> = before.tests.keys().chain(after.tests.keys()).collect();
    names
        .into_iter()
        .map(|test| Flip {
            test: test.clone(),
            before: state_of(before, test),
            after: state_of(after, test),
        })
        .filter(|flip| flip.before != flip.after)
        .collect()
}

/// What the runs at the base and with the diff's code alone say.
#[derive(Default)]
struct Compared {
    regressions: Vec<Flip>,
    about: Vec<(CaveatKind, String)>,
    /// Why the comparison says nothing.
    reason: Option<String>,
}

/// Finds what passed at the base and fails with the diff's code.
///
/// A test that fails in the form it had and passes in the form that the diff gives it was changed by the diff: rightly so
/// where it asserted the bug, and otherwise not, which nobody can tell from here.
fn compare(case: &Case<'_>, runs: &Runs<'_>) -> Compared {
    let mut compared = Compared::default();
    for check in 1..case.checks.len() {
        let (Some(before), Some(after)) = (
            runs.last(check, Tree::Base),
            runs.last(check, Tree::WithoutTests),
        ) else {
            continue;
        };
        let with_tests = runs.last(check, Tree::Whole);
        if before.read.is_named && after.read.is_named {
            compare_tests(
                &before.read,
                &after.read,
                with_tests.map(|run| &run.read),
                &mut compared,
            );
            continue;
        }
        let command = &case.checks[check].command;
        let ends = (
            result_of(&before.read),
            result_of(&after.read),
            with_tests.map(|run| result_of(&run.read)),
        );
        match ends {
            (RunResult::Green, RunResult::Red | RunResult::Nothing, Some(RunResult::Green)) => {
                compared
                    .about
                    .push((CaveatKind::TestWeakened, command.clone()));
            }
            (RunResult::Green, RunResult::Red, _) => compared.regressions.push(Flip {
                test: command.clone(),
                before: TestState::Passed,
                after: TestState::Failed,
            }),
            (RunResult::Green, RunResult::Nothing, _) => {
                compared.reason =
                    reason_of(&after.read).map(|reason| format!("regression_{reason}"));
            }
            (RunResult::Red | RunResult::Nothing, _, _)
            | (RunResult::Green, RunResult::Green, _) => {}
        }
    }
    compared
}

fn compare_tests(
    before: &TestRun,
    after: &TestRun,
    with_tests: Option<&TestRun>,
    compared: &mut Compared,
) {
    let passed = before
        .tests
        .iter()
        .filter(|(_, result)| **result == TestResult::Passed);
    for (test, _) in passed {
        let now = state_of(after, test);
        if now == TestState::Passed {
            continue;
        }
        let flip = Flip {
            test: test.clone(),
            before: TestState::Passed,
            after: now,
        };
        match with_tests.map(|run| state_of(run, test)) {
            Some(TestState::Passed) => compared
                .about
                .push((CaveatKind::TestWeakened, test.clone())),
            Some(TestState::Absent) => compared.about.push((CaveatKind::TestRemoved, test.clone())),
            Some(TestState::Skipped) => {
                compared.about.push((CaveatKind::TestSkipped, test.clone()));
            }
            Some(TestState::Failed) | None => compared.regressions.push(flip),
        }
    }
}

fn caveats(
    case: &Case<'_>,
    runs: &Runs<'_>,
    judged: &Judged,
    mut about: Vec<(CaveatKind, String)>,
) -> Vec<Caveat> {
    for caveat in &case.examined.caveats {
        about.extend(caveat.about.iter().map(|name| (caveat.kind, name.clone())));
    }
    let command = case
        .checks
        .first()
        .map_or("", |check| check.command.as_str());
    match case.checks.first().map(|check| check.author) {
        Some(Author::Agent) => about.push((CaveatKind::AgentsOwnRepro, command.to_owned())),
        Some(Author::Stranger) => about.push((CaveatKind::StrangersRepro, command.to_owned())),
        Some(Author::Caller | Author::Configuration) | None => {}
    }
    let programs = examine::programs(command);
    let touched = case.examined.code.iter().filter(|path| {
        let is_run = |program: &String| *path == program || path.ends_with(&format!("/{program}"));
        programs.iter().any(is_run)
    });
    about.extend(touched.map(|path| (CaveatKind::CheckFileTouched, path.clone())));
    let is_named = runs
        .last(0, Tree::Whole)
        .is_some_and(|run| run.read.is_named);
    for (path, before, after) in case.files {
        about.extend(of_file(
            case,
            path,
            before.as_deref(),
            after.as_deref(),
            is_named,
        ));
    }
    let Some(after) = runs.last(0, Tree::Whole) else {
        return examine::caveats(&about);
    };
    if after.read.runner.is_none() {
        about.push((CaveatKind::RunnerUnknown, command.to_owned()));
    }
    if after.read.source != Source::Events {
        let endings = case.examined.endings.iter();
        about.extend(endings.map(|line| (CaveatKind::ProcessControl, line.clone())));
    }
    for flip in &judged.flips {
        match (flip.before, flip.after) {
            (_, TestState::Skipped) => about.push((CaveatKind::TestSkipped, flip.test.clone())),
            (_, TestState::Absent) => about.push((CaveatKind::OtherTestsRan, flip.test.clone())),
            (_, TestState::Passed | TestState::Failed) => {}
        }
    }
    if judged.verdict == Verdict::Fixed {
        about.extend(own_tests(case, runs, judged).map(|name| (CaveatKind::OwnTestOnly, name)));
        about.extend(unrun(case, runs, command).map(|name| (CaveatKind::HeldOutNotRun, name)));
    }
    examine::caveats(&about)
}

/// Says what a diff makes of a file that the base has: a configuration, or a test.
///
/// Where tests are compared by name, running them says more than their text.
fn of_file(
    case: &Case<'_>,
    path: &str,
    before: Option<&str>,
    after: Option<&str>,
    is_named: bool,
) -> Vec<(CaveatKind, String)> {
    let mut about = Vec::new();
    if case.examined.configurations.iter().any(|one| one == path)
        && test_run::configuration_changed(path, before, after)
    {
        about.push((CaveatKind::RunnerConfiguration, path.to_owned()));
    }
    if is_named || !case.examined.old_tests.iter().any(|one| one == path) {
        return about;
    }
    for weakening in test_run::weakened(path, before, after) {
        let kind = match weakening.kind {
            WeakeningKind::Removed | WeakeningKind::Emptied => CaveatKind::TestRemoved,
            WeakeningKind::Skipped => CaveatKind::TestSkipped,
            WeakeningKind::AssertionRemoved | WeakeningKind::AssertionChanged => {
                CaveatKind::TestWeakened
            }
        };
        about.push((
            kind,
            format!("{path} {}: {}", weakening.test, weakening.what),
        ));
    }
    about
}

/// Returns the tests that alone show the problem, where the diff brought all of these along.
fn own_tests(
    case: &Case<'_>,
    runs: &Runs<'_>,
    judged: &Judged,
) -> impl Iterator<Item = String> + use<> {
    let mut own = Vec::new();
    if !case.examined.tests.is_empty() || !case.examined.inline.is_empty() {
        let base = runs.last(0, Tree::Base).map(|run| &run.read);
        let shows =
            |flip: &&Flip| flip.before == TestState::Failed && flip.after == TestState::Passed;
        let flipped: Vec<&Flip> = judged.flips.iter().filter(shows).collect();
        let is_shown = match base {
            Some(base) if base.is_named && !flipped.is_empty() => flipped
                .iter()
                .any(|flip| state_of(base, &flip.test) == TestState::Failed),
            // Where only the exit code speaks, a test that is not there fails too.
            Some(base) => base.end == End::Red && !names_new_test(case),
            None => false,
        };
        if !is_shown && flipped.is_empty() {
            own.extend(case.examined.tests.iter().cloned());
            own.extend(case.examined.inline.iter().cloned());
        } else if !is_shown {
            own.extend(flipped.iter().map(|flip| flip.test.clone()));
        }
    }
    own.into_iter()
}

/// Whether the check names a test that the diff adds.
fn names_new_test(case: &Case<'_>) -> bool {
    let command = case
        .checks
        .first()
        .map_or("", |check| check.command.as_str());
    case.examined.new_tests.iter().any(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        command.contains(name)
    })
}

/// Returns the held-out files of which nothing was run, as far as that can be told.
fn unrun(case: &Case<'_>, runs: &Runs<'_>, command: &str) -> impl Iterator<Item = String> + use<> {
    let tests: BTreeMap<&String, &TestResult> = runs
        .last(0, Tree::Whole)
        .iter()
        .flat_map(|run| &run.read.tests)
        .collect();
    let is_run = |path: &&String| {
        let stem = path.rsplit('/').next().unwrap_or(path);
        let stem = stem.split('.').next().unwrap_or(stem);
        command.contains(path.as_str()) || tests.keys().any(|test| test.contains(stem))
    };
    let unrun: Vec<String> = case
        .held_out
        .iter()
        .filter(|path| !is_run(path))
        .cloned()
        .collect();
    // Where no test has a name, a whole suite may well have run them.
    let is_told = !tests.is_empty();
    unrun.into_iter().filter(move |_| is_told)
}

#[cfg(test)]
mod tests {
    use super::{Case, Judged, Tally, judge};
    use crate::domain::{
        job::{Author, CaveatKind, Purpose, Tree, Verdict},
        test_run::{self, Output},
        verification::{
            examine::Examined,
            request::CheckSpec,
            result::{Ran, Side, Written},
        },
    };

    const TAP: &str = "cat results.tap";

    fn check(purpose: Purpose, command: &str) -> CheckSpec {
        CheckSpec {
            purpose,
            command: command.to_owned(),
            author: Author::Caller,
            file: None,
        }
    }

    fn ran(check: usize, tree: Tree, exit_code: i32, output: &str) -> Ran {
        Ran {
            check,
            side: Side::Tree(tree),
            exit_code,
            duration_ms: 1,
            output_sha256: String::new(),
            output: output.to_owned(),
            read: test_run::read(&Output {
                command: TAP,
                exit_code,
                stdout: output,
                ..Output::default()
            }),
        }
    }

    fn judged(examined: &Examined, runs: Vec<Ran>, earlier: Tally) -> Judged {
        let checks = [check(Purpose::Fix, TAP), check(Purpose::Regression, TAP)];
        let case = Case {
            checks: &checks,
            examined,
            files: &[],
            held_out: &[],
            earlier,
        };
        let written = Written {
            runs,
            is_done: true,
            ..Written::default()
        };
        judge(&case, &written, "succeeded")
    }

    fn verdict(runs: &[(Tree, i32)]) -> (Verdict, Option<String>) {
        let runs = runs
            .iter()
            .map(|&(tree, code)| ran(0, tree, code, ""))
            .collect();
        let judged = judged(&Examined::default(), runs, Tally::default());
        (judged.verdict, judged.reason)
    }

    #[test]
    fn only_failures_before_and_passes_after_are_a_fix() {
        use Tree::{BaseWithTests as A, Whole as B};
        assert_eq!(
            verdict(&[(A, 1), (B, 0), (B, 0), (A, 139)]),
            (Verdict::Fixed, None)
        );
        assert_eq!(verdict(&[(A, 0)]), (Verdict::NotReproduced, None));
        assert_eq!(verdict(&[(A, 1), (B, 1)]), (Verdict::NotFixed, None));
        let flaky = |side: &str| (Verdict::Flaky, Some(side.to_owned()));
        assert_eq!(
            verdict(&[(A, 1), (B, 0), (B, 0), (A, 0)]),
            flaky("base_with_tests")
        );
        assert_eq!(verdict(&[(A, 1), (B, 0), (B, 1)]), flaky("whole"));
        for runs in [
            &[(A, 127), (B, 0)][..],
            &[(A, 124), (B, 0)],
            &[(A, 1), (B, 137)],
            &[(A, 1), (B, 126)],
            &[(A, 1)],
            &[],
        ] {
            assert_eq!(verdict(runs).0, Verdict::Inconclusive, "{runs:?}");
        }
    }

    #[test]
    fn a_report_that_is_gone_with_the_diff_proves_nothing() {
        use Tree::{BaseWithTests as A, Whole as B};
        let (failed, passed) = ("1..1\nnot ok 1 - a\n", "1..1\nok 1 - a\n");
        let of = |runs| judged(&Examined::default(), runs, Tally::default());
        let silent = of(vec![ran(0, A, 1, failed), ran(0, B, 0, "")]);
        assert_eq!(silent.verdict, Verdict::Inconclusive);
        assert_eq!(silent.reason.as_deref(), Some("report_missing"));
        let spoken = of(vec![ran(0, A, 1, failed), ran(0, B, 0, passed)]);
        assert_eq!(spoken.verdict, Verdict::Fixed);
        // A crash may leave no report, and its fix brings one.
        let crashed = of(vec![ran(0, A, 139, ""), ran(0, B, 0, passed)]);
        assert_eq!(crashed.verdict, Verdict::Fixed);
    }

    #[test]
    fn runs_of_before_count_too() {
        let runs = || {
            vec![
                ran(0, Tree::BaseWithTests, 1, ""),
                ran(0, Tree::Whole, 0, ""),
            ]
        };
        let made = Tally {
            red: 2,
            green: 2,
            ..Tally::default()
        };
        let judged_again = judged(&Examined::default(), runs(), made);
        assert_eq!((judged_again.tally.red, judged_again.tally.green), (3, 3));
        let unlucky = Tally {
            false_red: 1,
            ..made
        };
        assert_eq!(
            judged(&Examined::default(), runs(), unlucky).verdict,
            Verdict::Flaky
        );
    }

    #[test]
    fn what_passed_before_and_fails_with_the_code_alone_is_a_regression_or_a_changed_test() {
        let tap = |lines: &[&str]| {
            let mut text = format!("TAP version 13\n1..{}\n", lines.len());
            for (at, line) in lines.iter().enumerate() {
                let (word, name) = line.split_once(": ").unwrap();
                text = format!("{text}{word} {} - {name}\n", at + 1);
            }
            text
        };
        let examined = Examined {
            tests: vec!["tests/a.t".to_owned()],
            ..Examined::default()
        };
        let runs = |with_tests: &[&str]| {
            vec![
                ran(
                    0,
                    Tree::BaseWithTests,
                    1,
                    &tap(&["ok: sum", "not ok: empty"]),
                ),
                ran(0, Tree::Whole, 0, &tap(&["ok: sum", "ok: empty"])),
                ran(0, Tree::Base, 0, &tap(&["ok: sum"])),
                ran(1, Tree::Base, 0, &tap(&["ok: sum", "ok: count"])),
                ran(
                    1,
                    Tree::WithoutTests,
                    1,
                    &tap(&["ok: sum", "not ok: count"]),
                ),
                ran(
                    1,
                    Tree::Whole,
                    i32::from(with_tests.contains(&"not ok: count")),
                    &tap(with_tests),
                ),
            ]
        };
        let regressed = judged(
            &examined,
            runs(&["ok: sum", "not ok: count"]),
            Tally::default(),
        );
        assert_eq!(regressed.verdict, Verdict::Regressed);
        assert_eq!(regressed.regressions.len(), 1);
        for (with_tests, kind) in [
            (&["ok: sum", "ok: count"][..], CaveatKind::TestWeakened),
            (&["ok: sum"], CaveatKind::TestRemoved),
            (&["ok: sum", "ok: count # SKIP no"], CaveatKind::TestSkipped),
        ] {
            let fixed = judged(&examined, runs(with_tests), Tally::default());
            assert_eq!(fixed.verdict, Verdict::Fixed, "{with_tests:?}");
            let kinds: Vec<CaveatKind> = fixed.caveats.iter().map(|caveat| caveat.kind).collect();
            assert!(
                kinds.contains(&kind) && kinds.contains(&CaveatKind::OwnTestOnly),
                "{kinds:?}"
            );
        }
    }
}
