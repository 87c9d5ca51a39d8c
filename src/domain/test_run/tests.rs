//! What runners really left behind is read as it should be, and nothing that anybody may print is too much.

#![expect(
    clippy::disallowed_methods,
    reason = "recorded runs are files, and time is what one test measures"
)]

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock, time::Instant};

use proptest::prelude::*;

use super::{
    End, Output, Source, TestResult, TestRun,
    model::{Reason, Runner},
    read,
};
use crate::system::digest;

/// The key that the recorded events were signed with.
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// One recorded run.
struct Recorded {
    command: String,
    exit_code: i32,
    text: String,
    events: Option<String>,
    reports: Vec<(String, Vec<u8>)>,
}

/// Every line that was recorded.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let expected = fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let names = expected.lines().filter_map(|line| line.split('\t').next());
    names
        .flat_map(|name| {
            Recorded::open(name)
                .text
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
});

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/test_runs"))
}

impl Recorded {
    fn open(name: &str) -> Self {
        let path = |ending: &str| folder().join(format!("{name}.{ending}"));
        let text = fs::read_to_string(path("txt")).unwrap();
        let (head, text) = text.split_once("\n# exit: ").unwrap();
        let (code, text) = text.split_once('\n').unwrap_or((text, ""));
        let events = fs::read_to_string(path("events")).ok();
        let report = fs::read(path("xml")).ok();
        Self {
            command: head.strip_prefix("# command: ").unwrap().to_owned(),
            exit_code: code.trim().parse().unwrap(),
            text: text.to_owned(),
            events,
            reports: report
                .into_iter()
                .map(|bytes| ("r.xml".to_owned(), bytes))
                .collect(),
        }
    }

    fn read(&self) -> TestRun {
        read(&Output {
            command: &self.command,
            tree: "/w",
            exit_code: self.exit_code,
            stdout: &self.text,
            stderr: "",
            events: self.events.as_deref(),
            key: KEY,
            reports: &self.reports,
        })
    }
}

fn end(end: End) -> &'static str {
    match end {
        End::Red => "red",
        End::Green => "green",
        End::DidNotRun(reason) => reason.name(),
    }
}

fn row(name: &str, run: &TestRun) -> String {
    format!(
        "{name}\t{}\t{}\t{} passed, {} failed, {} skipped, {} errors{}",
        end(run.end),
        run.runner.map_or("-", Runner::name),
        run.passed,
        run.failed,
        run.skipped,
        run.errors,
        if run.is_named { ", named" } else { "" },
    )
}

