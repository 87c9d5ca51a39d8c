//! Harnesses that are hardly any: each gets a clear answer, and nothing of it outlives the call.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{check, reference};
use crate::support::{World, eventually, schemas};

/// Lists the processes whose command line or environment holds a text.
fn processes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("the processes").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == std::process::id().to_string()
        {
            continue;
        }
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let all = [read("cmdline"), read("environ")].concat();
        let all = String::from_utf8_lossy(&all).replace('\0', " ");
        if all.contains(text) {
            found.push(format!(
                "{name}: {}",
                String::from_utf8_lossy(&read("cmdline")).replace('\0', " ")
            ));
        }
    }
    found
}

/// Writes a shell script and returns the command that runs it.
fn script(world: &World, text: &str) -> String {
    let file = world.path("harness.sh");
    fs::write(&file, text).expect("a script");
    format!("sh {}", file.display())
}

#[test]
fn what_never_calls_legwork_is_told_so_once() {
    let world = World::new();
    fs::write(world.path("plain"), "#!/bin/sh\n").expect("a file");
    let plain = world.path("plain").display().to_string();
    let cases = [
        ("no-such-harness --flag", "127"),
        (plain.as_str(), "126"),
        ("cd", "status"),
        ("echo '{\"ok\":true}' \u{7} \u{fffd}", "status 0"),
        ("exec >&- 2>&-; exit 3;", "status 3"),
        ("kill -9 $$ #", "signal 9"),
        ("if", "status 2"),
    ];
    for (command, told) in cases {
        let checked = check(&world, command, &[], 5);
        let scenarios = checked.call.at("/scenarios");
        let scenarios = scenarios.as_array().expect("scenarios");
        let (first, rest) = scenarios.split_first().expect("a first");
        assert_eq!(first["findings"][0]["fault"], "not_called", "{command}");
        let seen = first["findings"][0]["observed"]
            .as_str()
            .expect("what was seen");
        assert!(seen.contains(told), "{command}: {seen}");
        assert!(
            rest.iter().all(|played| played["verdict"] == "not_played"),
            "{command}"
        );
        assert_eq!(checked.call.at("/verdict"), "failed");
    }
    let told = check(&world, "no-such-harness", &[], 5).call;
    let stderr = told.text("/scenarios/0/harness/stderr");
    assert!(stderr.contains("no-such-harness"), "{stderr}");
}

#[test]
fn a_harness_that_hangs_or_prints_without_end_is_ended() {
    let world = World::new();
    for command in [
        "sleep 4321 #",
        "yes",
        "trap '' TERM INT HUP; while :; do sleep 0.1; done #",
    ] {
        let since = Instant::now();
        let checked = check(&world, command, &[], 1);
        assert!(since.elapsed() < Duration::from_secs(15), "{command}");
        assert_eq!(
            checked.faults["success"].first().map(String::as_str),
            Some("not_called")
        );
        assert_eq!(checked.call.at("/scenarios/0/harness/stopped"), true);
        assert_eq!(
            processes(&world.path("tmp").display().to_string()),
            Vec::<String>::new(),
            "{command}"
        );
    }
}

#[test]
fn what_a_harness_starts_ends_with_it() {
    let world = World::new();
    let mark = world.path("daemon").display().to_string();
    // A process in a session of its own, whose parent is gone, with nothing of the environment left.
    let daemon =
        format!("env -i PATH=\"$PATH\" setsid sh -c 'sleep 4322; : {mark}' >/dev/null 2>&1 &");
    let command = script(
        &world,
        &format!("#!/bin/sh\n({daemon})\nlegwork \"$1\" --json \"$2\"\n"),
    );
    let checked = check(&world, &command, &["success"], 10);
    assert!(checked.faults.is_empty(), "{}", checked.call.line());
    assert_eq!(processes(&mark), Vec::<String>::new());
}

#[test]
fn a_harness_without_standard_output_is_told_that_nothing_came() {
    let world = World::new();
    let command = script(
        &world,
        "#!/bin/sh\nlegwork \"$1\" --json \"$2\" >/dev/null\nexec >&-\n",
    );
    let checked = check(&world, &command, &["success"], 10);
    let found: Vec<&String> = checked.faults["success"].iter().collect();
    assert_eq!(found, ["no_answer"], "{}", checked.call.line());
}

