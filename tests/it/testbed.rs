//! What the other tests stand on is itself sound; and the recordings of agents are true.
//!
//! `UPDATE=1 bash tests/isolated.sh cargo test --offline testbed` records the agents anew.

use std::{
    fs,
    os::unix::{
        fs::PermissionsExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::{Agents, Call, Cli, Limits, Model, Script, Sshd, World, data, ways_out};

const PROMPT: &str = "The sum is wrong: \"2 + 2\" must be 4.\nMend sum.py.\n";
const BUG: &str = "def add(a, b):\n    return a - b\n";
const FIXED: &str = "def add(a, b):\n    return a + b\n";
const CHECK: &str =
    "/usr/bin/python3 -c 'import sum; assert sum.add(2, 2) == 4; print(\"passes\")'";
const LAST: &str = "Mended the sum: it subtracted.";

/// What an agent left behind.
struct Run {
    status: ExitStatus,
    log: String,
    stderr: String,
}

impl Run {
    fn events(&self) -> Vec<Value> {
        self.log
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    fn last(&self) -> Value {
        self.events().pop().unwrap_or_else(|| {
            assert!(self.log.is_empty(), "a log without events");
            Value::Null
        })
    }
}

/// A repository with a bug, and an agent to be sent into it.
struct Bench {
    world: World,
    repository: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let world = World::new();
        let repository = world.repository("repository", &[("sum.py", BUG)]);
        Self { world, repository }
    }

    /// Runs an agent on the prompt, at most a minute and a half, and does something while it runs.
    fn run(
        &self,
        cli: Cli,
        variables: &[(&str, String)],
        arguments: &[&str],
        meanwhile: impl FnOnce(u32),
    ) -> Run {
        let prompt = self.world.path("prompt.md");
        fs::write(&prompt, PROMPT).expect("the prompt");
        let mut child = self
            .world
            .command(Agents::path(self.world.testbed(), cli))
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.repository)
            .stdin(fs::File::open(prompt).expect("the prompt"))
            .stdout(fs::File::create(self.world.path("agent.log")).expect("a log"))
            .stderr(fs::File::create(self.world.path("agent.err")).expect("a log"))
            .process_group(0)
            .spawn()
            .expect("the agent starts");
        meanwhile(child.id());
        let deadline = Instant::now() + Duration::from_secs(90);
        let status = loop {
            if let Some(status) = child.try_wait().expect("the agent's status") {
                break status;
            }
            if Instant::now() > deadline {
                send(child.id(), Signal::KILL);
                break child.wait().expect("the agent ends");
            }
            thread::sleep(Duration::from_millis(20));
        };
        let read = |name| {
            String::from_utf8_lossy(&fs::read(self.world.path(name)).expect("a log")).into_owned()
        };
        Run {
            status,
            log: read("agent.log"),
            stderr: read("agent.err"),
        }
    }

    fn claude(&self, url: &str, arguments: &[&str]) -> Run {
        self.run(
            Cli::Claude,
            &self.variables(Cli::Claude, url),
            arguments,
            |_| (),
        )
    }

    fn codex(&self, url: &str) -> Run {
        self.run(Cli::Codex, &self.variables(Cli::Codex, url), CODEX, |_| ())
    }

    fn variables(&self, cli: Cli, url: &str) -> Vec<(&'static str, String)> {
        Agents::variables(cli, url, &self.world.path("codex"))
    }

    fn source(&self) -> String {
        fs::read_to_string(self.repository.join("sum.py")).expect("the source")
    }

    /// Compares a text with its recording, or records it where `UPDATE=1` says so.
    fn record(&self, cli: Cli, name: &str, text: &str) -> String {
        let file = data("agents").join(cli.program()).join(name);
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            let here = self.world.path("");
            let scrubbed = text
                .replace(&*here.to_string_lossy(), "/home/ada/")
                .replace(env!("CARGO_MANIFEST_DIR"), "/opt")
                .replace(&here.to_string_lossy().replace('/', "-"), "-home-ada-");
            fs::write(&file, scrubbed).expect("a recording");
        }
        fs::read_to_string(file).expect("a recording: make it with UPDATE=1")
    }

    /// Checks that a log ends as its recording does.
    fn compare(&self, cli: Cli, name: &str, run: &Run) {
        let recorded = self.record(cli, name, &run.log);
        let end = |log: &str| {
            let last: Value =
                serde_json::from_str(log.lines().last().expect("an event")).expect("JSON");
            ["type", "subtype", "is_error", "terminal_reason"].map(|field| last[field].clone())
        };
        assert_eq!(end(&run.log), end(&recorded), "{name}: {}", run.stderr);
    }
}

