//! What Python's unittest prints, as recorded from Python 3.11 and 3.12.
//!
//! A summary is a line of 70 dashes, `Ran N tests in …`, a blank line, and `OK` or `FAILED (…)`. A program under test may
//! print all of it. The runner's own comes after its progress (`.F`, or `test_one (a.B.test_one) ... ok`), which names or
//! marks at least as many tests as it counts.

use std::collections::BTreeSet;

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, number},
};

/// An `ERROR:` or `FAIL:` section, between its line of `=` and the next rule.
#[derive(Default)]
struct Section {
    name: String,
    facts: BTreeSet<Fact>,
}

/// What a section says of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    /// It raised something else than a failed assertion.
    Error,
    /// It stands for a module or a name that could not be loaded.
    Unloadable,
    /// Its preparation failed.
    Setup,
    /// A module is missing.
    Missing,
    /// Its memory ran out.
    Memory,
    /// A name is missing in what could be loaded.
    Attribute,
    /// The first place of its traceback was read.
    Framed,
}

/// A summary: how many tests ran, how that ended, and what its parentheses count.
struct Summary<'a> {
    ran: u64,
    verdict: &'a str,
    counts: Vec<(&'a str, u64)>,
}

/// Progress since the last summary.
#[derive(Default)]
struct Marks {
    started: u64,
    named: u64,
    dots: Option<u64>,
    has_other_text: bool,
}

/// Reads the output of unittest; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text, is_expected: bool) -> Option<Report> {
    let lines: Vec<&str> = text.iter().map(str::trim_end).collect();
    let mut report = Report::new(Runner::Unittest, Source::Text);
    let mut sections: Vec<Section> = Vec::new();
    let mut in_section = false;
    let mut marks = Marks::default();
    let mut pending: Option<String> = None;
    let mut verdicts: Vec<&str> = Vec::new();
    let mut is_inconsistent = false;
    let mut has_progress = false;
    let mut at = 0;
    while let Some(&line) = lines.get(at) {
        if let Some((summary, used)) = summary(&lines[at..]) {
            in_section = false;
            is_inconsistent |= !marks.fit(&summary, sections.len() as u64);
            verdicts.push(summary.verdict);
            count(&mut report, &summary);
            marks = Marks::default();
            pending = None;
            at += used;
            continue;
        }
        at += 1;
        if is_rule(line, '=') {
            if let Some(section) = lines.get(at).and_then(|line| section(line)) {
                sections.push(section);
                in_section = true;
                at += 1;
            }
        } else if in_section {
            if let Some(section) = sections.last_mut() {
                section.line(line);
            }
        } else if let Some((name, result)) = verbose(line, lines.get(at.wrapping_sub(2)).copied()) {
            has_progress = true;
            marks.started += 1;
            match result {
                Some(result) => {
                    marks.named += 1;
                    report.name(&name, result);
                }
                None => pending = Some(name),
            }
        } else if is_dots(line) {
            marks.dots = Some(marks.dots.unwrap_or(0) + line.len() as u64);
        } else if let Some((name, result)) = pending
            .take_if(|_| result(line).is_some())
            .zip(result(line))
        {
            marks.named += 1;
            report.name(&name, result);
        } else {
            marks.has_other_text |= !line.trim().is_empty();
        }
    }
    let has_trace = !verdicts.is_empty() || has_progress || is_expected && marks.dots.is_some();
    if !has_trace {
        return None;
    }
    for section in &sections {
        let result = if section.is(Fact::Unloadable) || section.is(Fact::Setup) {
            TestResult::Errored
        } else {
            TestResult::Failed
        };
        report.set(&section.name, result);
    }
    // A second run starts only where the first one passed, unless somebody goes on regardless.
    let failed_before_last = verdicts
        .iter()
        .rev()
        .skip(1)
        .any(|verdict| *verdict == "FAILED");
    let is_open = pending.is_some() || marks.dots.is_some() || marks.started > 0;
    report.progress = if is_inconsistent || failed_before_last {
        Progress::Nothing(Reason::ReportInconsistent)
    } else if verdicts.is_empty() || is_open {
        Progress::Unfinished
    } else {
        Progress::Finished
    };
    report.has_crashed = report.progress == Progress::Unfinished;
    if report.progress == Progress::Finished {
        judge(&mut report, &sections);
    }
    Some(report)
}

