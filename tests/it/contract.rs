//! What every caller may rely on: one line, its codes and exit statuses, whatever happens.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    io::Read as _,
    os::unix::{ffi::OsStringExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use legwork::{contract::Code, registry::ALL};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::support::{
    Faults, World, at_once, await_catching, data, run_in_own_mounts, schemas, signal, start,
};

/// Sends a call and returns its envelope, which keeps the contract.
#[track_caller]
fn sound(command: &mut Command) -> (Value, Output) {
    let output = command.output().expect("legwork starts");
    let (answer, faults) = schemas::judge(&output);
    assert!(faults.is_empty(), "{faults:#?}\n{answer}");
    (answer, output)
}

#[track_caller]
fn refused(world: &World, arguments: &[&str]) -> Value {
    let (answer, _) = sound(&mut world.legwork_command(arguments));
    assert_eq!(answer["ok"], false, "{answer}");
    answer
}

/// Returns the violation at a pointer.
#[track_caller]
fn violation(answer: &Value, pointer: &str) -> Value {
    let found = answer["details"]["violations"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|violation| violation["pointer"] == pointer);
    found
        .cloned()
        .unwrap_or_else(|| panic_with(&format!("no violation at {pointer:?} in {answer}")))
}

#[track_caller]
#[expect(clippy::panic, reason = "a test fails by panicking")]
fn panic_with(message: &str) -> ! {
    panic!("{message}")
}

/// One kept call and the answer it got when it was kept.
#[derive(Debug, Deserialize)]
struct Exchange {
    arguments: Vec<String>,
    answer: Value,
}

#[test]
fn frozen_requests_get_answers_of_the_frozen_shape() {
    let faults = Faults::default();
    let mut count = 0;
    for file in frozen("exchanges") {
        let text = fs::read_to_string(&file).expect("kept exchanges");
        let exchanges: Vec<Exchange> = serde_json::from_str(&text).expect("exchanges");
        let world = World::new();
        for Exchange { arguments, answer } in exchanges {
            count += 1;
            let name = format!("{} {arguments:?}", file.display());
            for fault in schemas::faults("envelope", &answer) {
                faults.note(format!("{name}: the kept answer: {fault}"));
            }
            let (now, broken) = schemas::judge(
                &world
                    .legwork_command(&arguments)
                    .output()
                    .expect("legwork starts"),
            );
            for fault in broken {
                faults.note(format!("{name}: {fault}"));
            }
            for field in [
                "ok",
                "v",
                "primitive",
                "effect",
                "error_code",
                "kind",
                "retry",
            ] {
                faults.unless(now[field] == answer[field], || {
                    format!(
                        "{name}: {field} was {}, and is {}",
                        answer[field], now[field]
                    )
                });
            }
            shrunk(&answer, &now, "", &mut |fault| {
                faults.note(format!("{name}: {fault}"));
            });
        }
    }
    assert!(count >= 12, "only {count} kept exchanges were found");
    faults.none();
}

fn frozen(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(data("contract/v1").join(folder))
        .expect("what was kept")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Tells where a value lacks what an older one had, or has it with another type.
fn shrunk(old: &Value, new: &Value, pointer: &str, tell: &mut impl FnMut(String)) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, field) in old {
                let below = format!("{pointer}/{name}");
                match new.get(name) {
                    Some(other) => shrunk(field, other, &below, tell),
                    None => tell(format!("{below} is gone")),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            if let (Some(old), Some(new)) = (old.first(), new.first()) {
                shrunk(old, new, &format!("{pointer}/0"), tell);
            }
        }
        (Value::Null, _) => {}
        _ if std::mem::discriminant(old) == std::mem::discriminant(new) => {}
        _ => tell(format!("{pointer} was {old} and is {new}")),
    }
}

#[test]
fn comparing_shapes_finds_what_is_gone_and_what_changed() {
    let old = json!({"a": {"b": [{"c": 1}]}, "d": "x", "e": null});
    let mut told = Vec::new();
    shrunk(&old, &old, "", &mut |fault| told.push(fault));
    assert!(told.is_empty(), "{told:?}");
    let new = json!({"a": {"b": [{"z": 1}]}, "d": 1, "e": 2, "more": true});
    shrunk(&old, &new, "", &mut |fault| told.push(fault));
    assert_eq!(told.len(), 2, "{told:?}");
}

/// What is frozen of a failure code.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FrozenCode {
    kind: String,
    exit_code: u8,
    details: Vec<String>,
}

