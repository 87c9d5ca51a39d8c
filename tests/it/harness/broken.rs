//! Harnesses that break one rule each, made from our own loop by one change: each is told that rule, and no other.

use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    check, reference,
    verdicts::{Found, scenarios},
};
use crate::support::{Faults, World, schemas};

/// Scenarios in which calls hang; they take some seconds.
const HANGING: &[&str] = &["stopped", "answer_on_stop", "deaf"];

/// Scenarios that end in a failure.
const FAILING: &[&str] = &[
    "after_fix",
    "always_busy",
    "always_killed",
    "misleading_message",
    "never",
    "partial",
    "reconcile_first",
    "sequence",
    "status_zero",
    "stderr_envelope",
    "unknown_code",
];

/// Which scenarios are played.
enum Plays {
    /// All of them.
    All,
    /// All but those in which calls hang.
    Quick,
    /// These, because the harness never ends by itself.
    These(&'static [&'static str], u64),
}

use Plays::{All, Quick, These};

/// A way to break our own loop.
struct Broken {
    what: &'static str,
    /// What is replaced by what.
    changes: &'static [(&'static str, &'static str)],
    plays: Plays,
    /// The scenarios that show it, and the fault.
    shows: &'static [(&'static [&'static str], &'static str)],
}

const RUN: &str = "    run = subprocess.Popen([\"legwork\", primitive, \"--spec\", \"-\"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n";
const SEND: &str = "line, _ = run.communicate(json.dumps(fields).encode(), TIMEOUT_S)";
const READ: &str = "return json.loads(line) if line.endswith(b\"\\n\") else None";
const SAFE: &str = "not answer[\"retry_safe\"]";
const DONE: &str = "if answer and (answer[\"ok\"] or not answer[\"retry_safe\"])";
const WAIT: &str = "time.sleep(answer[\"retry\"].get(\"after_ms\", 0) / 1000 if answer else 0)";