/// Tells failures of tests from what could not be loaded or prepared.
fn judge(report: &mut Report, sections: &[Section]) {
    let real = |section: &&Section| !section.is(Fact::Unloadable) && !section.is(Fact::Setup);
    let all_of = |is: fn(&Section) -> bool| !sections.is_empty() && sections.iter().all(is);
    let of_tests = sections.iter().filter(real).count() as u64;
    // unittest calls every exception but a failed assertion an error; the test ran all the same.
    let errors = sections
        .iter()
        .filter(|section| section.is(Fact::Error))
        .filter(real)
        .count() as u64;
    let errors = errors.min(report.errors);
    report.errors -= errors;
    report.count(TestResult::Failed, errors);
    if all_of(|section| section.is(Fact::Missing))
        || of_tests == 0 && sections.iter().any(|section| section.is(Fact::Missing))
    {
        report.nothing(Reason::ModuleMissing);
    } else if all_of(|section| section.is(Fact::Memory)) {
        report.nothing(Reason::OutOfMemory);
    } else if of_tests == 0 && sections.iter().any(|section| section.is(Fact::Unloadable)) {
        report.nothing(if all_of(|section| section.is(Fact::Attribute)) {
            Reason::NothingCollected
        } else {
            Reason::CollectionError
        });
    } else if of_tests == 0 && sections.iter().any(|section| section.is(Fact::Setup)) {
        report.nothing(Reason::SetupFailed);
    }
}

fn count(report: &mut Report, summary: &Summary<'_>) {
    let of = |name: &str| {
        summary
            .counts
            .iter()
            .find(|(word, _)| *word == name)
            .map_or(0, |(_, count)| *count)
    };
    let skipped = of("skipped").saturating_add(of("expected failures"));
    let failed = of("failures").saturating_add(of("unexpected successes"));
    let errors = of("errors");
    report.count(TestResult::Skipped, skipped);
    report.count(TestResult::Failed, failed);
    report.count(TestResult::Errored, errors);
    // Python 3.12.1 does not count what was skipped among what ran; neither counts the setup of a class. Too few passes
    // are counted where both meet, never too many.
    let others = skipped.saturating_add(failed).saturating_add(errors);
    report.count(TestResult::Passed, summary.ran.saturating_sub(others));
}

impl Marks {
    /// Whether a summary can be that of the progress before it.
    fn fit(&self, summary: &Summary<'_>, sections: u64) -> bool {
        if summary.ran == 0 {
            return true;
        }
        if let Some(dots) = self.dots {
            return self.has_other_text || self.started > 0 || dots >= summary.ran;
        }
        if self.started > 0 {
            return self.started >= summary.ran;
        }
        // Quietly nothing is marked, or a print stands in the same line; then something has to be said before it.
        sections > 0 || self.has_other_text
    }
}

impl Section {
    fn line(&mut self, line: &str) {
        if line.starts_with("  File \"") && !self.is(Fact::Framed) {
            self.facts.insert(Fact::Framed);
            let place = line.rsplit(", in ").next().unwrap_or_default();
            if matches!(
                place,
                "setUp" | "setUpClass" | "setUpModule" | "asyncSetUp" | "_callSetUp"
            ) {
                self.facts.insert(Fact::Setup);
            }
        }
        let is_attribute =
            line.starts_with("AttributeError: ") && line.contains("has no attribute");
        self.facts.extend(known([
            (Fact::Missing, line.starts_with("ModuleNotFoundError: ")),
            (Fact::Memory, line == "MemoryError"),
            (Fact::Attribute, is_attribute),
        ]));
    }

    fn is(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }
}