/// `expected.tsv` was read line by line against the recorded output.
#[test]
fn every_recorded_run_is_read_as_it_should_be() {
    let expected = fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in expected.lines() {
        let name = line.split('\t').next().unwrap();
        names.insert(name.to_owned());
        let found = row(name, &Recorded::open(name).read());
        if found != line {
            wrong.push(format!("{found}\n  expected {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut recorded = BTreeSet::new();
    for runner in fs::read_dir(folder()).unwrap() {
        let runner = runner.unwrap();
        if runner.file_type().unwrap().is_dir() {
            for file in fs::read_dir(runner.path()).unwrap() {
                let file = file.unwrap().file_name().into_string().unwrap();
                let name = file.strip_suffix(".txt").map(str::to_owned);
                recorded.extend(
                    name.map(|name| format!("{}/{name}", runner.file_name().to_str().unwrap())),
                );
            }
        }
    }
    assert_eq!(names, recorded);
}

/// The exit codes that lie, one by one.
#[test]
fn exit_codes_that_lie_are_not_believed() {
    for (name, exit_code, reason) in [
        ("pytest/module_missing_fixture", 1, Reason::ModuleMissing),
        ("pytest/os_exit", 0, Reason::ReportUnfinished),
        ("pytest/all_skipped", 0, Reason::AllSkipped),
        ("unittest/none.11", 0, Reason::NothingCollected),
        ("unittest/missing.11", 1, Reason::ModuleMissing),
        ("cargo_test/none", 0, Reason::NothingCollected),
        ("cargo_test/exit0", 0, Reason::ReportUnfinished),
        ("nextest/exit0.full", 0, Reason::ReportUnfinished),
        ("go_test/none", 0, Reason::NothingCollected),
        ("go_test/exit0main", 0, Reason::TestsUncounted),
        ("jest/none_t", 0, Reason::AllSkipped),
        ("jest/exit", 0, Reason::ReportUnfinished),
        ("vitest/none_t", 0, Reason::AllSkipped),
        ("vitest/missing", 1, Reason::ModuleMissing),
        ("vitest/kill", 1, Reason::Killed),
        ("mocha/none_g", 0, Reason::NothingCollected),
        ("mocha/missing", 1, Reason::ModuleMissing),
        ("mocha/exit", 0, Reason::ReportUnfinished),
        ("node/empty.tap", 0, Reason::NothingCollected),
        ("node/exit.spec", 0, Reason::NothingCollected),
        ("ctest/none", 0, Reason::NothingCollected),
        ("ctest/skipall", 0, Reason::AllSkipped),
    ] {
        let recorded = Recorded::open(name);
        assert_eq!(recorded.exit_code, exit_code, "{name}");
        assert_eq!(recorded.read().end, End::DidNotRun(reason), "{name}");
    }
}

#[test]
fn a_summary_that_the_tested_code_printed_does_not_win() {
    for name in [
        "pytest/forged",
        "pytest/forged_q",
        "pytest/atexit",
        "pytest_events/forged",
        "pytest_events/forged_events",
        "pytest_events/swallowed",
        "unittest/forge.11",
        "unittest/forge.v.11",
        "unittest/atexit.11",
        "cargo_test/forge",
    ] {
        let run = Recorded::open(name).read();
        assert!(matches!(run.end, End::DidNotRun(_)), "{name} {:?}", run.end);
    }
    // What a test prints while it runs changes nothing.
    for name in [
        "pytest/pass",
        "pytest/mixed_s",
        "unittest/pass.v.11",
        "jest/mixed",
        "vitest/mixed",
        "mocha/mixed",
        "ctest/mixed.of",
    ] {
        let run = Recorded::open(name).read();
        assert!(
            matches!(run.end, End::Red | End::Green),
            "{name} {:?}",
            run.end
        );
    }
    // Nor does an exit code that says otherwise.
    for (name, exit_code) in [
        ("pytest/mixed", 0),
        ("pytest/pass", 1),
        ("cargo_test/mixed", 0),
        ("jest/pass", 1),
        ("unittest/mixed.11", 0),
        ("node/mixed.tap", 0),
        ("ctest/mixed", 0),
    ] {
        let recorded = Recorded {
            exit_code,
            ..Recorded::open(name)
        };
        assert_eq!(
            recorded.read().end,
            End::DidNotRun(Reason::ReportInconsistent),
            "{name}"
        );
    }
}

#[test]
fn events_need_the_key_and_every_number() {
    let recorded = Recorded::open("pytest_events/pass");
    assert_eq!(recorded.read().source, Source::Events);
    let events = recorded.events.clone().unwrap();
    let lines: Vec<&str> = events.lines().collect();
    let with = |lines: &[&str]| Recorded {
        events: Some(lines.join("\n")),
        ..Recorded::open("pytest_events/pass")
    };
    // Cut off at any place, with a line missing, twice or changed: never green by events.
    for end in 0..lines.len() {
        let run = with(&lines[..end]).read();
        assert!(
            run.end != End::Green || run.source != Source::Events,
            "{end}"
        );
    }
    for at in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        assert_ne!(with(&without).read().end, End::Green, "without {at}");
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        assert_ne!(with(&twice).read().end, End::Green, "twice {at}");
        let changed = lines[at]
            .replace("\"call\"", "\"setup\"")
            .replace("event", "Event");
        let mut other = lines.clone();
        other[at] = &changed;
        assert_ne!(with(&other).read().end, End::Green, "changed {at}");
    }
    // Noise between the lines, and lines of another key, are nobody's.
    let noise = format!("hello\nlegwork a 0 b {{}}\n{events}legwork");
    let run = Recorded {
        events: Some(noise),
        ..recorded
    };
    assert_eq!(run.read().end, End::Green);
}

#[test]
fn events_that_the_key_signed_are_judged() {
    let sign = |events: &[&str]| {
        let lines = events.iter().enumerate().map(|(number, json)| {
            let signed = format!("{KEY}|s|{number}|{json}|{KEY}");
            format!(
                "legwork s {number} {} {json}\n",
                digest::sha256(signed.as_bytes())
            )
        });
        lines.collect::<String>()
    };
    let of = |events: &[&str], exit_code: i32| {
        let events = sign(events);
        read(&Output {
            command: "pytest",
            exit_code,
            events: Some(&events),
            key: KEY,
            ..Output::default()
        })
    };
    let collected = r#"{"event": "collected", "ids": ["t.py::a", "t.py::b"]}"#;
    let begin = r#"{"event": "begin", "id": "t.py::a"}"#;
    let pass = r#"{"event": "phase", "id": "t.py::a", "when": "call", "outcome": "passed", "expected": false, "raised": false, "error": null}"#;
    let finish = r#"{"event": "finish", "exit": 0, "collect_only": false}"#;
    // One of two that were collected: the runner left early.
    assert_eq!(
        of(&[collected, begin, pass, finish], 0).end,
        End::DidNotRun(Reason::ReportUnfinished)
    );
    // The end is signed, and the exit code says otherwise.
    let one = r#"{"event": "collected", "ids": ["t.py::a"]}"#;
    assert_eq!(of(&[one, begin, pass, finish], 0).end, End::Green);
    assert_eq!(
        of(&[one, begin, pass, finish], 1).end,
        End::DidNotRun(Reason::ReportInconsistent)
    );
    assert_eq!(
        of(&[one, begin, pass, finish, pass], 0).end,
        End::DidNotRun(Reason::ReportInconsistent)
    );
    // A worker of xdist that is gone.
    let gone = r#"{"event": "phase", "id": "t.py::a", "when": "???", "outcome": "failed", "expected": false, "raised": false, "error": "AssertionError"}"#;
    let failed = r#"{"event": "finish", "exit": 1, "collect_only": false}"#;
    assert_eq!(
        of(&[one, begin, gone, failed], 1).end,
        End::DidNotRun(Reason::Killed)
    );
    // A crash while a test ran is a failure of that test, a kill is none.
    let crashed = of(&[one, begin], 139);
    assert_eq!(
        (crashed.end, crashed.tests.get("t.py::a")),
        (End::Red, Some(&TestResult::Failed))
    );
    assert_eq!(of(&[one, begin], 137).end, End::DidNotRun(Reason::Killed));
    assert_eq!(
        of(&[one], 139).end,
        End::DidNotRun(Reason::ReportUnfinished)
    );
}

#[test]
fn a_program_of_unknown_make_is_judged_by_its_exit_code() {
    let of = |exit_code: i32, stdout: &str, stderr: &str| {
        let run = read(&Output {
            command: "test \"$(./prog)\" = 3",
            exit_code,
            stdout,
            stderr,
            ..Output::default()
        });
        assert_eq!((run.runner, run.source), (None, Source::ExitCode));
        end(run.end)
    };
    for (exit_code, stdout, stderr, expected) in [
        (0, "", "", "green"),
        (1, "", "", "red"),
        (2, "3 is not 4\n", "", "red"),
        (255, "", "", "red"),
        (124, "", "", "timed_out"),
        (125, "", "", "command_missing"),
        (126, "", "", "command_missing"),
        (127, "", "", "command_missing"),
        (137, "", "", "killed"),
        (143, "", "", "killed"),
        (130, "", "", "killed"),
        (
            137,
            "",
            "Out of memory: Killed process 7\n",
            "out_of_memory",
        ),
        // What a mistake of the program itself brings about is a failure.
        (139, "", "Segmentation fault\n", "red"),
        (134, "", "Assertion `x' failed.\nAborted\n", "red"),
        (136, "", "", "red"),
        (
            134,
            "",
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n",
            "out_of_memory",
        ),
        (1, "", "sh: 1: ./prog: not found\n", "command_missing"),
        (0, "", "sh: 1: ./prog: not found\n", "command_missing"),
        (
            1,
            "",
            "ModuleNotFoundError: No module named 'add'\n",
            "module_missing",
        ),
        (1, "", "MemoryError\n", "out_of_memory"),
        (1, "1 passed in 0.1s is what I print\n", "", "red"),
        (1, "cat: x: No such file or directory\n", "", "red"),
    ] {
        assert_eq!(
            of(exit_code, stdout, stderr),
            expected,
            "{exit_code} {stdout} {stderr}"
        );
    }
}

#[test]
fn a_runner_that_the_command_names_has_to_speak() {
    let of = |command: &str, exit_code: i32, stdout: &str| {
        end(read(&Output {
            command,
            exit_code,
            stdout,
            ..Output::default()
        })
        .end)
    };
    for command in [
        "pytest",
        "python -m unittest",
        "cargo test",
        "cargo nextest run",
        "go test ./...",
        "npx jest",
        "vitest run",
        "mocha",
        "node --test",
        "ctest",
    ] {
        assert_eq!(of(command, 0, ""), "report_unfinished", "{command}");
        assert_eq!(
            of(command, 0, "all is well\n"),
            "report_unfinished",
            "{command}"
        );
        assert_eq!(
            of(command, 1, "something broke\n"),
            "report_unfinished",
            "{command}"
        );
    }
    assert_eq!(
        of("npm test", 0, "> w@1.0.0 test\n> mocha\n\n"),
        "report_unfinished"
    );
    assert_eq!(
        of(
            "make && pytest",
            2,
            "cc -c x.c\nmake: *** [Makefile:2: x.o] Error 1\n"
        ),
        "build_failed"
    );
    // Of two runners the second one never spoke.
    let pytest = "..   [100%]\n2 passed in 0.02s\n";
    assert_eq!(
        of("pytest -q && cargo test", 0, pytest),
        "report_unfinished"
    );
    assert_eq!(of("pytest -q", 0, pytest), "green");
    assert_eq!(of("make check", 0, pytest), "green");
}

#[test]
fn report_files_say_names_and_have_to_agree() {
    let bytes = |name: &str| fs::read(folder().join(name)).unwrap();
    for (file, exit_code, passed, failed, skipped) in [
        ("pytest/xml_mixed.xml", 1, 5, 1, 2),
        ("vitest/junit_mixed.xml", 1, 2, 1, 1),
        ("node/junit_mixed.xml", 1, 2, 1, 1),
        ("jest/junit.xml", 1, 2, 1, 1),
        ("ctest/junit_mixed.xml", 8, 1, 1, 2),
        ("nextest/junit_mixed.xml", 100, 3, 1, 0),
    ] {
        let reports = [(file.to_owned(), bytes(file))];
        let of = |exit_code: i32| {
            read(&Output {
                command: "make check",
                exit_code,
                reports: &reports,
                ..Output::default()
            })
        };
        let run = of(exit_code);
        assert_eq!(
            (run.end, run.source, run.runner),
            (End::Red, Source::Report, Some(Runner::Junit)),
            "{file}"
        );
        assert_eq!(
            (run.passed, run.failed, run.skipped, run.is_named),
            (passed, failed, skipped, true),
            "{file}"
        );
        assert_eq!(
            of(0).end,
            End::DidNotRun(Reason::ReportInconsistent),
            "{file}"
        );
    }
    // XML without a failure of a worker that was killed.
    let killed = Recorded {
        reports: vec![("r.xml".to_owned(), bytes("vitest/junit_kill.xml"))],
        ..Recorded::open("vitest/kill")
    };
    assert_eq!(killed.read().end, End::DidNotRun(Reason::Killed));
    let rewritten = Recorded {
        reports: vec![("r.xml".to_owned(), bytes("pytest/xml_pass.xml"))],
        ..Recorded::open("pytest/mixed")
    };
    assert_eq!(
        rewritten.read().end,
        End::DidNotRun(Reason::ReportInconsistent)
    );
    // Cut off, or nested and widened until a parser gives up.
    for hostile in [
        "<testsuite tests=\"1\"><testcase name=\"a\">".to_owned(),
        "<testsuite>".repeat(100_000),
        format!(
            "<testsuite {}/>",
            (0..100_000)
                .map(|at| format!("a{at}=\"\" "))
                .collect::<Vec<_>>()
                .concat()
        ),
        "<testsuite ".repeat(1 << 18),
        format!(
            "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"{}\">]><testsuite name=\"&b;\"/>",
            "a".repeat(1000),
            "&a;".repeat(500)
        ),
    ] {
        let reports = [("r.xml".to_owned(), hostile.into_bytes())];
        let run = read(&Output {
            command: "make check",
            reports: &reports,
            ..Output::default()
        });
        assert_eq!(run.end, End::DidNotRun(Reason::ReportUnfinished));
    }
}

#[test]
fn names_do_not_hold_the_place_of_the_tree() {
    let of = |tree: &str| {
        let text = Recorded::open("jest/json")
            .text
            .replace("/w/", &format!("{tree}/"));
        read(&Output {
            command: "jest --json",
            tree,
            exit_code: 1,
            stdout: &text,
            ..Output::default()
        })
        .tests
    };
    assert_eq!(of("/verifications/one/a"), of("/verifications/two/b"));
}

#[test]
fn hostile_output_takes_little_time() {
    let started = Instant::now();
    for piece in [
        "a::b PASSED",
        "a::b PASSED\n",
        "=== 1 passed in 0.1s ===\n",
        "running 1 test\n",
        "test a ... ok\n",
        "test result: ok. 1 passed; 0 failed; 0 ignored\n",
        "--- PASS: T (0.00s)\n",
        "=== RUN   T\n",
        "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"t\"}\n",
        "ok 1 - a {\n",
        "    ",
        "# Subtest: a\n",
        "1..1\n",
        "Test Suites: 1 total\n",
        "  a\n",
        "    ✓ a\n",
        "▶ a\n",
        "----------------------------------------------------------------------\n",
        "a (b.C) ... ",
        "======================================================================\nERROR: a (b.C)\n",
        "{\n  \"stats\"",
        "{\"numTotalTests\":",
        "<testsuite>",
        "\u{1b}[",
        "\r",
        "1/1 Test #1: a ....",
        "Nextest run ID x\n",
    ] {
        let text = piece.repeat((1 << 17) / piece.len());
        let run = read(&Output {
            exit_code: 1,
            stdout: &text,
            events: Some(&text),
            key: KEY,
            reports: &[("r".to_owned(), text.clone().into_bytes())],
            ..Output::default()
        });
        assert_ne!(run.end, End::Green, "{piece}");
    }
    // Without optimisation and on a busy machine; what is quadratic takes far longer.
    assert!(started.elapsed().as_secs() < 100, "{:?}", started.elapsed());
}

proptest! {
    /// Lines of every runner in any order, cut anywhere: no panic, and never green where the exit code is not 0.
    #[test]
    fn no_text_is_too_much(parts in prop::collection::vec((any::<prop::sample::Index>(), ".{0,12}"), 0..40), exit_code in 0_i32..256, command in 0_usize..6) {
        let mut text = String::new();
        for (line, other) in parts {
            text.push_str(&LINES[line.index(LINES.len())]);
            text.push_str(&other);
            text.push('\n');
        }
        let command = ["", "pytest", "cargo test", "npm test", "go test -v", "node --test"][command];
        let reports = [("r".to_owned(), text.clone().into_bytes())];
        let run = read(&Output { command, exit_code, stdout: &text, stderr: &text, events: Some(&text), key: KEY, reports: &reports, ..Output::default() });
        prop_assert!(run.end != End::Green || exit_code == 0 && (run.passed > 0 || run.runner.is_none()));
        prop_assert!(run.end != End::Red || exit_code != 0);
    }

    #[test]
    fn no_bytes_are_too_much(text in any::<String>(), exit_code in any::<i32>()) {
        read(&Output { command: &text, tree: &text, exit_code, stdout: &text, stderr: &text, events: Some(&text), key: &text, reports: &[(text.clone(), text.clone().into_bytes())] });
    }
}