const BROKEN: &[Broken] = &[
    Broken {
        what: "makes another call",
        changes: &[("[\"legwork\", primitive,", "[\"legwork\", \"list-jobs\",")],
        plays: These(&["success", "never"], 20),
        shows: &[(&["success", "never"], "other_call")],
    },
    Broken {
        what: "makes the calls in `next` of an answer that has none of its own",
        changes: &[(
            "        answer = once(primitive, fields)",
            "        answer = once(primitive, fields)\n        once(\"list-hosts\", {})",
        )],
        plays: These(&["success", "after_fix"], 20),
        shows: &[(&["success", "after_fix"], "other_call")],
    },
    Broken {
        what: "gives the input by a flag that there is not",
        changes: &[("\"--spec\", \"-\"", "\"--input\", \"-\"")],
        plays: These(&["success", "killed"], 20),
        shows: &[(&["success", "killed"], "call_malformed")],
    },
    Broken {
        what: "lets `echo` write the input",
        changes: &[(
            "[\"legwork\", primitive, \"--spec\", \"-\"]",
            "[\"dash\", \"-c\", 'echo \"$1\" | legwork \"$0\" --spec -', primitive, json.dumps(fields)]",
        )],
        plays: Quick,
        shows: &[(&["hostile_input"], "call_malformed")],
    },
    Broken {
        what: "trims texts of the input",
        changes: &[(
            "json.dumps(fields)",
            "json.dumps(fields).replace(\"  \", \" \")",
        )],
        plays: Quick,
        shows: &[(&["hostile_input"], "input_changed")],
    },
    Broken {
        what: "writes bytes that are no UTF-8",
        changes: &[(
            "json.dumps(fields).encode()",
            "json.dumps(fields, ensure_ascii=False).encode('latin-1', 'replace')",
        )],
        plays: Quick,
        shows: &[(&["hostile_input"], "call_malformed")],
    },
    Broken {
        what: "sends another input the second time",
        changes: &[(
            "        answer = once(primitive, fields)",
            "        answer = once(primitive, {**fields, \"dry_run\": True} if attempt else fields)",
        )],
        plays: These(&["success", "same_call", "killed"], 20),
        shows: &[(&["same_call", "killed"], "input_changed")],
    },
    Broken {
        what: "leaves standard input open",
        changes: &[(
            SEND,
            "run.stdin.write(json.dumps(fields).encode()); run.stdin.flush(); line = run.stdout.readline()",
        )],
        plays: These(&["success"], 3),
        shows: &[(&["success"], "input_open")],
    },
    Broken {
        what: "does not read standard error",
        changes: &[(
            RUN,
            "    run = subprocess.Popen([\"legwork\", primitive, \"--spec\", \"-\"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n    unread, run.stderr = run.stderr, None\n",
        )],
        plays: Quick,
        shows: &[(&["stderr_flood"], "stderr_unread")],
    },
    Broken {
        what: "waits for the end before it reads",
        changes: &[(
            SEND,
            "run.stdin.write(b'' if len(str(fields)) > 9999 else json.dumps(fields).encode()); run.stdin.close(); run.stdin = None; run.wait(TIMEOUT_S); line = run.stdout.read()",
        )],
        plays: These(
            &[
                "success",
                "same_call",
                "large_answer",
                "split_answer",
                "stderr_flood",
                "killed",
            ],
            20,
        ),
        shows: &[(&["large_answer"], "stdout_unread")],
    },
    Broken {
        what: "reads only so much and closes",
        changes: &[(
            SEND,
            "run.stdin.write(json.dumps(fields).encode()); run.stdin.close(); line = run.stdout.readline(100000); run.stdout.close(); run.wait()",
        )],
        plays: These(
            &[
                "success",
                "same_call",
                "large_answer",
                "split_answer",
                "stderr_flood",
                "killed",
            ],
            20,
        ),
        shows: &[(&["large_answer"], "stdout_unread")],
    },
    Broken {
        what: "reads once and takes that for all",
        changes: &[(
            SEND,
            "run.stdin.write(json.dumps(fields).encode()); run.stdin.close(); line = os.read(run.stdout.fileno(), 1 << 24); run.wait()",
        )],
        plays: These(&["success", "same_call", "split_answer"], 20),
        shows: &[(&["split_answer"], "repeated")],
    },
    Broken {
        what: "gives calls less time than they have",
        changes: &[("float(os.environ.get(\"LEGWORK_TIMEOUT_S\", 3600))", "0.7")],
        plays: These(&["success", "stopped", "answer_on_stop", "deaf"], 20),
        shows: &[(HANGING, "stopped_too_soon")],
    },
    Broken {
        what: "never stops a call",
        changes: &[("float(os.environ.get(\"LEGWORK_TIMEOUT_S\", 3600))", "None")],
        plays: These(
            &[
                "success",
                "split_answer",
                "stopped",
                "answer_on_stop",
                "deaf",
            ],
            6,
        ),
        shows: &[(HANGING, "not_stopped")],
    },
    Broken {
        what: "kills at once",
        changes: &[("run.terminate()", "run.kill()")],
        plays: All,
        shows: &[(HANGING, "killed_first")],
    },
    Broken {
        what: "leaves no time to answer",
        changes: &[("float(os.environ.get(\"LEGWORK_KILL_AFTER_S\", 10))", "0.1")],
        plays: All,
        shows: &[(&["stopped", "answer_on_stop"], "killed_too_soon")],
    },
    Broken {
        what: "never kills",
        changes: &[("            run.kill()\n", "")],
        plays: These(&["success", "stopped", "answer_on_stop", "deaf"], 8),
        shows: &[(&["deaf"], "not_killed")],
    },
    Broken {
        what: "gives up on a call that does not stop, and leaves it there",
        changes: &[(
            "            run.kill()\n            line, _ = run.communicate()",
            "            line = b''",
        )],
        plays: All,
        shows: &[(&["deaf"], "left_running")],
    },
    Broken {
        what: "throws away what is answered on SIGTERM",
        changes: &[(
            "            line, _ = run.communicate(timeout=KILL_AFTER_S)",
            "            run.communicate(timeout=KILL_AFTER_S)\n            line = b''",
        )],
        plays: All,
        shows: &[(&["answer_on_stop"], "repeated")],
    },
    Broken {
        what: "takes a call that ran out of time for failed for good",
        changes: &[(
            READ,
            "return json.loads(line) if line.endswith(b\"\\n\") else sys.exit(1)",
        )],
        plays: All,
        shows: &[(
            &[
                "always_killed",
                "cut_line",
                "deaf",
                "input_unread",
                "killed",
            ],
            "not_repeated",
        )],
    },
    Broken {
        what: "takes half a line for a line",
        changes: &[(READ, "return json.loads(line) if line else None")],
        plays: Quick,
        shows: &[(&["cut_line"], "not_repeated")],
    },
    Broken {
        what: "never sends a call again",
        changes: &[("attempts=5", "attempts=1")],
        plays: All,
        shows: &[(
            &[
                "after",
                "always_busy",
                "always_killed",
                "cut_line",
                "deaf",
                "effect_unknown",
                "input_unread",
                "killed",
                "misleading_message",
                "same_call",
                "status_zero",
                "stopped",
                "unknown_code",
                "unknown_fields",
            ],
            "not_repeated",
        )],
    },
    Broken {
        what: "knows codes, not retry",
        changes: &[(
            SAFE,
            "answer[\"error_code\"] not in (\"store_busy\", \"deadline_exceeded\", \"cancelled\")",
        )],
        plays: Quick,
        shows: &[(&["unknown_code"], "not_repeated")],
    },
    Broken {
        what: "refuses fields that it does not know",
        changes: &[(
            READ,
            "answer = json.loads(line) if line.endswith(b\"\\n\") else None\n    return sys.exit(1) if answer and \"later\" in answer else answer",
        )],
        plays: Quick,
        shows: &[(&["unknown_fields"], "not_repeated")],
    },
    Broken {
        what: "stops where the effect is unknown, whatever retry says",
        changes: &[(
            SAFE,
            "(not answer[\"retry_safe\"] or answer[\"effect\"] == \"unknown\")",
        )],
        plays: Quick,
        shows: &[(&["effect_unknown"], "not_repeated")],
    },
    Broken {
        what: "goes by the exit status",
        changes: &[
            (
                READ,
                "answer = json.loads(line) if line.endswith(b\"\\n\") else None\n    return answer and {**answer, \"ok\": run.returncode == 0}",
            ),
            (
                "    print(json.dumps(answer))",
                "    print(json.dumps({**answer, \"ok\": \"data\" in answer}))",
            ),
            (
                "if answer and answer[\"ok\"] else 1",
                "if answer and \"data\" in answer else 1",
            ),
            (
                "or not answer[\"retry_safe\"]",
                "or not answer.get(\"retry_safe\", True)",
            ),
            (WAIT, "pass"),
        ],
        plays: These(
            &[
                "success",
                "same_call",
                "status_zero",
                "killed_after_answer",
                "never",
            ],
            20,
        ),
        shows: &[
            (&["status_zero"], "not_repeated"),
            (&["killed_after_answer"], "repeated"),
        ],
    },
    Broken {
        what: "goes by the message",
        changes: &[(
            SAFE,
            "\"try again\" not in answer[\"message\"] and not answer[\"retry_safe\"]",
        )],
        plays: Quick,
        shows: &[(&["misleading_message"], "repeated")],
    },
    Broken {
        what: "reads the line as text",
        changes: &[(
            SAFE,
            "'\"retry_safe\": true' not in json.dumps(answer).replace('\\\\', '') and '\"retry_safe\":true' not in json.dumps(answer).replace('\\\\', '')",
        )],
        plays: Quick,
        shows: &[(&["misleading_message"], "repeated")],
    },
    Broken {
        what: "sends every failure again that is not for ever",
        changes: &[(
            SAFE,
            "answer[\"retry\"][\"mode\"] in (\"never\", \"sequence\", \"reconcile_first\")",
        )],
        plays: Quick,
        shows: &[(
            &[
                "after_fix",
                "status_zero",
                "stderr_envelope",
                "unknown_code",
            ],
            "repeated",
        )],
    },
    Broken {
        what: "sends again what can never succeed",
        changes: &[(
            SAFE,
            "not (answer[\"retry_safe\"] or answer[\"retry\"][\"mode\"] == \"never\")",
        )],
        plays: Quick,
        shows: &[(&["misleading_message", "never"], "repeated")],
    },
    Broken {
        what: "takes a failed job for a failed call",
        changes: &[
            (
                DONE,
                "if answer and (answer[\"ok\"] and '\"failed\"' not in json.dumps(answer) or not answer.get(\"retry_safe\", True))",
            ),
            (
                "answer[\"retry\"].get(\"after_ms\", 0)",
                "answer.get(\"retry\", {}).get(\"after_ms\", 0)",
            ),
        ],
        plays: Quick,
        shows: &[(&["failed_job"], "repeated")],
    },
    Broken {
        what: "does not find out first what became of a call",
        changes: &[(
            SAFE,
            "answer[\"retry\"][\"mode\"] in (\"never\", \"after_fix\")",
        )],
        plays: Quick,
        shows: &[(
            &["partial", "reconcile_first", "sequence"],
            "not_reconciled",
        )],
    },
    Broken {
        what: "reads standard error with standard output",
        changes: &[
            (
                RUN,
                "    run = subprocess.Popen([\"legwork\", primitive, \"--spec\", \"-\"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n",
            ),
            (
                READ,
                "return json.loads(line.splitlines()[-1]) if line.endswith(b\"\\n\") else None",
            ),
        ],
        plays: Quick,
        shows: &[
            (&["stderr_envelope"], "answer_changed"),
            (&["stderr_flood"], "no_answer"),
        ],
    },
    Broken {
        what: "does not wait",
        changes: &[(WAIT, "pass")],
        plays: These(&["success", "same_call", "after"], 20),
        shows: &[(&["after"], "too_soon")],
    },
    Broken {
        what: "waits as long as the first answer said",
        changes: &[(
            WAIT,
            "wait = attempt and wait or answer[\"retry\"].get(\"after_ms\", 0) / 1000 if answer else 0; time.sleep(wait)",
        )],
        plays: Quick,
        shows: &[(&["after"], "too_soon")],
    },
    Broken {
        what: "takes milliseconds for seconds",
        changes: &[(" / 1000 if answer", " / 50 if answer")],
        plays: These(&["success", "same_call", "after"], 20),
        shows: &[(&["after"], "too_late")],
    },
    Broken {
        what: "never gives up",
        changes: &[("attempts=5", "attempts=10 ** 9")],
        plays: Quick,
        shows: &[(&["always_busy", "always_killed"], "endless")],
    },
    Broken {
        what: "does not end",
        changes: &[(
            "    sys.exit(",
            "    sys.stdout.flush()\n    time.sleep(600)\n    sys.exit(",
        )],
        plays: These(&["success", "never"], 2),
        shows: &[(&["success", "never"], "unfinished")],
    },
    Broken {
        what: "says nothing",
        changes: &[(
            "        print(json.dumps(answer))",
            "        print(\"done\")",
        )],
        plays: These(&["success", "same_call", "never", "always_killed"], 20),
        shows: &[(&["success", "same_call", "never"], "no_answer")],
    },
    Broken {
        what: "leaves out what it does not know",
        changes: &[(
            "print(json.dumps(answer))",
            "print(json.dumps({name: answer[name] for name in answer if name != \"later\"}))",
        )],
        plays: Quick,
        shows: &[(&["unknown_fields"], "answer_changed")],
    },
    Broken {
        what: "reads bytes as Latin-1",
        changes: &[("json.loads(line)", "json.loads(line.decode('latin-1'))")],
        plays: Quick,
        shows: &[(
            &["cut_line", "split_answer", "stderr_flood"],
            "answer_changed",
        )],
    },
    Broken {
        what: "always exits with 0",
        changes: &[(
            "sys.exit(0 if answer and answer[\"ok\"] else 1)",
            "sys.exit(0)",
        )],
        plays: Quick,
        shows: &[(FAILING, "status_wrong")],
    },
    Broken {
        what: "never exits with 0",
        changes: &[(
            "sys.exit(0 if answer and answer[\"ok\"] else 1)",
            "sys.exit(1)",
        )],
        plays: These(&["success", "same_call", "never"], 20),
        shows: &[(&["success", "same_call"], "status_wrong")],
    },
];