const TOOLS: &str = "Bash,Read,Edit,Write";
const CODEX: &[&str] = &[
    "exec",
    "--json",
    "--dangerously-bypass-approvals-and-sandbox",
    "--skip-git-repo-check",
    "-",
];

fn claude<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["-p", "--output-format", "stream-json", "--verbose"];
    arguments.extend(["--permission-mode", "acceptEdits"]);
    arguments.extend(more);
    arguments
}

fn repair() -> Script {
    Script::saying(LAST)
        .read("{cwd}/sum.py")
        .edit("{cwd}/sum.py", "a - b", "a + b")
        .bash(CHECK)
        .write("{cwd}/../report.md", "The sum subtracted.\n")
}

fn repair_by_shell() -> Script {
    Script::saying(LAST)
        .exec("cat sum.py")
        .exec("sed -i 's/a - b/a + b/' sum.py")
        .exec(CHECK)
}

/// Returns the address of a port that nobody listens on.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

#[test]
fn claude_edits_a_repository_by_script() {
    let bench = Bench::new();
    let model = Model::start(repair());
    let run = bench.claude(&model.url(), &claude(&["--allowedTools", TOOLS]));
    assert!(run.status.success(), "{}{}", run.log, run.stderr);
    assert_eq!(bench.source(), FIXED);
    assert!(bench.world.path("report.md").exists());
    assert_eq!(run.last()["result"], LAST);
    assert_eq!(run.last()["is_error"], false);
    assert!(run.log.contains("passes"), "{}", run.log);
    assert!(model.has_read(PROMPT), "the prompt did not arrive");
    assert!(!model.has_read("sk-scripted"), "the key stands in a body");
    bench.compare(Cli::Claude, "success.jsonl", &run);
}

#[test]
fn codex_edits_a_repository_by_script() {
    let bench = Bench::new();
    let model = Model::start(repair_by_shell());
    let run = bench.codex(&model.url());
    assert!(run.status.success(), "{}{}", run.log, run.stderr);
    assert_eq!(bench.source(), FIXED);
    assert!(run.log.contains(LAST) && run.log.contains("passes"));
    assert!(model.has_read(PROMPT), "the prompt did not arrive");
    assert!(!model.has_read("sk-scripted"), "the key stands in a body");
    bench.compare(Cli::Codex, "success.jsonl", &run);
}

#[test]
fn claude_stops_at_its_turn_limit() {
    let bench = Bench::new();
    let model = Model::start(repair());
    let run = bench.claude(
        &model.url(),
        &claude(&["--allowedTools", TOOLS, "--max-turns", "2"]),
    );
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(run.last()["subtype"], "error_max_turns");
    bench.compare(Cli::Claude, "turn_limit.jsonl", &run);
}

#[test]
fn claude_says_success_where_tools_were_denied() {
    let bench = Bench::new();
    let model = Model::start(Script::saying("Done.").bash("sed -i 's/a - b/a + b/' sum.py"));
    let run = bench.claude(
        &model.url(),
        &claude(&[
            "--allowedTools",
            "Read",
            "--disallowedTools",
            "Write",
            "--permission-mode",
            "manual",
        ]),
    );
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(run.last()["subtype"], "success");
    assert_eq!(run.last()["permission_denials"][0]["tool_name"], "Bash");
    assert_eq!(bench.source(), BUG);
    bench.compare(Cli::Claude, "denied.jsonl", &run);
}

