//! The events of our pytest plugin, `legwork_pytest.py`, as pytest 9.2 makes them.
//!
//! A line counts only with the MAC of the key that the plugin was given for this run. Each process of pytest has a stream
//! of its own, numbered from 0 without a gap: a stream with a gap or a number twice was written by somebody else too.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    domain::test_run::{
        model::{Reason, Runner, Source, TestResult},
        report::{Progress, Report},
    },
    system::digest,
};

/// Bytes of a line that are read.
const MAX_LINE: usize = 1 << 20;
/// Lines that are read.
const MAX_LINES: usize = 2_000_000;
/// Processes of pytest that are told apart.
const MAX_STREAMS: usize = 1000;

/// Stands for the exception of a test whose worker process is gone.
const WORKER_GONE: &str = "worker gone";

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Start {},
    Session {},
    Collected {
        ids: Vec<String>,
    },
    Unloadable {
        error: String,
    },
    Begin {
        id: String,
    },
    Phase {
        id: String,
        when: String,
        outcome: String,
        expected: bool,
        raised: bool,
        error: Option<String>,
    },
    Finish {
        exit: i64,
        collect_only: bool,
    },
}

/// What one process of pytest sent.
#[derive(Default)]
struct Stream {
    next: u64,
    is_broken: bool,
    collected: BTreeSet<String>,
    begun: BTreeSet<String>,
    results: BTreeMap<String, TestResult>,
    /// The names of the exceptions of what could not be loaded, prepared or passed.
    unloadable: Vec<String>,
    unprepared: Vec<String>,
    failures: Vec<String>,
    has_swallowed: bool,
    finish: Option<(i64, bool)>,
}

/// Reads events; `None` where pytest sent none.
pub(in super::super) fn read(
    events: &str,
    key: &str,
    exit_code: i32,
    is_crash: bool,
) -> Option<Report> {
    let mut streams: BTreeMap<&str, Stream> = BTreeMap::new();
    for line in events.lines().take(MAX_LINES) {
        let Some((name, number, json)) = verified(line, key) else {
            continue;
        };
        if streams.len() >= MAX_STREAMS && !streams.contains_key(name) {
            continue;
        }
        let stream = streams.entry(name).or_default();
        stream.is_broken |= number != stream.next;
        stream.next = number.saturating_add(1);
        match serde_json::from_str(json) {
            Ok(event) => stream.take(event),
            Err(_) => stream.is_broken = true,
        }
    }
    let mut all: Option<Report> = None;
    for stream in streams.into_values() {
        let report = stream.report(exit_code, is_crash);
        match &mut all {
            Some(all) => all.merge(report),
            None => all = Some(report),
        }
    }
    all
}

/// Takes a line apart that carries the right MAC.
fn verified<'a>(line: &'a str, key: &str) -> Option<(&'a str, u64, &'a str)> {
    if key.is_empty() || line.len() > MAX_LINE {
        return None;
    }
    let mut parts = line.splitn(5, ' ');
    let (mark, stream, number) = (parts.next()?, parts.next()?, parts.next()?);
    let (mac, json) = (parts.next()?, parts.next()?);
    let signed = format!("{key}|{stream}|{number}|{json}|{key}");
    let is_ours = mark == "legwork" && digest::sha256(signed.as_bytes()) == mac;
    is_ours.then_some((stream, number.parse().ok()?, json))
}

impl Stream {
    fn take(&mut self, event: Event) {
        // What comes after the end was not sent by the runner.
        self.is_broken |= self.finish.is_some();
        match event {
            Event::Start {} | Event::Session {} => {}
            Event::Collected { ids } => self.collected.extend(ids),
            Event::Unloadable { error } => self.unloadable.push(error),
            Event::Begin { id } => {
                self.begun.insert(id);
            }
            Event::Phase {
                id,
                when,
                outcome,
                expected,
                raised,
                error,
            } => {
                let is_phase = matches!(when.as_str(), "setup" | "call" | "teardown");
                self.has_swallowed |= raised && outcome == "passed" && !expected;
                let result = match (outcome.as_str(), when.as_str()) {
                    ("passed", "call") => Some(TestResult::Passed),
                    ("skipped", _) => Some(TestResult::Skipped),
                    ("failed", "setup") => Some(TestResult::Errored),
                    ("failed", _) => Some(TestResult::Failed),
                    _ => None,
                };
                match result {
                    Some(TestResult::Errored) => self.unprepared.extend(error),
                    // xdist reports a worker that is gone in no phase of the test.
                    Some(TestResult::Failed) if !is_phase => {
                        self.failures.push(WORKER_GONE.to_owned());
                    }
                    Some(TestResult::Failed) => self.failures.extend(error),
                    Some(TestResult::Passed | TestResult::Skipped) | None => {}
                }
                if when == "teardown" {
                    self.begun.remove(&id);
                }
                if let Some(result) = result {
                    let worst = self.results.entry(id).or_insert(result);
                    *worst = (*worst).max(result);
                }
            }
            Event::Finish { exit, collect_only } => self.finish = Some((exit, collect_only)),
        }
    }

    fn report(mut self, exit_code: i32, is_crash: bool) -> Report {
        let mut report = Report::new(Runner::Pytest, Source::Events);
        let ran = self.results.len();
        for (id, result) in &self.results {
            report.add(id, *result);
        }
        let unloadable = self.unloadable.len() as u64;
        report.errors = report.errors.saturating_add(unloadable);
        let all_are = |errors: &[String], name: &str| {
            !errors.is_empty()
                && errors
                    .iter()
                    .all(|error| error.rsplit('.').next() == Some(name))
        };
        let errors: Vec<String> = [&self.unloadable, &self.unprepared, &self.failures]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let is_missing = |errors: &[String]| all_are(errors, "ModuleNotFoundError");
        if self.is_broken || self.has_swallowed {
            report.nothing(Reason::ReportInconsistent);
        } else if let Some((exit, collect_only)) = self.finish {
            let is_incomplete = exit == 0 && self.collected.len() > ran;
            report.progress = if collect_only {
                Progress::Nothing(Reason::NothingCollected)
            } else if is_missing(&errors) || self.failures.is_empty() && self.any_missing() {
                Progress::Nothing(Reason::ModuleMissing)
            } else if all_are(&errors, WORKER_GONE) {
                Progress::Nothing(Reason::Killed)
            } else if all_are(&errors, "MemoryError") {
                Progress::Nothing(Reason::OutOfMemory)
            } else if self.failures.is_empty() && unloadable > 0 {
                Progress::Nothing(Reason::CollectionError)
            } else if self.failures.is_empty() && !self.unprepared.is_empty() {
                Progress::Nothing(Reason::SetupFailed)
            } else if exit == 4 {
                Progress::Nothing(Reason::NothingCollected)
            } else if is_incomplete || exit == 2 || exit == 3 {
                Progress::Unfinished
            } else if exit != i64::from(exit_code) && (exit == 0) != (exit_code == 0) {
                Progress::Nothing(Reason::ReportInconsistent)
            } else {
                Progress::Finished
            };
        } else if let Some(id) = self.begun.pop_first() {
            report.has_crashed = true;
            if is_crash {
                report.add(&id, TestResult::Failed);
            } else {
                report.name(&id, TestResult::Errored);
            }
        }
        report
    }

    /// Whether something could not be loaded or prepared because a module is missing.
    fn any_missing(&self) -> bool {
        self.unloadable
            .iter()
            .chain(&self.unprepared)
            .any(|error| error.rsplit('.').next() == Some("ModuleNotFoundError"))
    }
}
