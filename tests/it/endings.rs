//! One line, whatever ends the process: signals, limits, streams that cannot be read or written.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::ExitStatusExt as _,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Faults, Workplace, World, await_catching, eventually, schemas, signal, start,
};

const LEGWORK: &str = env!("CARGO_BIN_EXE_legwork");

/// The signals that end a process unless it catches them, and that can be caught.
const ENDING: &[(i32, &str)] = &[
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (10, "SIGUSR1"),
    (12, "SIGUSR2"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (24, "SIGXCPU"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (29, "SIGIO"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
];

/// Runs a line of the shell in which `$LEGWORK` is the program.
fn shell(world: &World, line: &str) -> Output {
    world
        .command("bash")
        .args(["-c", line])
        .env("LEGWORK", LEGWORK)
        .stdin(Stdio::null())
        .output()
        .expect("bash starts")
}

#[test]
fn every_signal_that_ends_a_process_gets_its_line() {
    let world = World::new();
    let fifo = world.fifo();
    let faults = Faults::default();
    thread::scope(|scope| {
        for (number, name) in ENDING {
            let (world, faults, fifo) = (&world, &faults, &fifo);
            scope.spawn(move || {
                let child = start(&mut world.legwork_command(["capabilities", "--spec", fifo]));
                await_catching(child.id(), *number);
                signal(child.id(), *number);
                let output = child.wait_with_output().expect("it ends");
                let (answer, broken) = schemas::judge(&output);
                for fault in broken {
                    faults.note(format!("{name}: {fault}"));
                }
                let answered = (
                    answer["error_code"].as_str(),
                    answer["details"]["signal"].as_str(),
                    answer["effect"].as_str(),
                    output.status.code(),
                );
                let expected = (
                    Some("cancelled"),
                    Some(*name),
                    Some("none"),
                    Some(128 + number),
                );
                faults.unless(answered == expected, || format!("{name}: {answered:?}"));
            });
        }
    });
    faults.none();
}

#[test]
fn a_signal_is_answered_before_anything_is_read() {
    let mut world = World::new();
    let fifo = world.fifo();
    // Neither the configuration nor the state folder is one that can be read.
    world.set("LEGWORK_CONFIG", &fifo);
    for arguments in [
        &["list-hosts", "--spec", &fifo][..],
        &["batch"],
        &["serve-mcp"],
    ] {
        let mut child = world
            .legwork_command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("legwork starts");
        await_catching(child.id(), 15);
        signal(child.id(), 15);
        let begun = Instant::now();
        // Its standard input stays open.
        let stdin = child.stdin.take();
        let output = child.wait_with_output().expect("it ends");
        drop(stdin);
        assert_eq!(output.status.code(), Some(143), "{arguments:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{arguments:?}");
        // Until it has read what it is to do it may be a call, which is answered.
        let is_call = arguments.len() > 1;
        let is_answered = output.stdout.ends_with(b"}\n");
        assert!(
            is_answered || !is_call && output.stdout.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_program_that_only_answers_a_question_ends_with_the_call() {
    let mut world = World::new();
    let programs = world.path("programs");
    fs::create_dir(&programs).expect("a folder");
    let (gh, pid) = (programs.join("gh"), world.path("pid"));
    // It waits for a keyring that nobody unlocks.
    let script = format!("#!/bin/sh\necho $$ >'{}'\nexec sleep 60\n", pid.display());
    fs::write(&gh, script).expect("a gh");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&gh, mode).expect("its mode");
    let path = format!("{}:{}", programs.display(), world.search_path());
    world.set("PATH", path);
    let child = start(&mut world.legwork_command(["fetch-issue", "--issue", "octocat/hello#1"]));
    let started = || fs::read_to_string(&pid).unwrap_or_default();
    eventually("gh is asked", || started().ends_with('\n'));
    signal(child.id(), 15);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(143));
    let line = format!("/proc/{}/cmdline", started().trim_end());
    // What has ended and was not waited for has no command line.
    eventually("gh ends", || fs::read(&line).unwrap_or_default().is_empty());
}

#[test]
fn a_launch_that_a_signal_ends_says_none_only_where_no_agent_runs() {
    let place = Workplace::here();
    let ran = place.world().path("ran");
    let script = format!("grep -o 'turn-[0-9]*' ../prompt.md >>'{}'", ran.display());
    place.agent("counted", &script);
    let mut none = BTreeSet::new();
    let mut answered = 0;
    for turn in 0..80_u64 {
        let key = format!("turn-{turn}");
        let more = json!({"idempotency_key": key, "message": key});
        let input = Workplace::order("counted", &more).to_string();
        let mut call = place
            .world()
            .legwork_command(["launch-investigation", "--json", &input]);
        let child = start(&mut call);
        // From before the signals are caught to after the job was sent.
        thread::sleep(Duration::from_micros(500 * (turn % 40)));
        signal(child.id(), 15);
        let output = child.wait_with_output().expect("it ends");
        if output.status.signal() == Some(15) {
            // It came before the program had begun.
            assert!(output.stdout.is_empty());
            none.insert(key);
            continue;
        }
        let (answer, broken) = schemas::judge(&output);
        assert!(broken.is_empty(), "{broken:?}");
        answered += 1;
        if answer["effect"] == "none" {
            none.insert(key);
        }
    }
    assert!(answered > 20, "only {answered} were answered");
    // An agent that was started has long left its line when the last one has ended.
    let last = place.launched("counted", &json!({"message": "turn-1000"}));
    place.ended(&last);
    let ran = fs::read_to_string(ran).expect("the last one ran");
    let ran: BTreeSet<String> = ran.lines().map(str::to_owned).collect();
    assert!(ran.contains("turn-1000"), "{ran:?}");
    let lies: Vec<&String> = none.intersection(&ran).collect();
    assert!(
        lies.is_empty(),
        "none was said of {lies:?}, and the agent ran"
    );
}

#[test]
fn a_file_that_may_not_grow_is_said_and_ends_nothing() {
    let world = World::new();
    for blocks in [0, 4] {
        let output = shell(
            &world,
            &format!("ulimit -f {blocks}; exec \"$LEGWORK\" list-jobs"),
        );
        let (answer, broken) = schemas::judge(&output);
        assert!(broken.is_empty(), "{broken:?}");
        assert_eq!(answer["kind"], "resource_exhausted", "{answer}");
    }
    let output = shell(&world, "ulimit -f 0; exec \"$LEGWORK\" capabilities");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn an_answer_that_nobody_can_get_is_exit_code_3_and_nothing_is_done() {
    let world = World::new();
    let code = |line: &str| shell(&world, line).status.code();
    for stream in [">&-", "1</dev/null"] {
        for call in [
            "add-host --name a",
            "help",
            "list-jobs",
            "batch",
            "serve-mcp",
            "no-such",
        ] {
            assert_eq!(
                code(&format!("\"$LEGWORK\" {call} {stream}")),
                Some(3),
                "{call} {stream}"
            );
        }
        let closed_all = format!("\"$LEGWORK\" list-jobs <&- 2>&- {stream}");
        assert_eq!(code(&closed_all), Some(3), "{stream}");
    }
    let hosts = world.legwork(["list-hosts"]).ok();
    assert!(!hosts.line().contains("\"a\""), "{}", hosts.line());
    // What is thrown away on purpose is written all the same, however it was opened.
    for stream in [">/dev/null", "1<>/dev/null", "<&- 2>&- >/dev/null"] {
        assert_eq!(
            code(&format!("\"$LEGWORK\" list-jobs {stream}")),
            Some(0),
            "{stream}"
        );
    }
}

#[test]
fn few_descriptors_are_said_to_be_few() {
    let world = World::new();
    world.legwork(["check-store"]).ok();
    let faults = Faults::default();
    for most in 4..40 {
        for call in ["list-jobs", "check-config", "batch", "serve-mcp"] {
            let line = format!("exec 2>/dev/null; ulimit -n {most}; exec \"$LEGWORK\" {call}");
            let output = shell(&world, &line);
            // The loader of programs needs some itself.
            if output.status.code() == Some(127) || output.status.code() == Some(126) {
                continue;
            }
            if output.stdout.is_empty() && call != "list-jobs" && output.status.code() == Some(0) {
                continue;
            }
            let (answer, broken) = schemas::judge(&output);
            for fault in broken {
                faults.note(format!("{call} with {most}: {fault}"));
            }
            let well = answer["ok"] == true || answer["error_code"] == "limits_reached";
            faults.unless(well, || format!("{call} with {most}: {answer}"));
        }
    }
    faults.none();
}

#[test]
fn little_memory_is_said_to_be_little() {
    let world = World::new();
    world.legwork(["check-store"]).ok();
    let faults = Faults::default();
    let mut refused = 0;
    for megabytes in (40..400).step_by(10) {
        for call in ["list-jobs", "batch"] {
            let line = format!(
                "ulimit -v {}; exec \"$LEGWORK\" {call} 2>/dev/null",
                megabytes * 1024
            );
            let output = shell(&world, &line);
            let code = output.status.code();
            // The loader of programs needs some itself.
            let is_not_loaded = code == Some(127) || (code.is_none() && megabytes < 100);
            if is_not_loaded || (call == "batch" && code == Some(0)) {
                continue;
            }
            let (answer, broken) = schemas::judge(&output);
            for fault in broken {
                faults.note(format!("{call} with {megabytes} MiB: {fault}"));
            }
            let few = answer["error_code"] == "limits_reached";
            refused += usize::from(few);
            faults.unless(answer["ok"] == true || few, || {
                format!("{call} with {megabytes} MiB: {answer}")
            });
        }
    }
    faults.unless(refused > 0, || "it was never too little".to_owned());
    faults.none();
}

#[test]
fn few_processes_are_said_to_be_few() {
    let world = World::new();
    world.legwork(["check-store"]).ok();
    // The limit does not bind root, and binds by user: this one has no process yet.
    let as_somebody = if rustix::process::geteuid().is_root() {
        "setpriv --reuid=54321 --clear-groups "
    } else {
        ""
    };
    let faults = Faults::default();
    for most in 0..6 {
        for call in [
            "capabilities",
            "fetch-issue --issue a/b#1",
            "batch",
            "serve-mcp",
        ] {
            let line = format!(
                "exec {as_somebody}prlimit --nproc={most}:{most} \"$LEGWORK\" {call} 2>/dev/null"
            );
            let output = world
                .command("bash")
                .args(["-c", &line])
                .env("LEGWORK", LEGWORK)
                .env("HOME", "/nonexistent")
                .stdin(Stdio::null())
                .output()
                .expect("bash starts");
            if output.stdout.is_empty() && output.status.code() == Some(0) {
                continue;
            }
            let (answer, broken) = schemas::judge(&output);
            for fault in broken {
                faults.note(format!("{call} with {most}: {fault}"));
            }
            faults.unless(answer["kind"] != "internal", || {
                format!("{call} with {most}: {answer}")
            });
            faults.unless(most > 0 || answer["error_code"] == "limits_reached", || {
                format!("{call} with {most}: {answer}")
            });
        }
    }
    faults.none();
}

#[test]
fn a_pipe_in_place_of_a_file_never_hangs_a_call() {
    let mut world = World::new();
    let fifo = world.fifo();
    let quick = |world: &World, arguments: &[&str]| {
        let begun = Instant::now();
        let output = world
            .legwork_command(arguments)
            .output()
            .expect("legwork runs");
        assert!(begun.elapsed() < Duration::from_secs(9), "{arguments:?}");
        let (answer, broken) = schemas::judge(&output);
        assert!(broken.is_empty(), "{broken:?}");
        answer
    };
    // Nobody writes into it.
    let answer = quick(&world, &["list-jobs", "--spec", &fifo]);
    assert_eq!(answer["error_code"], "spec_unreadable");
    // Somebody holds it open, and writes nothing.
    let writer = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&fifo)
        .expect("the pipe");
    let answer = quick(
        &world,
        &[
            "poll-job",
            "--spec",
            &fifo,
            "--timeout-s",
            "1",
            "--job-ids",
            "a",
        ],
    );
    assert_eq!(
        (&answer["error_code"], &answer["effect"]),
        (&json!("deadline_exceeded"), &json!("none"))
    );
    drop(writer);
    // What is written comes through.
    let line = "\"$LEGWORK\" list-jobs --spec <(sleep 0.2; echo '{\"limit\":5}') >&2; exec \"$LEGWORK\" list-jobs --spec <(echo '{\"limit\":5}')";
    let (answer, broken) = schemas::judge(&shell(&world, line));
    assert!(broken.is_empty() && answer["ok"] == true, "{broken:?}");
    let answer = quick(&world, &["check-config", "--path", &fifo]);
    assert!(
        answer["ok"] == false || answer["data"]["valid"] == false,
        "{answer}"
    );
    world.set("LEGWORK_CONFIG", &fifo);
    assert_eq!(quick(&world, &["capabilities"])["ok"], true);
    assert_eq!(
        quick(&world, &["list-hosts"])["error_code"],
        "config_unreadable"
    );
}

#[test]
fn calls_that_cannot_be_read_are_said_in_a_last_line() {
    let world = World::new();
    let output = shell(&world, "exec \"$LEGWORK\" batch </tmp");
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).expect("a line");
    assert_eq!(
        (&line["id"], &line["error_code"]),
        (&json!(null), &json!("spec_unreadable"))
    );
    let output = shell(&world, "exec \"$LEGWORK\" serve-mcp </tmp");
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).expect("a line");
    assert_eq!(line["error"]["code"], -32_603);
}

#[test]
fn the_hidden_commands_do_nothing_for_a_stranger() {
    let world = World::new();
    let folder = world.path("precious");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("file"), "kept").expect("a file");
    let mark = world.path("mark");
    let folder_name = folder.display().to_string();
    let mark_name = mark.display().to_string();
    for arguments in [
        ["--reaper", &folder_name, "touch", &mark_name],
        ["--reaper", &folder_name, "true", "x"],
        ["--guard", &folder_name, "touch", &mark_name],
    ] {
        let output = world
            .legwork_command(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("legwork runs");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            folder.join("file").exists() && !mark.exists(),
            "{arguments:?}"
        );
    }
}