#[test]
fn claude_says_success_where_nobody_answers() {
    let bench = Bench::new();
    let run = bench.claude(&nobody(), &claude(&["--allowedTools", TOOLS]));
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(run.last()["subtype"], "success");
    assert_eq!(run.last()["is_error"], true);
    bench.compare(Cli::Claude, "refused.jsonl", &run);
}

#[test]
fn codex_waits_for_ever_where_nobody_answers() {
    let bench = Bench::new();
    let log = bench.world.path("agent.log");
    let run = bench.run(
        Cli::Codex,
        &bench.variables(Cli::Codex, &nobody()),
        CODEX,
        |pid| {
            let deadline = Instant::now() + Duration::from_secs(60);
            while fs::read_to_string(&log).is_ok_and(|log| log.matches("Reconnecting").count() < 2)
            {
                assert!(Instant::now() < deadline, "it said nothing");
                thread::sleep(Duration::from_millis(50));
            }
            send(pid, Signal::KILL);
        },
    );
    assert_eq!(run.status.code(), None);
    assert_eq!(run.last()["type"], "error");
    bench.compare(Cli::Codex, "refused.jsonl", &run);
}

#[test]
fn agents_with_an_invalid_key_say_so() {
    let bench = Bench::new();
    let model = Model::start_refusing();
    let run = bench.claude(&model.url(), &claude(&["--allowedTools", TOOLS]));
    assert_eq!(run.status.code(), Some(1), "{}{}", run.log, run.stderr);
    assert_eq!(run.last()["is_error"], true);
    bench.compare(Cli::Claude, "invalid_key.jsonl", &run);

    let run = bench.codex(&model.url());
    assert_eq!(run.status.code(), Some(1), "{}{}", run.log, run.stderr);
    assert_eq!(run.last()["type"], "turn.failed");
    bench.compare(Cli::Codex, "invalid_key.jsonl", &run);
}

#[test]
fn codex_completes_although_a_command_failed() {
    let bench = Bench::new();
    let model = Model::start(Script::saying("I could not.").exec("cat no-such-file.py"));
    let run = bench.codex(&model.url());
    assert!(run.status.success(), "{}", run.stderr);
    assert!(run.log.contains("\"exit_code\":1"), "{}", run.log);
    bench.compare(Cli::Codex, "failing_command.jsonl", &run);
}

#[test]
fn agents_without_login_say_so() {
    let bench = Bench::new();
    let run = bench.run(
        Cli::Claude,
        &[],
        &claude(&["--allowedTools", TOOLS]),
        |_| (),
    );
    assert_eq!(run.status.code(), Some(1), "{}{}", run.log, run.stderr);
    assert_eq!(run.last()["is_error"], true);
    bench.compare(Cli::Claude, "no_login.jsonl", &run);

    let model = Model::start(repair_by_shell());
    let mut variables = bench.variables(Cli::Codex, &model.url());
    variables.retain(|(name, _)| *name != "SCRIPTED_KEY");
    let run = bench.run(Cli::Codex, &variables, CODEX, |_| ());
    assert_eq!(run.status.code(), Some(1), "{}{}", run.log, run.stderr);
    assert!(model.requests().is_empty(), "it asked without a key");
    bench.compare(Cli::Codex, "no_login.jsonl", &run);
}

/// Sends a signal to the whole group of an agent: `codex` is a wrapper around another process.
fn send(leader: u32, signal: Signal) {
    let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
    rustix::process::kill_process_group(leader.expect("a process id"), signal)
        .expect("a signal to the agent");
}

