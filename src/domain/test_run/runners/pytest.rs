//! What pytest prints, as recorded from pytest 9.2.
//!
//! pytest prints its summary as its last line, between `=` unless it is quiet. A program under test may print such a line
//! too. The runner's own comes after progress (`..F` or `test.py::test PASSED`) and adds up to the tests that were
//! collected; a summary that does neither makes the report inconsistent.

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
    text::{Text, counted, number},
};

/// One session of pytest, as far as its output shows it.
#[derive(Default)]
struct Session {
    collected: Option<u64>,
    has_progress: bool,
    is_collect_only: bool,
}

/// What the whole output shows.
struct Reader {
    report: Report,
    session: Option<Session>,
    summaries: u64,
    is_inconsistent: bool,
    is_stopped: bool,
    unloadable: u64,
    unprepared: u64,
    undone: u64,
    missing_modules: u64,
    failures: Vec<String>,
    pending: Option<String>,
    nothing: Option<Reason>,
}

/// Reads the output of pytest; `None` where it has no trace of it.
pub(in super::super) fn read(text: &Text) -> Option<Report> {
    let mut reader = Reader {
        report: Report::new(Runner::Pytest, Source::Text),
        session: None,
        summaries: 0,
        is_inconsistent: false,
        is_stopped: false,
        unloadable: 0,
        unprepared: 0,
        undone: 0,
        missing_modules: 0,
        failures: Vec::new(),
        pending: None,
        nothing: None,
    };
    for line in text.iter() {
        reader.line(line.trim_end());
    }
    reader.finish()
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(title) = ruled(line, '=') {
            if title == "test session starts" {
                self.is_inconsistent |= self.session.is_some() && self.summaries == 0;
                self.session = Some(Session::default());
                return;
            }
            if let Some(counts) = summary(title) {
                self.summary(&counts);
            }
        } else if let Some(title) = ruled(line, '_') {
            self.unloadable += u64::from(title.starts_with("ERROR collecting "));
            self.unprepared += u64::from(title.starts_with("ERROR at setup of "));
            self.undone += u64::from(title.starts_with("ERROR at teardown of "));
        } else if let Some(title) = ruled(line, '!') {
            self.is_stopped |= !title.starts_with("stopping after ")
                && !title.contains(" error during collection")
                && !title.contains(" errors during collection");
        } else if let Some(counts) = summary(line) {
            self.summary(&counts);
        } else if let Some(rest) = line
            .strip_prefix("collected ")
            .or_else(|| line.strip_prefix("collecting ... collected "))
        {
            self.collected(rest);
        } else if let Some((name, result)) = verbose(line) {
            self.progress();
            match result {
                Some(result) => {
                    self.report.name(name, result);
                    self.pending = None;
                }
                None => self.pending = Some(name.to_owned()),
            }
        } else if is_progress(line) {
            self.progress();
        } else {
            self.other(line);
        }
    }

    fn progress(&mut self) {
        self.session.get_or_insert_default().has_progress = true;
    }

    fn collected(&mut self, rest: &str) {
        let Some((count, rest)) = number(rest) else {
            return;
        };
        let selected = rest
            .split(" / ")
            .find_map(|part| part.trim().strip_suffix(" selected"));
        let selected = selected.and_then(|part| part.parse().ok());
        if let Some(session) = &mut self.session {
            session.collected = Some(selected.unwrap_or(count));
        }
    }

    fn other(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("FAILED ") {
            self.failures.push(rest.to_owned());
        } else if line.starts_with("E ")
            && line[1..].trim_start().starts_with("ModuleNotFoundError: ")
        {
            self.missing_modules += 1;
        } else if line.starts_with("ImportError while loading conftest ") {
            self.nothing = Some(Reason::CollectionError);
        } else if line.starts_with("ERROR: not found: ")
            || line.starts_with("ERROR: file or directory not found: ")
        {
            self.nothing = Some(Reason::NothingCollected);
        } else if line.starts_with("pytest: error: ")
            || line.starts_with("__main__.py: error: ")
            || line.starts_with("ERROR: usage: ")
        {
            self.nothing = Some(Reason::UsageError);
        } else if line.contains("Error importing plugin \"") {
            self.nothing = Some(Reason::SetupFailed);
        } else if line.starts_with("+++++") && line.contains("+ Timeout +") {
            self.nothing = Some(Reason::TimedOut);
        } else if line.starts_with("INTERNALERROR> ") {
            self.is_stopped = true;
        } else if let Some(name) = self.pending.take() {
            // With `-s` what the test prints stands between its name and its result.
            match result(line.split(' ').next().unwrap_or_default()) {
                Some(result) => self.report.name(&name, result),
                None => self.pending = Some(name),
            }
        }
    }

    fn summary(&mut self, counts: &[(u64, &str)]) {
        let session = self.session.get_or_insert_default();
        let mut ran = 0_u64;
        let mut errors = 0;
        for (count, word) in counts {
            let result = match *word {
                "passed" | "xpassed" => TestResult::Passed,
                "failed" => TestResult::Failed,
                "skipped" | "xfailed" => TestResult::Skipped,
                "error" | "errors" => TestResult::Errored,
                "tests collected" | "test collected" => {
                    session.is_collect_only = true;
                    continue;
                }
                _ => continue,
            };
            if result == TestResult::Errored {
                errors += count;
            } else {
                ran = ran.saturating_add(*count);
            }
            self.report.count(result, *count);
        }
        let is_short = session
            .collected
            .is_some_and(|collected| ran.saturating_add(errors) < collected);
        self.is_stopped |= is_short
            && !counts
                .iter()
                .any(|(_, word)| *word == "failed" || word.starts_with("error"));
        // Subtests fail beside the tests that they are part of, so more may be counted than was collected.
        let is_long = session.collected.is_some_and(|collected| {
            ran > collected && !counts.iter().any(|(_, word)| *word == "failed")
        });
        let is_stray = ran > 0 && self.summaries > 0 && !session.has_progress;
        self.is_inconsistent |= is_long || is_stray;
        if session.is_collect_only {
            self.nothing = Some(Reason::NothingCollected);
        }
        self.summaries += 1;
        self.session = Some(Session::default());
    }

    fn finish(mut self) -> Option<Report> {
        let has_trace = self.session.is_some() || self.summaries > 0 || self.nothing.is_some();
        if !has_trace {
            return None;
        }
        for failure in &self.failures {
            let name = failure.split(" - ").next().unwrap_or(failure);
            self.report.name(name, TestResult::Failed);
        }
        let is_missing = |failure: &String| failure.contains(" - ModuleNotFoundError: ");
        let is_memory = |failure: &String| failure.ends_with(" - MemoryError");
        let all = |is: &dyn Fn(&String) -> bool| {
            !self.failures.is_empty() && self.failures.iter().all(is)
        };
        let has_failed = self.report.failed > 0;
        let has_open_session = self
            .session
            .as_ref()
            .is_some_and(|session| session.collected.is_some() || session.has_progress);
        self.report.progress = if self.is_inconsistent {
            Progress::Nothing(Reason::ReportInconsistent)
        } else if !has_failed
            && self.missing_modules > 0
            && (self.report.errors > 0 || self.nothing.is_some())
        {
            Progress::Nothing(Reason::ModuleMissing)
        } else if let Some(reason) = self.nothing {
            Progress::Nothing(reason)
        } else if all(&is_missing) {
            Progress::Nothing(Reason::ModuleMissing)
        } else if all(&is_memory) {
            Progress::Nothing(Reason::OutOfMemory)
        } else if !has_failed && self.unloadable > 0 {
            Progress::Nothing(Reason::CollectionError)
        } else if !has_failed && self.unprepared > 0 {
            Progress::Nothing(Reason::SetupFailed)
        } else if self.summaries == 0 || has_open_session || self.is_stopped {
            Progress::Unfinished
        } else {
            Progress::Finished
        };
        self.report.has_crashed = has_open_session && self.summaries == 0;
        Some(self.report)
    }
}

