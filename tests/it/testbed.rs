//! What the other tests stand on is itself sound.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::Path,
    process::{ExitStatus, Output},
};

use crate::support::{
    Agents, Call, Limits, Model, SYSTEM_PATH, Script, Sshd, TestBed, World, data, ways_out,
};

#[test]
fn a_host_runs_commands_in_a_home_of_its_own() {
    let world = World::with_testbed();
    let model = Model::start(Script::saying("Mended.").read("{cwd}/sum.py").edit(
        "{cwd}/sum.py",
        "a - b",
        "a + b",
    ));
    let wrappers = world.path("wrappers");
    Agents::wrappers(world.testbed(), &model, &wrappers);
    let mut host = Sshd::start_with(&world, "box", Limits::Of(3, 40), &[&wrappers]);
    let ssh = |command: &str| {
        let output = world
            .command("ssh")
            .args(["-F".as_ref(), world.ssh_config().as_os_str()])
            .args(["-o", "BatchMode=yes", host.alias(), command])
            .output()
            .expect("ssh starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let home = host.home().display().to_string();
    assert_eq!(ssh("echo $HOME"), (Some(0), format!("{home}\n")));
    let (status, tools) =
        ssh("uv --version && claude --version && codex --version && git config user.name");
    assert_eq!(status, Some(0), "{tools}");
    let (status, log) = ssh(&format!(
        "cd {} && git init -q job && cd job && printf 'return a - b' >sum.py && echo mend | \
         claude -p --permission-mode acceptEdits && cat sum.py",
        host.home().display()
    ));
    assert_eq!(status, Some(0), "{log}");
    assert!(log.ends_with("return a + b"), "{log}");

    assert!(std::net::TcpStream::connect(host.address()).is_ok());
    host.stop();
    // A child of the server that was just being made may hold its socket a moment longer.
    let since = std::time::Instant::now();
    while std::net::TcpStream::connect(host.address()).is_ok() {
        assert!(since.elapsed().as_secs() < 5, "the host still answers");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    host.start_again();
    assert!(
        fs::read_to_string(host.log())
            .expect("its log")
            .contains("listening")
    );
}

#[test]
fn two_hosts_of_one_world_are_two_machines() {
    let world = World::new();
    let (one, two) = (Sshd::start(&world, "one"), Sshd::start(&world, "two"));
    for (host, other) in [(&one, &two), (&two, &one)] {
        let status = world
            .command("ssh")
            .args(["-F".as_ref(), world.ssh_config().as_os_str()])
            .args(["-o", "BatchMode=yes", host.alias(), "touch $HOME/here"])
            .status()
            .expect("ssh starts");
        assert!(status.success());
        assert!(host.home().join("here").exists());
        assert_ne!(host.address(), other.address());
        fs::remove_file(host.home().join("here")).expect("it is there, and only there");
        assert!(!other.home().join("here").exists());
    }
}

#[test]
fn a_world_is_hermetic_and_private() {
    let mut world = World::new();
    world.set("EXTRA", "1");
    world.set("GONE", "1");
    world.unset("GONE");
    let output = world.command("env").output().expect("env starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("EXTRA=1\n") && !text.contains("GONE="),
        "{text}"
    );
    assert!(text.contains(&format!("HOME={}\n", world.home().display())));
    assert!(!text.contains("CARGO"), "{text}");
    let mode = fs::metadata(world.home())
        .expect("the home")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    let socket = world.path("state/legwork/ssh/0123456789abcdef/master.0123456789abcdef");
    assert!(socket.as_os_str().len() < 90, "{}", socket.display());

    world.configure("[ssh]\npersist_s = 5\n[hosts.box]\nroot = \"work\"\n");
    world.configure("[hosts.box]\ndestination = \"one\"\n");
    let written: toml::Table = fs::read_to_string(world.path("config.toml"))
        .expect("the configuration")
        .parse()
        .expect("TOML");
    assert_eq!(written["ssh"]["persist_s"].as_integer(), Some(5));
    assert!(written["ssh"].get("config_file").is_some());
    assert_eq!(written["hosts"]["box"]["root"].as_str(), Some("work"));
    assert_eq!(written["hosts"]["box"]["destination"].as_str(), Some("one"));

    let repository = world.repository("r", &[("a/b.txt", "text\n")]);
    assert_eq!(
        world.git(&repository, &["log", "--format=%an %s"]),
        "Ada Tester Start\n"
    );
}

#[test]
fn a_test_that_asks_for_no_test_bed_needs_none() {
    let world = World::new();
    let output = world.command("env").output().expect("env starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(&format!("PATH={SYSTEM_PATH}\n")), "{text}");

    // One that asks is told what is missing.
    let bare = world.path("bare/bin");
    fs::create_dir_all(&bare).expect("a folder");
    for program in ["uv", "node"] {
        let refused = std::panic::catch_unwind(|| TestBed::at(world.path("bare"))).err();
        let message = refused.and_then(|reason| reason.downcast::<String>().ok());
        let named = bare.join(program).display().to_string();
        assert!(
            message.as_ref().is_some_and(|text| text.contains(&named)),
            "{message:?} does not name {named}"
        );
        fs::write(bare.join(program), "").expect("a program");
    }
    TestBed::at(world.path("bare"));
}

#[test]
fn routes_that_lead_out_are_seen() {
    let head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
    let out = format!("{head}eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
    assert_eq!(ways_out(&out, ""), ["eth0"]);
    let loopback = "00000000000000000000000000000001 80 0000 00 0000 00000000 00000001 00000000 80200001       lo\n";
    assert!(ways_out(head, loopback).is_empty());
    let out6 = loopback.replace("      lo", "    eth0");
    assert_eq!(ways_out(head, &out6), ["eth0"]);
}

fn answer(status: i32, stdout: &str) -> Output {
    Output {
        status: ExitStatus::from_raw(status << 8),
        stdout: stdout.as_bytes().to_vec(),
        stderr: Vec::new(),
    }
}

const GOOD: &str = r#"{"ok":true,"v":1,"primitive":"p","idempotent":true,"effect":"applied","data":{"a":{"b":"c"}},"warnings":["w"],"next":[{"primitive":"q","input":{},"why":"because"}],"meta":{"ms":1,"round_trips":2}}"#;
const BAD: &str = r#"{"ok":false,"v":1,"primitive":"p","error_code":"ssh_unreachable","kind":"unavailable","effect":"none","retry_safe":true,"retry":{"mode":"after","after_ms":5},"message":"m","remediation":"r","details":{"host":"h"},"next":[],"meta":{"ms":1,"round_trips":0}}"#;

#[test]
fn answers_are_read_by_their_fields() {
    let call = Call::read(&answer(0, &format!("{GOOD}\n"))).ok();
    assert_eq!(
        (call.effect(), call.round_trips(), call.primitive()),
        ("applied", 2, "p")
    );
    assert_eq!(
        (call.text("/a/b").as_str(), call.warnings()),
        ("c", &["w".to_owned()][..])
    );
    assert_eq!(
        (call.next()[0].primitive.as_str(), &call.next()[0].input),
        ("q", &serde_json::json!({}))
    );
    assert_eq!((call.line(), call.stderr()), (GOOD, ""));
    let call = Call::read(&answer(2, &format!("{BAD}\n")));
    assert_eq!(
        (call.error_code(), call.kind()),
        ("ssh_unreachable", "unavailable")
    );
    assert_eq!(call.details()["host"], "h");
}

#[test]
fn answers_that_break_the_contract_are_refused() {
    for (status, text) in [
        (0, String::new()),
        (0, GOOD.to_owned()),
        (0, format!("{GOOD}\n{GOOD}\n")),
        (1, format!("{GOOD}\n")),
        (1, format!("{BAD}\n")),
        (2, format!("{}\n", BAD.replace("true", "false"))),
        (2, format!("{}\n", BAD.replace("unavailable", "odd"))),
        (0, "{}\n".to_owned()),
    ] {
        let read = std::panic::catch_unwind(|| Call::read(&answer(status, &text)));
        assert!(read.is_err(), "accepted with {status}: {text}");
    }
}

#[test]
fn the_program_runs_in_a_world() {
    let world = World::new();
    let call = world.legwork(["no-such-primitive"]);
    assert_eq!(
        (call.error_code(), call.effect()),
        ("unknown_primitive", "none")
    );
    let call = world.legwork_with_input(["no-such-primitive", "--spec", "-"], b"{}");
    assert_eq!(call.error_code(), "unknown_primitive");
    assert!(!call.is_ok());
}

#[test]
fn the_release_of_the_end_to_end_test_has_its_bug_and_the_diff_mends_it() {
    let world = World::with_testbed();
    let run = |folder: &Path, program: &str, arguments: &[&OsStr]| {
        let output = world
            .command(program)
            .args(arguments)
            .current_dir(folder)
            .env("PYTHONPATH", folder)
            .output()
            .expect("a program of the test bed starts");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), stderr)
    };
    let archive = world.testbed().path("pypi/parse-1.17.0.tar.gz");
    let unpack = [
        "--no-same-owner".as_ref(),
        "-xzf".as_ref(),
        archive.as_os_str(),
    ];
    assert!(run(&world.home(), "tar", &unpack).0);
    let source = world.home().join("parse-1.17.0");
    let repro = data("e2e/repro.py");
    let (passes, complaint) = run(&source, "python3", &[repro.as_os_str()]);
    assert!(
        !passes && complaint.contains("AssertionError"),
        "{complaint}"
    );

    world.git(&source, &["init", "--quiet"]);
    let diff = data("e2e/fix.diff");
    world.git(&source, &["apply", &diff.to_string_lossy()]);
    let (passes, complaint) = run(&source, "python3", &[repro.as_os_str()]);
    assert!(passes, "{complaint}");

    // The wheels suffice to install it, and pytest, where there is no network.
    let wheels = world.testbed().path("wheels");
    let (made, complaint) = run(
        &source,
        "uv",
        &["venv", "--quiet", "../env"].map(OsStr::new),
    );
    assert!(made, "{complaint}");
    let install = [
        "pip",
        "install",
        "--python",
        "../env",
        "--no-index",
        "--find-links",
    ];
    let mut install: Vec<&OsStr> = install.map(OsStr::new).into();
    install.extend([
        wheels.as_os_str(),
        "pytest".as_ref(),
        "--editable".as_ref(),
        ".".as_ref(),
    ]);
    let (installed, complaint) = run(&source, "uv", &install);
    assert!(installed, "{complaint}");
    let tests = ["-m", "pytest", "--quiet", "test_parse.py"].map(OsStr::new);
    let (passes, complaint) = run(&source, "../env/bin/python", &tests);
    assert!(passes, "{complaint}");
}