fn is_rule(line: &str, char: char) -> bool {
    line.len() == 70 && line.chars().all(|one| one == char)
}

/// Reads a summary from its rule on, and how many lines it has.
fn summary<'a>(lines: &[&'a str]) -> Option<(Summary<'a>, usize)> {
    if !is_rule(lines.first()?, '-') {
        return None;
    }
    let (ran, rest) = number(lines.get(1)?.strip_prefix("Ran ")?)?;
    let seconds = rest
        .strip_prefix(" tests in ")
        .or_else(|| rest.strip_prefix(" test in "))?;
    seconds.strip_suffix('s')?.parse::<f64>().ok()?;
    let at = lines
        .iter()
        .skip(2)
        .take(2)
        .position(|line| !line.is_empty())?
        + 2;
    let line = lines.get(at)?;
    let (verdict, counts) = match line.split_once(" (") {
        Some((verdict, counts)) => (verdict, counts.strip_suffix(')')?),
        None => (*line, ""),
    };
    if !matches!(verdict, "OK" | "FAILED" | "NO TESTS RAN") {
        return None;
    }
    let counts = counts
        .split(", ")
        .filter_map(|part| part.split_once('='))
        .filter_map(|(word, count)| Some((word, count.parse().ok()?)))
        .collect();
    let summary = Summary {
        ran,
        verdict,
        counts,
    };
    Some((summary, at + 1))
}

fn section(line: &str) -> Option<Section> {
    let (kind, rest) = line.split_once(": ")?;
    if !matches!(kind, "ERROR" | "FAIL" | "UNEXPECTED SUCCESS") {
        return None;
    }
    let is_of_class = rest.starts_with("setUpClass (") || rest.starts_with("setUpModule (");
    Some(Section {
        name: name(rest).unwrap_or_else(|| rest.to_owned()),
        facts: known([
            (Fact::Error, kind == "ERROR"),
            (
                Fact::Unloadable,
                rest.contains("(unittest.loader._FailedTest"),
            ),
            (Fact::Setup, is_of_class),
        ])
        .collect(),
    })
}

/// Returns the facts that are so.
fn known(facts: [(Fact, bool); 3]) -> impl Iterator<Item = Fact> {
    facts
        .into_iter()
        .filter_map(|(fact, is_so)| is_so.then_some(fact))
}

/// Makes `a.B.test_one` of `test_one (a.B.test_one)`, and of `test_one (a.B)`, which Python wrote before 3.11.
fn name(text: &str) -> Option<String> {
    let (method, rest) = text.split_once(" (")?;
    let (place, _) = rest.split_once(')')?;
    if method.is_empty() || method.contains(' ') || place.contains(' ') {
        return None;
    }
    let is_whole = place.rsplit('.').next() == Some(method);
    Some(if is_whole {
        place.to_owned()
    } else {
        format!("{place}.{method}")
    })
}

fn result(text: &str) -> Option<TestResult> {
    Some(match text {
        "ok" | "unexpected success" => TestResult::Passed,
        "FAIL" | "ERROR" => TestResult::Failed,
        "expected failure" => TestResult::Skipped,
        _ if text.starts_with("skipped ") => TestResult::Skipped,
        _ => return None,
    })
}

/// Reads `test_one (a.B.test_one) ... ok`, where the name may stand in the line before, above the first of its docstring.
fn verbose(line: &str, before: Option<&str>) -> Option<(String, Option<TestResult>)> {
    let (head, tail) = line
        .split_once(" ... ")
        .or_else(|| Some((line.strip_suffix(" ...")?, "")))?;
    if head.starts_with("  ") {
        return None;
    }
    let is_name = |text: &str| text.starts_with(|char: char| char.is_alphabetic() || char == '_');
    let name = is_name(head).then(|| name(head)).flatten().or_else(|| {
        before
            .filter(|line| line.ends_with(')') && is_name(line))
            .and_then(name)
    })?;
    Some((name, result(tail)))
}

fn is_dots(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|byte| b".FEsxu".contains(&byte))
}