/// What is frozen of a primitive.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct FrozenPrimitive {
    /// Fields that inputs may have, and whether they must.
    input: BTreeMap<String, bool>,
    /// Fields that outputs have, and whether always.
    output: BTreeMap<String, bool>,
}

/// Reads what was frozen, or with `UPDATE=1` adds to it what is new; nothing that is there is ever changed.
pub(crate) fn frozen_map<T: Serialize + for<'a> Deserialize<'a>>(
    name: &str,
    now: BTreeMap<String, T>,
) -> BTreeMap<String, T> {
    let path = data("contract/v1").join(name);
    let mut kept: BTreeMap<String, T> = fs::read_to_string(&path)
        .map(|text| serde_json::from_str(&text).expect("what was kept"))
        .unwrap_or_default();
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        for (name, value) in now {
            kept.entry(name).or_insert(value);
        }
        let text = serde_json::to_string_pretty(&kept).expect("JSON");
        fs::write(&path, format!("{text}\n")).expect("what is kept");
    }
    kept
}

#[test]
fn codes_are_only_added() {
    let now = || -> BTreeMap<String, FrozenCode> {
        Code::ALL
            .iter()
            .map(|code| {
                let kind = serde_json::to_value(code.kind()).expect("a kind");
                let details = code.shape().schema().to_value();
                let frozen = FrozenCode {
                    kind: kind.as_str().unwrap_or_default().to_owned(),
                    exit_code: code.kind().exit_code(None),
                    details: details["properties"]
                        .as_object()
                        .map(|fields| fields.keys().cloned().collect())
                        .unwrap_or_default(),
                };
                (code.name().to_owned(), frozen)
            })
            .collect()
    };
    let faults = Faults::default();
    let kept = frozen_map("codes.json", now());
    let now = now();
    assert!(kept.len() > 50, "the kept codes were not found");
    for (name, old) in &kept {
        let Some(new) = now.get(name) else {
            faults.note(format!("the code {name} is gone"));
            continue;
        };
        faults.unless(
            (&new.kind, new.exit_code) == (&old.kind, old.exit_code),
            || format!("{name} was {old:?} and is {new:?}"),
        );
        for field in &old.details {
            faults.unless(new.details.contains(field), || {
                format!("the details of {name} have lost {field}")
            });
        }
    }
    for name in now.keys() {
        faults.unless(kept.contains_key(name), || {
            format!("{name} is new: add it with UPDATE=1")
        });
    }
    // The list itself is complete: the schema is made from the enum, and knows each of its variants.
    let schema = schemas::schema("envelope")["$defs"]["Code"]["anyOf"][0]["oneOf"]
        .as_array()
        .expect("the codes in the schema");
    faults.unless(schema.len() == Code::ALL.len(), || {
        format!(
            "{} codes, of which {} are listed",
            schema.len(),
            Code::ALL.len()
        )
    });
    faults.none();
}

#[test]
fn kinds_are_closed() {
    let kinds: Vec<&str> = schemas::schema("envelope")["$defs"]["Kind"]["oneOf"]
        .as_array()
        .expect("the kinds in the schema")
        .iter()
        .filter_map(|option| option["const"].as_str())
        .collect();
    let expected = [
        "invalid_argument",
        "not_found",
        "already_exists",
        "failed_precondition",
        "permission_denied",
        "aborted",
        "unavailable",
        "deadline_exceeded",
        "unauthenticated",
        "resource_exhausted",
        "internal",
        "data_loss",
        "cancelled",
    ];
    assert_eq!(kinds, expected);
    for code in Code::ALL {
        let kind = serde_json::to_value(code.kind()).expect("a kind");
        let exits = schemas::exits(kind.as_str().unwrap_or_default());
        assert!(
            exits.contains(&i32::from(code.kind().exit_code(None))),
            "{}",
            code.name()
        );
        assert_eq!(
            code.retry().after_ms.is_some(),
            serde_json::to_value(code.retry().mode).expect("a mode") == "after",
            "{}",
            code.name()
        );
    }
}