/// Runs an agent whose model thinks for long, and sends a signal once the model was asked.
fn interrupted(bench: &Bench, cli: Cli, arguments: &[&str], signal: Signal) -> Run {
    let model = Model::start_slowly(Script::saying(LAST), Duration::from_secs(120));
    bench.run(cli, &bench.variables(cli, &model.url()), arguments, |pid| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !model.has_read(PROMPT) {
            assert!(Instant::now() < deadline, "the prompt did not arrive");
            thread::sleep(Duration::from_millis(20));
        }
        send(pid, signal);
    })
}

#[test]
fn interrupted_agents_leave_logs_of_many_kinds() {
    let signal = Signal::INT;
    let bench = Bench::new();
    let run = interrupted(&bench, Cli::Claude, &claude(&[]), signal);
    assert_eq!(run.status.code(), Some(0), "{}{}", run.log, run.stderr);
    assert_eq!(run.last()["is_error"], true);
    bench.compare(Cli::Claude, "interrupted.jsonl", &run);

    let run = interrupted(&bench, Cli::Claude, &claude(&[]), Signal::TERM);
    assert_eq!(run.status.code(), Some(143), "{}{}", run.log, run.stderr);
    bench.compare(Cli::Claude, "terminated.jsonl", &run);

    let run = interrupted(&bench, Cli::Codex, CODEX, signal);
    assert!(!run.status.success(), "{}{}", run.log, run.stderr);
    bench.compare(Cli::Codex, "interrupted.jsonl", &run);
}

/// Asks an agent about itself, both streams together, as a shell would.
fn ask(bench: &Bench, cli: Cli, variables: &[(&str, String)], question: &[&str]) -> String {
    let output = bench
        .world
        .command(Agents::path(bench.world.testbed(), cli))
        .args(question)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("the agent starts");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn agents_tell_their_version_and_login() {
    let bench = Bench::new();
    let nobody = nobody();
    for (cli, question, out, inside) in [
        (
            Cli::Claude,
            &["auth", "status"],
            "\"loggedIn\": false",
            "\"loggedIn\": true",
        ),
        (
            Cli::Codex,
            &["login", "status"],
            "Not logged in",
            "API key configured",
        ),
    ] {
        let version = ask(&bench, cli, &[], &["--version"]);
        assert_eq!(bench.record(cli, "version.txt", &version), version);

        let answer = ask(&bench, cli, &[], question);
        assert!(answer.contains(out), "{answer}");
        bench.record(cli, "logged_out.txt", &answer);

        let mut variables = bench.variables(cli, &nobody);
        if matches!(cli, Cli::Codex) {
            // Codex knows a login only from its file; a key in the environment does not count for it.
            let file = bench.world.path("codex/auth.json");
            fs::write(file, r#"{"OPENAI_API_KEY":"sk-scripted-0123456789"}"#).expect("a login");
            variables.retain(|(name, _)| *name != "SCRIPTED_KEY");
            fs::remove_file(bench.world.path("codex/config.toml")).expect("no provider");
        }
        let answer = ask(&bench, cli, &variables, question);
        assert!(answer.contains(inside), "{answer}");
        bench.record(cli, "logged_in.txt", &answer);
    }
}

#[test]
fn a_host_runs_commands_in_a_home_of_its_own() {
    let world = World::new();
    let model = Model::start(repair());
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
         claude -p --permission-mode acceptEdits --allowedTools {TOOLS} && cat sum.py",
        host.home().display()
    ));
    assert_eq!(status, Some(0), "{log}");
    assert!(log.ends_with("return a + b"), "{log}");

    assert!(std::net::TcpStream::connect(host.address()).is_ok());
    host.stop();
    assert!(std::net::TcpStream::connect(host.address()).is_err());
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
fn the_release_for_the_end_to_end_test_is_there() {
    let world = World::new();
    for path in ["pypi/parse-1.17.0.tar.gz", "wheels"] {
        assert!(world.testbed().path(path).exists());
    }
    assert!(Path::new(&data("e2e/repro.py")).exists());
    let output = world
        .command("uv")
        .args(["--offline", "--version"])
        .stdout(Stdio::piped())
        .output()
        .expect("uv starts");
    assert!(output.status.success());
}