/// Returns the title of a line that is filled up with this character on both sides.
fn ruled(line: &str, rule: char) -> Option<&str> {
    let inner = line.strip_prefix(rule)?.strip_suffix(rule)?;
    let title = inner.trim_matches(rule);
    title.strip_prefix(' ')?.strip_suffix(' ')
}

/// Reads `1 failed, 4 passed in 0.07s` and `no tests ran in 0.03s`.
fn summary(title: &str) -> Option<Vec<(u64, &str)>> {
    let (counts, time) = title.rsplit_once(" in ")?;
    // `0.07s`, or `61.20s (0:01:01)`.
    let (time, clock) = time.split_once(' ').unwrap_or((time, ""));
    if !(clock.is_empty() || clock.starts_with('(') && clock.ends_with(')')) {
        return None;
    }
    let seconds = time.strip_suffix('s')?;
    seconds.parse::<f64>().ok()?;
    if counts == "no tests ran" {
        return Some(Vec::new());
    }
    let counts = counted(counts)?;
    let is_known = |word: &str| {
        matches!(
            word,
            "passed"
                | "failed"
                | "skipped"
                | "xfailed"
                | "xpassed"
                | "error"
                | "errors"
                | "warning"
                | "warnings"
                | "deselected"
                | "rerun"
                | "tests collected"
                | "test collected"
                | "subtests passed"
                | "subtests failed"
                | "subtests skipped"
                | "subtests xfailed"
        )
    };
    counts
        .iter()
        .all(|(_, word)| is_known(word))
        .then_some(counts)
}

fn result(word: &str) -> Option<TestResult> {
    Some(match word {
        "PASSED" | "XPASS" => TestResult::Passed,
        "FAILED" => TestResult::Failed,
        "ERROR" => TestResult::Errored,
        "SKIPPED" | "XFAIL" => TestResult::Skipped,
        _ => return None,
    })
}

/// Reads `test_a.py::test_one PASSED   [ 11%]`, where the result may still be to come.
fn verbose(line: &str) -> Option<(&str, Option<TestResult>)> {
    let (file, _) = line.split_once("::")?;
    if file.is_empty() || file.contains(' ') || !file.contains('.') {
        return None;
    }
    let line = match line.rsplit_once(" [") {
        Some((head, tail)) if tail.ends_with("%]") => head.trim_end(),
        _ => line,
    };
    for word in ["PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS"] {
        let mut rest = line;
        while let Some((head, tail)) = rest.rsplit_once(word) {
            let is_result = head.ends_with(' ') && (tail.is_empty() || tail.starts_with(" ("));
            if is_result {
                return Some((head.trim_end(), result(word)));
            }
            rest = head;
        }
    }
    (!line.contains(' ')).then_some((line, None))
}

/// Whether a line shows progress: `..F [ 50%]`, with or without the file before it.
fn is_progress(line: &str) -> bool {
    let line = match line.rsplit_once(" [") {
        Some((head, tail)) if tail.ends_with("%]") => head.trim_end(),
        _ => line,
    };
    let (file, marks) = line.rsplit_once(' ').unwrap_or(("", line));
    let is_file = file.is_empty()
        || file.trim_end().rsplit('.').next() == Some("py")
        || file.contains('.') && !file.contains(' ');
    is_file && !marks.is_empty() && marks.bytes().all(|mark| b".FEsxXRu,-".contains(&mark))
}