#[test]
fn fields_are_only_added() {
    let fields = |schema: Value| -> BTreeMap<String, bool> {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| (name.clone(), required.contains(&json!(name))))
            .collect()
    };
    let now = || -> BTreeMap<String, FrozenPrimitive> {
        ALL.iter()
            .map(|entry| {
                let frozen = FrozenPrimitive {
                    input: fields((entry.about.input_schema)().to_value()),
                    output: fields((entry.about.output_schema)().to_value()),
                };
                (entry.about.name.to_owned(), frozen)
            })
            .collect()
    };
    let faults = Faults::default();
    let kept = frozen_map("primitives.json", now());
    let now = now();
    for (name, old) in &kept {
        let Some(new) = now.get(name) else {
            faults.note(format!("the primitive {name} is gone"));
            continue;
        };
        for field in old.input.keys() {
            faults.unless(new.input.contains_key(field), || {
                format!("{name} takes no {field} any more")
            });
        }
        for (field, required) in &new.input {
            let before = old.input.get(field).copied().unwrap_or(false);
            faults.unless(!required || before, || {
                format!("{name} now demands {field}")
            });
        }
        for (field, always) in &old.output {
            faults.unless(
                new.output.get(field).is_some_and(|now| *now || !always),
                || format!("{name} does not always return {field} any more"),
            );
        }
    }
    for name in now.keys() {
        faults.unless(kept.contains_key(name), || {
            format!("{name} is new: add it with UPDATE=1")
        });
    }
    faults.none();
}

