//! The real agents against a scripted model; and the recordings of what they print.
//!
//! `UPDATE=1 bash tests/isolated.sh cargo test --offline recordings` records them anew.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::ExitStatus,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::support::{Agents, Cli, Model, Script, World, data};

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
        let world = World::with_testbed();
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

const TOOLS: &str = "--allowedTools=Bash,Read,Edit,Write,NotebookEdit,Glob,Grep,Task,TodoWrite";
const CODEX: &[&str] = &[
    "exec",
    "--json",
    "--color=never",
    "--skip-git-repo-check",
    "--config=sandbox_mode=\"danger-full-access\"",
    "--config=approval_policy=\"never\"",
    "--model=scripted-2",
    "-",
];

fn claude<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["-p", "--output-format=stream-json", "--verbose"];
    arguments.push("--permission-mode=acceptEdits");
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
        .exec("apply_patch <<'END'\n*** Begin Patch\n*** Add File: report.md\n+The sum subtracted.\n*** End Patch\nEND")
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
    let job = format!("--add-dir={}", bench.world.path("").display());
    let arguments = [
        TOOLS,
        &job,
        "--session-id=5f0c0f4e-0000-4000-8000-000000000000",
        "--model=scripted-1",
    ];
    let run = bench.claude(&model.url(), &claude(&arguments));
    assert!(run.status.success(), "{}{}", run.log, run.stderr);
    assert_eq!(bench.source(), FIXED);
    assert!(model.has_read("scripted-1"), "the model did not arrive");
    assert_eq!(
        run.last()["session_id"],
        "5f0c0f4e-0000-4000-8000-000000000000"
    );
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
    assert!(run.log.contains("file_change") && bench.repository.join("report.md").exists());
    assert!(model.has_read("scripted-2"), "the model did not arrive");
    assert!(model.has_read(PROMPT), "the prompt did not arrive");
    assert!(!model.has_read("sk-scripted"), "the key stands in a body");
    bench.compare(Cli::Codex, "success.jsonl", &run);
}

#[test]
fn claude_stops_at_its_turn_limit() {
    let bench = Bench::new();
    let model = Model::start(repair());
    let run = bench.claude(&model.url(), &claude(&[TOOLS, "--max-turns=2"]));
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(run.last()["subtype"], "error_max_turns");
    bench.compare(Cli::Claude, "turn_limit.jsonl", &run);
}

#[test]
fn claude_stops_at_its_cost_limit() {
    let bench = Bench::new();
    let model = Model::start(repair());
    let run = bench.claude(&model.url(), &claude(&[TOOLS, "--max-budget-usd=0.0001"]));
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(run.last()["subtype"], "error_max_budget_usd");
    bench.compare(Cli::Claude, "cost_limit.jsonl", &run);
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
    let run = bench.claude(&nobody(), &claude(&[TOOLS]));
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
    let run = bench.claude(&model.url(), &claude(&[TOOLS]));
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
    let run = bench.run(Cli::Claude, &[], &claude(&[TOOLS]), |_| ());
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