impl Broken {
    /// Writes the harness and checks it.
    fn found(&self, world: &World) -> Found {
        let mut text = reference("call.py");
        for (from, to) in self.changes {
            assert!(text.contains(from), "{}: {from}", self.what);
            text = text.replace(from, to);
        }
        let file = world.path("harness.py");
        fs::write(&file, text).expect("a harness");
        let all = scenarios();
        let (chosen, limit_s): (Vec<&str>, u64) = match self.plays {
            All => (Vec::new(), 20),
            Quick => {
                let quick = all.iter().map(String::as_str);
                (quick.filter(|name| !HANGING.contains(name)).collect(), 20)
            }
            These(names, limit_s) => (names.to_vec(), limit_s),
        };
        check(
            world,
            &format!("python3 {}", file.display()),
            &chosen,
            limit_s,
        )
        .faults
    }

    fn expected(&self) -> Found {
        self.shows
            .iter()
            .flat_map(|(scenarios, fault)| {
                let faults = BTreeSet::from([(*fault).to_owned()]);
                scenarios
                    .iter()
                    .map(move |scenario| ((*scenario).to_owned(), faults.clone()))
            })
            .collect()
    }
}

#[test]
fn each_broken_harness_is_told_its_fault_and_no_other() {
    let faults = Faults::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(broken) = BROKEN.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (found, expected) = (broken.found(&World::new()), broken.expected());
                    faults.unless(found == expected, || {
                        format!(
                            "{}:\n    found {found:?}\n    expected {expected:?}",
                            broken.what
                        )
                    });
                }
            });
        }
    });
    faults.none();
}

#[test]
fn every_scenario_and_every_fault_has_a_harness_that_shows_it() {
    let shown =
        |of: fn(&(&'static [&'static str], &'static str)) -> Vec<&'static str>| -> BTreeSet<&str> {
            BROKEN
                .iter()
                .flat_map(|broken| broken.shows)
                .flat_map(of)
                .collect()
        };
    let played = shown(|(scenarios, _)| scenarios.to_vec());
    let missing: Vec<String> = scenarios()
        .into_iter()
        .filter(|name| !played.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no harness fails in {missing:?}");
    let told = shown(|(_, fault)| vec![fault]);
    let schema = schemas::schema("check-harness.output");
    let missing: Vec<&str> = schema["$defs"]["Fault"]["oneOf"]
        .as_array()
        .expect("the faults")
        .iter()
        .filter_map(|fault| fault["const"].as_str())
        // It is told in `ending`, for nothing else can be played then.
        .filter(|fault| !told.contains(fault) && *fault != "not_called")
        .collect();
    assert!(missing.is_empty(), "no harness is told {missing:?}");
}