#[test]
fn names_that_are_nearly_right_get_a_hint() {
    let world = World::new();
    let answer = refused(&world, &["list-host"]);
    assert_eq!(answer["error_code"], "unknown_primitive");
    assert_eq!(answer["kind"], "not_found");
    assert_eq!(answer["primitive"], "");
    assert_eq!(answer["details"]["did_you_mean"], "list-hosts");
    let answer = refused(&world, &["add-host", "--naem", "x"]);
    assert_eq!(violation(&answer, "/naem")["expected"], "--name");
    assert_eq!(answer["primitive"], "add-host");
    let answer = refused(
        &world,
        &["add-host", "--json", r#"{"name":"x","destinaton":"y"}"#],
    );
    assert_eq!(violation(&answer, "/destinaton")["expected"], "destination");
    let answer = refused(&world, &[]);
    assert_eq!(answer["error_code"], "unknown_primitive");
}

#[test]
fn all_violations_come_at_once() {
    let world = World::new();
    let input = json!({"name": "-rf", "destination": 7, "path": "x", "dry_run": "yes", "zz": 1});
    let answer = refused(&world, &["add-host", "--json", &input.to_string()]);
    for pointer in ["/name", "/destination", "/path", "/dry_run", "/zz"] {
        violation(&answer, pointer);
    }
    assert_eq!(answer["error_code"], "spec_invalid");
    assert_eq!(answer["retry"]["mode"], "never");
    let answer = refused(&world, &["add-host"]);
    assert_eq!(violation(&answer, "")["keyword"], "required");
    assert_eq!(
        schemas::faults("add-host.input", &answer["details"]["skeleton"]),
        [""; 0]
    );
}

#[test]
fn text_with_nul_or_bytes_that_are_no_text_is_refused() {
    let world = World::new();
    let answer = refused(&world, &["add-host", "--json", r#"{"name":"a\u0000b"}"#]);
    assert_eq!(answer["error_code"], "spec_invalid");
    let answer = refused(
        &world,
        &["add-host", "--json", r#"{"name":"a","path":["\u0000"]}"#],
    );
    assert_eq!(violation(&answer, "/path/0")["keyword"], "nul");
    let bytes = |text: &[u8]| OsString::from_vec(text.to_vec());
    let (answer, _) =
        sound(&mut world.legwork_command([bytes(b"add-host"), bytes(b"--name"), bytes(b"a\xff")]));
    assert_eq!(violation(&answer, "/name")["keyword"], "utf8");
    for arguments in [
        vec![bytes(b"\xff\xfe")],
        vec![bytes(b"add-host"), bytes(b"--\xff"), bytes(b"x")],
        vec![bytes(b"add-host"), bytes(b"--json"), bytes(b"{\"\xff\"}")],
        vec![bytes(b"add-host"), bytes(b"--spec"), bytes(b"/\xff")],
        vec![bytes(b"\xff"), bytes(b"--help")],
    ] {
        let (answer, _) = sound(&mut world.legwork_command(&arguments));
        assert_eq!(answer["ok"], false, "{arguments:?}");
        assert_ne!(answer["kind"], "internal", "{answer}");
    }
}

#[test]
fn a_spec_that_cannot_be_read_is_said_to_be_so() {
    let world = World::new();
    let write = |name: &str, bytes: &[u8]| {
        let path = world.path(name);
        fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let huge = world.path("huge");
    File::create(&huge)
        .and_then(|file| file.set_len((64 << 20) + 1))
        .expect("a sparse file");
    let deep = "[".repeat(100_000);
    for spec in [
        world.path("nothing").display().to_string(),
        world.path("").display().to_string(),
        write("words", b"not JSON"),
        write("cut", b"{\"full\": tr"),
        write("bytes", b"{\"full\": \"\xff\"}"),
        write("array", b"[]"),
        write("empty", b""),
        write("two", b"{} {}"),
        write("deep", format!("{{\"x\":{deep}").as_bytes()),
        huge.display().to_string(),
        "/dev/null".to_owned(),
        String::new(),
        "x".repeat(5000),
    ] {
        let answer = refused(&world, &["capabilities", "--spec", &spec]);
        assert_eq!(answer["error_code"], "spec_unreadable", "{spec:.80}");
        let path = answer["details"]["path"].as_str().unwrap_or_default();
        // A path that is longer than any system takes is cut.
        assert_eq!(
            path.get(..4000).unwrap_or(path),
            spec.get(..4000).unwrap_or(&spec)
        );
    }
    for text in ["", "x", "[]", "1", "null", "{", "{} {}", "\"", &deep] {
        let answer = refused(&world, &["capabilities", "--json", text]);
        assert_eq!(answer["error_code"], "spec_invalid", "{text:.80}");
    }
    let output = world.legwork_with_input(["capabilities", "--spec", "-"], b"{\"full\": true}");
    assert!(output.at("/limits").is_object());
    let output = world.legwork_with_input(["capabilities", "--spec", "-"], b"\xff");
    assert_eq!(output.error_code(), "spec_unreadable");
}

#[test]
fn an_input_is_checked_without_being_run() {
    let world = World::new();
    let check = |input: Value| {
        let question = json!({"primitive": "add-host", "input": input});
        world
            .legwork(["check-input", "--json", &question.to_string()])
            .ok()
    };
    let good = check(json!({"name": "box", "destination": "me@box.example.org"}));
    assert_eq!(good.at("/valid"), true);
    let bad = check(json!({"name": "box", "destinatoin": "me@box.example.org"}));
    assert_eq!(bad.at("/valid"), false);
    assert_eq!(bad.text("/violations/0/pointer"), "/destinatoin");
    let hosts = world.legwork(["list-hosts"]).ok();
    assert!(!hosts.line().contains("box.example.org"));
}

#[test]
fn flags_win_over_json_and_json_over_the_file() {
    let world = World::new();
    let spec = world.path("spec.json");
    fs::write(&spec, r#"{"primitive": "get-config"}"#).expect("a file");
    let spec = spec.display().to_string();
    let json = r#"{"primitive": "check-config"}"#;
    let named = |arguments: &[&str]| {
        let all = [&["describe", "--spec", &spec], arguments].concat();
        world.legwork(all).ok().text("/primitive")
    };
    assert_eq!(named(&[]), "get-config");
    assert_eq!(named(&["--json", json]), "check-config");
    assert_eq!(
        named(&["--json", json, "--primitive", "check-store"]),
        "check-store"
    );
    assert_eq!(named(&["--primitive=check-store"]), "check-store");
}

#[test]
fn help_and_version_are_for_people() {
    let world = World::new();
    for arguments in [
        &["--help"][..],
        &["help"],
        &["--version"],
        &["capabilities", "--help"],
        &["help", "capabilities"],
    ] {
        let output = world
            .legwork_command(arguments)
            .output()
            .expect("legwork starts");
        assert!(output.status.success() && !output.stdout.is_empty());
        assert!(serde_json::from_slice::<Value>(&output.stdout).is_err());
    }
    assert_eq!(
        refused(&world, &["no-such", "--help"])["error_code"],
        "unknown_primitive"
    );
}

#[test]
fn a_closed_stdout_ends_the_call_quietly() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = world
        .legwork_command(["capabilities"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .expect("legwork starts");
    assert_eq!(output.status.code(), Some(0), "{:?}", output.status);
    assert_eq!(output.stderr, b"", "quietly");
    let script = format!(
        "'{}' capabilities >&-; echo $?; '{0}' capabilities <&- 2>&- | wc -l",
        env!("CARGO_BIN_EXE_legwork")
    );
    let output = world
        .command("sh")
        .args(["-c", &script])
        .output()
        .expect("sh starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3\n1\n");
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let world = World::new();
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full")
    };
    let status = world
        .legwork_command(["capabilities"])
        .stdout(full())
        .stderr(Stdio::null())
        .status()
        .expect("legwork starts");
    assert_eq!(status.code(), Some(3));
    // Logs that cannot be written are no failure.
    let mut command = world.legwork_command(["list-hosts"]);
    command.env("LEGWORK_LOG", "trace").stderr(full());
    let (answer, _) = sound(&mut command);
    assert_eq!(answer["ok"], true);
}

/// Starts a call that cannot end by itself, sends a signal and returns how it ended.
fn interrupt(mut command: Command, number: i32) -> (Value, Output) {
    let mut child = start(&mut command);
    await_catching(child.id(), number);
    thread::sleep(Duration::from_millis(100));
    assert!(
        child.try_wait().expect("its state").is_none(),
        "it ended early"
    );
    signal(child.id(), number);
    let output = child.wait_with_output().expect("it ends");
    let (answer, faults) = schemas::judge(&output);
    assert!(faults.is_empty(), "{faults:#?}");
    (answer, output)
}

#[test]
fn a_signal_gets_one_line_and_its_own_status() {
    let world = World::new();
    world.legwork(["check-store"]).ok();
    let fifo = world.fifo();
    let lock = Connection::open(world.path("state/legwork/legwork.db")).expect("the database");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    for (number, signal) in [(2, "SIGINT"), (15, "SIGTERM"), (1, "SIGHUP")] {
        let waiting_for_input = world.legwork_command(["capabilities", "--spec", &fifo]);
        let waiting_for_the_lock = world.legwork_command(["add-host", "--name", "box"]);
        for (command, name) in [
            (waiting_for_input, "capabilities"),
            (waiting_for_the_lock, "add-host"),
        ] {
            let (answer, output) = interrupt(command, number);
            assert_eq!(output.status.code(), Some(128 + number), "{signal}");
            assert_eq!(output.status.signal(), None);
            assert_eq!(answer["error_code"], "cancelled");
            assert_eq!(answer["kind"], "cancelled");
            assert_eq!(answer["primitive"], name);
            assert_eq!(answer["details"]["signal"], signal);
            assert_eq!(answer["retry"]["mode"], "same_call");
        }
    }
    drop(lock);
    world.legwork(["add-host", "--name", "box"]).ok();
}

#[test]
fn a_database_that_stays_locked_is_busy() {
    let world = World::new();
    world.legwork(["check-store"]).ok();
    let lock = Connection::open(world.path("state/legwork/legwork.db")).expect("the database");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    let answer = refused(&world, &["add-host", "--name", "box"]);
    assert_eq!(answer["error_code"], "store_busy");
    assert_eq!(answer["effect"], "none");
    assert_eq!(answer["retry"]["mode"], "after");
    drop(lock);
    world.legwork(["add-host", "--name", "box"]).ok();
}

#[test]
fn a_panic_is_answered_as_a_bug() {
    let mut world = World::new();
    world.set("LEGWORK_FAILPOINT", "panic:call.checked");
    let (answer, output) = sound(&mut world.legwork_command(["list-hosts"]));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(answer["error_code"], "internal");
    assert_eq!(answer["primitive"], "list-hosts");
    world.killed("call.checked", ["list-hosts"]);
}

#[test]
fn logs_are_json_lines_on_stderr() {
    let mut world = World::new();
    world.set("LEGWORK_LOG", "trace");
    world.set("LEGWORK_FAILPOINT", "panic:call.checked");
    let (_, output) = sound(&mut world.legwork_command(["list-hosts"]));
    let logs = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!logs.is_empty(), "a panic is logged");
    for line in logs.lines() {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(
            event["level"].is_string() && event["timestamp"].is_string(),
            "{line}"
        );
    }
    for level in ["off", "=", "nonsense,,=", "debug,legwork=trace"] {
        world.set("LEGWORK_LOG", level);
        let (_, output) = sound(&mut world.legwork_command(["capabilities"]));
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            serde_json::from_str::<Map<String, Value>>(line).expect("a line of JSON");
        }
    }
}

#[test]
fn a_state_folder_that_cannot_be_made_is_named() {
    let mut world = World::new();
    let file = world.path("file");
    fs::write(&file, "").expect("a file");
    for home in [
        file.clone(),
        file.join("below"),
        PathBuf::from("/proc/nothing/below"),
        PathBuf::from("/dev/null"),
    ] {
        world.set("LEGWORK_HOME", home.display().to_string());
        for name in ["check-store", "list-hosts"] {
            let answer = refused(&world, &[name]);
            assert_eq!(
                answer["error_code"],
                "home_unwritable",
                "{}",
                home.display()
            );
            assert_eq!(answer["effect"], "none");
            let path = answer["details"]["path"].as_str().unwrap_or_default();
            assert!(Path::new(path).starts_with(&home), "{path}");
        }
        sound(&mut world.legwork_command(["capabilities"]));
    }
    world.unset("LEGWORK_HOME");
    world.unset("XDG_STATE_HOME");
    for home in [file, PathBuf::from("/proc/nothing")] {
        world.set("HOME", home.display().to_string());
        let answer = refused(&world, &["check-store"]);
        assert_eq!(answer["error_code"], "home_unwritable");
    }
    world.unset("HOME");
    let home = world.legwork(["get-config"]).ok().text("/home");
    assert!(
        home.starts_with('/') && home.ends_with("/.local/state/legwork"),
        "{home}"
    );
    // A base folder that is not absolute is to be ignored, says the specification.
    world.set("HOME", "/proc/nothing");
    world.set("XDG_STATE_HOME", "here");
    let home = world.legwork(["get-config"]).ok().text("/home");
    assert_eq!(home, "/proc/nothing/.local/state/legwork");
}

#[test]
fn a_state_folder_need_not_be_text() {
    let world = World::new();
    let mut name = world.path("state").into_os_string().into_vec();
    name.extend(b"/\xff\xfe");
    let home = PathBuf::from(OsString::from_vec(name));
    let mut command = world.legwork_command(["add-host", "--name", "box"]);
    command.env("LEGWORK_HOME", &home);
    let (answer, _) = sound(&mut command);
    assert_eq!(answer["ok"], true, "{answer}");
    assert!(home.join("legwork.db").is_file());
    assert!(!world.path("state/legwork").exists());
    assert!(!world.home().join(".local").exists());
}

#[test]
fn a_disk_that_is_full_or_read_only_is_said_to_be_so() {
    let mut world = World::new();
    world.set(
        "LEGWORK_HOME",
        world.path("mounted/legwork").display().to_string(),
    );
    let read_only = run_in_own_mounts(
        &world,
        "mount -t tmpfs -o ro tmpfs \"$2\" && exec \"$1\" check-store",
    );
    let (answer, faults) = schemas::judge(&read_only);
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(answer["error_code"], "home_unwritable", "{answer}");
    for kilobytes in [4, 16, 64, 128, 192, 256] {
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k tmpfs \"$2\" && exec \"$1\" add-host --name box"
        );
        let (answer, faults) = schemas::judge(&run_in_own_mounts(&world, &script));
        assert!(faults.is_empty(), "{kilobytes}: {faults:#?}");
        if answer["ok"] != true {
            assert_eq!(answer["error_code"], "disk_full", "{kilobytes}: {answer}");
            assert_eq!(answer["kind"], "resource_exhausted");
        }
        if kilobytes <= 64 {
            assert_eq!(answer["ok"], false, "{answer}");
        }
    }
    // A disk that fills up later loses nothing that was acknowledged.
    let script = "mount -t tmpfs -o size=1m tmpfs \"$2\" && \"$1\" add-host --name box >/dev/null && \
         { cat /dev/zero >\"$2/fill\" 2>/dev/null; \"$1\" add-host --name other; \
           rm \"$2/fill\"; \"$1\" list-hosts; }";
    let output = run_in_own_mounts(&world, script);
    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let [full, after] = lines.as_slice() else {
        panic_with(&format!("{lines:?}"))
    };
    assert_eq!(full["error_code"], "disk_full", "{full}");
    assert_eq!(full["effect"], "none", "{full}");
    let names: Vec<&Value> = after["data"]["hosts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|host| &host["name"])
        .collect();
    assert!(
        names.contains(&&json!("box")) && !names.contains(&&json!("other")),
        "{after}"
    );
}

#[test]
fn a_configuration_that_is_no_regular_file_is_refused_at_once() {
    let mut world = World::new();
    let fifo = PathBuf::from(world.fifo());
    let circle = world.path("circle");
    std::os::unix::fs::symlink(&circle, &circle).expect("a link to itself");
    for place in [fifo.clone(), circle, world.path("")] {
        let place = place.display().to_string();
        world.set("LEGWORK_CONFIG", place.clone());
        let since = Instant::now();
        assert_eq!(
            refused(&world, &["get-config"])["error_code"],
            "config_unreadable"
        );
        world.legwork(["capabilities"]).ok();
        let checked = refused(&world, &["check-config", "--path", &place]);
        assert_eq!(checked["error_code"], "config_unreadable");
        assert!(since.elapsed() < Duration::from_secs(10), "{place}");
    }
    // Nothing at all is a configuration, and so is a host's ssh configuration that nobody ever writes into.
    world.set("LEGWORK_CONFIG", "/dev/null".to_owned());
    fs::create_dir_all(world.home().join(".ssh")).expect("a folder");
    fs::rename(&fifo, world.home().join(".ssh/config")).expect("the pipe");
    world.legwork(["list-hosts"]).ok();
}

#[test]
fn a_broken_configuration_is_shown_whole() {
    let mut world = World::new();
    let file = world.path("config.toml");
    let broken: &[(&[u8], &str, &str)] = &[
        (b"[hosts", "", "syntax"),
        (b"a = \xff", "", "encoding"),
        (
            b"[hosts.box]\ndestinaton = 'x'\n",
            "/hosts/box/destinaton",
            "additionalProperties",
        ),
        (b"[host.box]\n", "/host", "additionalProperties"),
        (
            b"[ssh]\nconnect_timeout_s = 'long'\n",
            "/ssh/connect_timeout_s",
            "type",
        ),
        (b"[hosts]\nbox = 1\n", "/hosts/box", "type"),
        (
            b"[hosts.'bad name']\n",
            "/hosts/bad name",
            "additionalProperties",
        ),
        (
            b"[profiles.x]\nenvironment = 'conda'\n",
            "/profiles/x/environment",
            "",
        ),
        (b"[defaults]\nhost = '-rf'\n", "/defaults/host", ""),
    ];
    for (text, pointer, keyword) in broken {
        fs::write(&file, text).expect("the configuration");
        let answer = refused(&world, &["get-config"]);
        assert_eq!(answer["error_code"], "config_invalid", "{answer}");
        assert_eq!(answer["details"]["path"], file.display().to_string());
        let found = violation(&answer, pointer);
        if !keyword.is_empty() {
            assert_eq!(found["keyword"], *keyword, "{answer}");
        }
        let checked = world.legwork(["check-config"]).ok();
        assert_eq!(checked.at("/valid"), false);
        assert_eq!(
            checked.at("/violations"),
            answer["details"]["violations"],
            "{}",
            checked.line()
        );
        assert_eq!(
            refused(&world, &["list-hosts"])["error_code"],
            "config_invalid"
        );
        world.legwork(["capabilities"]).ok();
    }
    fs::write(&file, "[hosts.box]\ndestinaton = 'x'\n[agent.x]\n").expect("the configuration");
    let answer = refused(&world, &["get-config"]);
    assert_eq!(
        violation(&answer, "/hosts/box/destinaton")["expected"],
        "destination"
    );
    assert_eq!(violation(&answer, "/agent")["expected"], "agents");
    let link = world.path("loop");
    std::os::unix::fs::symlink(&link, &link).expect("a link to itself");
    for unreadable in [
        world.path(""),
        link,
        file.join("below"),
        PathBuf::from("/dev/zero"),
    ] {
        world.set("LEGWORK_CONFIG", unreadable.display().to_string());
        for name in ["get-config", "check-config", "list-hosts"] {
            let answer = refused(&world, &[name]);
            assert_eq!(answer["error_code"], "config_unreadable", "{answer}");
        }
    }
    world.set("LEGWORK_CONFIG", world.path("none").display().to_string());
    assert_eq!(world.legwork(["check-config"]).at("/exists"), false);
}

#[test]
fn a_damaged_database_is_kept_and_never_replaced() {
    type Damage = fn(&mut Vec<u8>);
    let damages: &[(&str, Damage)] = &[
        ("cut short", |bytes| bytes.truncate(bytes.len() / 2 + 100)),
        ("cut to its header", |bytes| bytes.truncate(100)),
        ("another header", |bytes| bytes[..16].fill(b'x')),
        ("a page of noise", |bytes| bytes[4096..8192].fill(0xa5)),
        ("emptied", Vec::clear),
        ("zeros", |bytes| bytes.fill(0)),
    ];
    for (what, damage) in damages {
        let world = World::new();
        world.legwork(["add-host", "--name", "box"]).ok();
        let path = world.path("state/legwork/legwork.db");
        settle(&path);
        let mut bytes = fs::read(&path).expect("the database");
        damage(&mut bytes);
        fs::write(&path, &bytes).expect("a damaged database");
        for _again in 0..2 {
            let answer = refused(&world, &["check-store"]);
            assert_eq!(answer["error_code"], "store_damaged", "{what}: {answer}");
            assert_eq!(answer["kind"], "data_loss");
            assert_eq!(answer["retry"]["mode"], "after_fix");
            assert_eq!(answer["details"]["path"], path.display().to_string());
            let backup = answer["details"]["backup"].as_str().expect("a copy");
            assert_eq!(fs::read(backup).expect("the copy"), bytes, "{what}");
            assert_eq!(fs::read(&path).expect("the original"), bytes, "{what}");
        }
        let copies = fs::read_dir(world.path("state/legwork"))
            .expect("the folder")
            .filter(|entry| {
                let name = entry.as_ref().expect("an entry").file_name();
                name.to_string_lossy().contains("damaged")
            })
            .count();
        assert_eq!(copies, 1, "{what}");
        let (answer, _) = sound(&mut world.legwork_command(["list-hosts"]));
        if answer["ok"] == true {
            // Only where the damage lies elsewhere may an answer come, and then a true one.
            assert!(
                answer["data"]["hosts"].to_string().contains("box"),
                "{what}: {answer}"
            );
        } else {
            assert_eq!(answer["error_code"], "store_damaged", "{what}: {answer}");
        }
    }
}

/// Brings everything from the database's log into the database itself.
fn settle(path: &Path) {
    let connection = Connection::open(path).expect("the database");
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("a checkpoint");
    connection.close().expect("the database closes");
}

#[test]
fn a_database_that_vanished_from_its_log_is_not_started_over() {
    let world = World::new();
    world.legwork(["add-host", "--name", "box"]).ok();
    let path = world.path("state/legwork/legwork.db");
    let log = world.path("state/legwork/legwork.db-wal");
    assert!(
        fs::metadata(&log).is_ok_and(|found| found.len() > 0),
        "a log"
    );
    fs::remove_file(&path).expect("the database goes");
    let answer = refused(&world, &["list-hosts"]);
    assert_eq!(answer["error_code"], "store_damaged", "{answer}");
    assert!(!path.exists());
}

#[test]
fn a_newer_database_is_left_alone() {
    let world = World::new();
    world.legwork(["add-host", "--name", "box"]).ok();
    let path = world.path("state/legwork/legwork.db");
    let connection = Connection::open(&path).expect("the database");
    connection
        .execute_batch("PRAGMA user_version = 9999")
        .expect("a later version");
    drop(connection);
    settle(&path);
    let before = fs::read(&path).expect("the database");
    for arguments in [
        &["list-hosts"][..],
        &["add-host", "--name", "other"],
        &["check-store"],
    ] {
        let answer = refused(&world, arguments);
        assert_eq!(answer["error_code"], "store_newer");
        assert_eq!(answer["kind"], "failed_precondition");
        assert_eq!(answer["effect"], "none");
    }
    assert_eq!(fs::read(&path).expect("the database"), before);
}

#[test]
fn many_processes_make_one_database() {
    let world = World::new();
    let add = |number| world.legwork_command(["add-host", "--name", &format!("box{number}")]);
    for call in at_once((0..32).map(add)) {
        call.ok();
    }
    let listed = world.legwork(["list-hosts"]).ok();
    let hosts = listed.at("/hosts");
    let names: Vec<&str> = hosts
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|host| host["name"].as_str())
        .collect();
    for number in 0..32 {
        assert!(
            names.contains(&format!("box{number}").as_str()),
            "{names:?}"
        );
    }
    let leftovers: Vec<String> = fs::read_dir(world.path("state/legwork"))
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| {
            ![
                "legwork.db",
                "legwork.db-wal",
                "legwork.db-shm",
                "legwork.db.lock",
                "ssh",
            ]
            .contains(&name.as_str())
        })
        .collect();
    assert_eq!(leftovers, [""; 0]);
}

#[test]
fn nothing_reads_the_terminal() {
    let world = World::new();
    let mut child = world
        .legwork_command(["capabilities"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("legwork starts");
    // Its standard input stays open and silent; the call ends all the same.
    let stdin = child.stdin.take();
    let mut answer = String::new();
    child
        .stdout
        .take()
        .expect("its standard output")
        .read_to_string(&mut answer)
        .expect("an answer");
    assert!(child.wait().expect("it ends").success());
    drop(stdin);
    assert!(answer.ends_with("}\n"));
}