/// Every way in which the call itself may go takes all processes and files with it.
#[test]
fn nothing_is_left_when_the_call_goes() {
    for signal in ["TERM", "INT", "HUP", "KILL"] {
        let world = World::new();
        let mark = world.path("tmp").display().to_string();
        fs::write(world.path("harness.py"), reference("call.py")).expect("a harness");
        let command = format!("python3 {}", world.path("harness.py").display());
        let input = json!({"command": command, "scenarios": ["deaf", "stopped", "answer_on_stop"]});
        let child = world
            .legwork_command(["check-harness", "--json", &input.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("legwork starts");
        eventually("the scenarios are played", || {
            processes(&mark)
                .iter()
                .any(|process| process.contains("--stub"))
        });
        let sent = world
            .command("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status()
            .expect("kill starts");
        assert!(sent.success());
        let output = child.wait_with_output().expect("legwork ends");
        if signal != "KILL" {
            let (answer, faults) = schemas::judge(&output);
            assert_eq!(faults, Vec::<String>::new());
            assert_eq!(answer["error_code"], "cancelled");
        }
        eventually("all processes are gone", || processes(&mark).is_empty());
        eventually("all files are gone", || {
            fs::read_dir(world.path("tmp"))
                .expect("a folder")
                .next()
                .is_none()
        });
    }
}

#[test]
fn a_call_that_runs_out_of_time_leaves_nothing() {
    let world = World::new();
    let mark = world.path("tmp").display().to_string();
    let input = json!({"command": "sleep 4323 #", "timeout_s": 1});
    let call = world.legwork(["check-harness", "--json", &input.to_string()]);
    assert_eq!(call.error_code(), "deadline_exceeded");
    eventually("all processes are gone", || processes(&mark).is_empty());
    eventually("all files are gone", || {
        fs::read_dir(world.path("tmp"))
            .expect("a folder")
            .next()
            .is_none()
    });
}

#[test]
fn a_pipeline_can_branch_on_the_verdict() {
    let world = World::new();
    let bad = script(&world, "#!/bin/sh\nlegwork \"$1\" --json \"$2\"\nexit 0\n");
    let mut input = json!({"command": bad, "scenarios": ["success", "never"], "require": "passed"});
    let call = world.legwork(["check-harness", "--json", &input.to_string()]);
    assert_eq!(call.error_code(), "harness_nonconforming");
    assert_eq!(call.kind(), "failed_precondition");
    assert_eq!(call.details()["passed"], 1);
    assert_eq!(call.details()["failed"], 1);
    assert_eq!(call.details()["findings"][0]["scenario"], "never");
    assert_eq!(call.details()["findings"][0]["fault"], "status_wrong");
    assert_eq!(call.details()["findings"][0]["rule"], "report");
    input["scenarios"] = json!(["success"]);
    let call = world
        .legwork(["check-harness", "--json", &input.to_string()])
        .ok();
    assert_eq!(call.at("/verdict"), "passed");
    // A dry run names what would be played, and needs no harness.
    let input = json!({"command": "no-such-harness", "dry_run": true, "require": "passed"});
    let call = world
        .legwork(["check-harness", "--json", &input.to_string()])
        .ok();
    assert_eq!(call.at("/verdict"), "not_played");
    assert_eq!(call.at("/scenarios/0/scenario"), "success");
    assert_eq!(call.at("/scenarios/0/harness"), Value::Null);
}

#[test]
fn a_stage_that_cannot_be_set_is_said_to_be_so() {
    let mut world = World::new();
    world.set("TMPDIR", "/proc/nothing");
    let call = world.legwork(["check-harness", "--command", "true"]);
    assert_eq!(call.error_code(), "harness_uncheckable");
    assert_eq!(call.details()["path"], "/proc/nothing");
}

#[test]
fn secrets_of_a_harness_are_masked() {
    let mut world = World::new();
    world.set("MY_SERVICE_TOKEN", "t0ken-that-nobody-may-see");
    let command = script(
        &world,
        "#!/bin/sh\necho \"I have $MY_SERVICE_TOKEN\" >&2; echo \"$MY_SERVICE_TOKEN\"; legwork \"$1\" --json \"$2\" >/dev/null\n",
    );
    let checked = check(&world, &command, &["success"], 10);
    assert_eq!(
        checked.faults["success"].first().map(String::as_str),
        Some("no_answer")
    );
    assert!(
        checked
            .call
            .text("/scenarios/0/harness/stderr")
            .contains("I have ")
    );
    assert!(
        !checked.call.line().contains("t0ken"),
        "{}",
        checked.call.line()
    );
}
