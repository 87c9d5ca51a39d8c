//! The supervisor of runs and the scripts around it, under dash, bash and busybox.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests act on the real outside world"
)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const SUPERVISOR: &str = concat!(
    "#!/bin/sh\n",
    include_str!("../../src/system/shell/forget_git.sh"),
    include_str!("../../src/system/shell/plain_git.sh"),
    include_str!("../../src/system/shell/process.sh"),
    include_str!("../../src/system/shell/contain.sh"),
    include_str!("../../src/domain/run/log.sh"),
    include_str!("../../src/domain/run/litter.sh"),
    include_str!("../../src/domain/run/changes.sh"),
    include_str!("../../src/domain/run/sockets.sh"),
    include_str!("../../src/domain/run/agent.sh"),
    include_str!("../../src/domain/run/sweep.sh"),
    include_str!("../../src/domain/run/supervise.sh"),
);
/// The payloads of what is sent: the supervisor, and what only the run may know.
const PAYLOADS: &str = "payload() {
    case $1 in
    1) cat \"$LEGWORK_ROOT/sent\" ;;
    5) cat \"$LEGWORK_ROOT/given\" ;;
    esac
}
";
const START: &str = concat!(
    include_str!("../../src/system/shell/process.sh"),
    include_str!("../../src/domain/run/start.sh"),
);
const POLL: &str = concat!(
    include_str!("../../src/system/shell/process.sh"),
    include_str!("../../src/domain/run/poll.sh"),
);
const CANCEL: &str = concat!(
    include_str!("../../src/system/shell/process.sh"),
    include_str!("../../src/domain/run/cancel.sh"),
);
const TAKE_OVER: &str = concat!(
    include_str!("../../src/system/shell/process.sh"),
    include_str!("../../src/domain/run/take_over.sh"),
);
/// The token of every run here.
const TOKEN: &str = "00112233445566778899aabbccddeeff";
/// The file name of the supervisor in a world's folder `bin`.
const DEPLOYED: &str = "supervise-test.sh";

/// The shell that is `sh` on a test's PATH. With busybox, all tools but git are busybox's as well.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shell {
    Dash,
    Bash,
    Busybox,
}

/// Defines each case once for every shell.
macro_rules! under_each_shell {
    ($($case:ident),* $(,)?) => {
        mod dash { $(#[test] fn $case() { super::$case(&super::World::new(super::Shell::Dash)); })* }
        mod bash { $(#[test] fn $case() { super::$case(&super::World::new(super::Shell::Bash)); })* }
        mod busybox { $(#[test] fn $case() { super::$case(&super::World::new(super::Shell::Busybox)); })* }
    };
}

under_each_shell! {
    a_success_is_told_in_full,
    failures_say_why,
    secrets_reach_the_agent_and_nothing_else,
    thirty_two_starts_make_one_run,
    the_wall_limit_ends_the_whole_run,
    the_idle_limit_ends_a_silent_run_alone,
    cancel_ends_the_stubborn_the_grandchild_and_the_escaped,
    cancel_before_the_start_means_no_agent,
    a_term_to_the_supervisor_ends_the_run,
    what_the_agent_leaves_running_is_ended,
    a_long_log_keeps_its_two_ends,
    changes_can_be_applied_to_the_base,
    no_configuration_of_the_repository_is_obeyed,
    a_failed_comparison_is_said,
    a_supervisor_killed_anywhere_is_replaced,
    many_replacements_at_once_are_one,
    an_end_without_a_supervisor_is_told_truly,
    cancel_works_without_a_supervisor,
    a_recycled_pid_is_neither_believed_nor_signalled,
    another_boot_means_lost,
    another_machine_is_not_judged,
    a_poll_tells_all_and_calls_a_supervisor,
    a_waiting_poll_wakes,
    a_poll_of_no_root_finds_nothing,
    a_waiting_poll_ends_with_its_caller,
    an_end_takes_everything_with_it,
    without_containment_what_hides_is_found_by_its_place,
    an_end_that_the_agent_wrote_is_none,
    a_supervisor_that_was_altered_is_not_run,
    a_later_protocol_is_left_alone,
    a_run_whose_control_is_gone_ends,
    servers_of_a_run_are_its_own,
}

/// A root folder as on a host, with a PATH of its own.
struct World {
    folder: tempfile::TempDir,
    path: String,
}

/// A run in it.
struct Run<'a> {
    world: &'a World,
    job: PathBuf,
    folder: PathBuf,
}

/// Finds a program; without it there is no test.
fn program(name: &str) -> PathBuf {
    let path = std::env::var("PATH").expect("PATH is set");
    path.split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
        .expect(name)
}

impl World {
    fn new(shell: Shell) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["bin", "sh", "jobs", "control"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let tools = folder.path().join("sh");
        let link = |from: PathBuf, name: &str| symlink(from, tools.join(name)).expect("a link");
        let mut path = tools.to_str().expect("UTF-8").to_owned();
        match shell {
            Shell::Dash | Shell::Bash => {
                link(program(&format!("{shell:?}").to_lowercase()), "sh");
                path += ":";
                path += &std::env::var("PATH").expect("PATH is set");
            }
            Shell::Busybox => {
                let busybox = program("busybox");
                let list = Command::new(&busybox)
                    .arg("--list")
                    .output()
                    .expect("busybox runs");
                let list = String::from_utf8(list.stdout).expect("names");
                assert!(
                    list.lines().any(|name| name == "setsid"),
                    "a usable busybox"
                );
                for name in list.lines() {
                    link(busybox.clone(), name);
                }
                link(program("git"), "git");
            }
        }
        for file in ["sent", &format!("bin/{DEPLOYED}")] {
            fs::write(folder.path().join(file), SUPERVISOR).expect("the supervisor");
        }
        fs::write(folder.path().join("given"), ": given\n").expect("nothing to know");
        Self { folder, path }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn supervisor(&self) -> String {
        self.root()
            .join("bin")
            .join(DEPLOYED)
            .to_str()
            .expect("UTF-8")
            .to_owned()
    }

    /// Takes away what the kernel could keep runs together with.
    fn without_containment(&self) {
        for name in ["unshare", "bwrap", "systemd-run", "mkdir"] {
            let tool = self.root().join("sh").join(name);
            fs::remove_file(&tool).ok();
            // Folders are made all the same, control groups are not.
            let program = if name == "mkdir" {
                let real = program(name);
                let (real, applet) = match fs::read_link(&real) {
                    Ok(target) if target.ends_with("busybox") => (target, "mkdir"),
                    _ => (real, ""),
                };
                format!(
                    "#!/bin/sh\ncase $* in */cgroup/*) exit 1 ;; esac\nexec '{}' {applet} \"$@\"\n",
                    real.display()
                )
            } else {
                "#!/bin/sh\nexit 1\n".to_owned()
            };
            fs::write(&tool, program).expect("a program");
            fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a program");
        }
    }

    /// Starts a command with the world's PATH and nothing else in its environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("/usr/bin/env");
        command
            .arg("-i")
            .arg(format!("PATH={}", self.path))
            .arg(format!("HOME={}", self.root().display()))
            .arg(format!("LEGWORK_ROOT={}", self.root().display()))
            .arg(program)
            .stdin(Stdio::null());
        command
    }

    fn script(&self, body: &str, arguments: &[&str]) -> String {
        let output = self
            .command("sh")
            .args(["-c", &format!("{PAYLOADS}{body}"), "sh"])
            .args(arguments)
            .output()
            .expect("a shell runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Prepares a run of a shell command; `more` are further lines of its spec.
    fn run(&self, job: &str, command: &str, more: &str) -> Run<'_> {
        let job_folder = self.root().join("jobs").join(job);
        let folder = self.root().join("control").join(job).join(TOKEN);
        for folder in [&job_folder, &folder] {
            fs::create_dir_all(folder).expect("a folder");
        }
        let spec = format!(
            "job {job}\nrun 1\nwall_s 20\nidle_s 0\ngrace_s 1\nlog_cap 1000000\nbeat_s 1\nroot {}\nfolder {1}\ncwd {1}\n{more}",
            self.root().display(),
            job_folder.display()
        );
        fs::write(folder.join("spec"), spec).expect("the spec");
        fs::write(folder.join("command.sh"), command).expect("the command");
        Run {
            world: self,
            job: job_folder,
            folder,
        }
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.try_git(folder, arguments);
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn try_git(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.command("git")
            .args(["-c", "user.name=n", "-c", "user.email=e@example.org", "-C"])
            .arg(folder)
            .args(arguments)
            .output()
            .expect("git runs")
    }

    /// Makes a repository with a worktree; returns the worktree and its commit.
    fn worktree(&self) -> (PathBuf, String) {
        let seed = self.root().join("seed");
        fs::create_dir(&seed).expect("a folder");
        self.git(&seed, &["init", "-q", "-b", "main"]);
        fs::write(seed.join("kept.txt"), "one\ntwo\n").expect("a file");
        fs::write(seed.join("old name.txt"), "a long enough text\n".repeat(20)).expect("a file");
        fs::write(seed.join("gone.txt"), "bye\n").expect("a file");
        fs::write(seed.join("data.bin"), [0_u8, 1, 2, 255, 254]).expect("a file");
        self.git(&seed, &["add", "-A"]);
        self.git(&seed, &["commit", "-q", "-m", "base"]);
        let base = self.git(&seed, &["rev-parse", "HEAD"]).trim().to_owned();
        let worktree = self.root().join("worktree");
        let name = worktree.to_str().expect("UTF-8");
        self.git(&seed, &["worktree", "add", "-q", "--detach", name, &base]);
        (worktree, base)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Nothing that a failed test started may stay.
        for entry in fs::read_dir(self.root().join("jobs"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let run = self
                .root()
                .join("control")
                .join(entry.file_name())
                .join(TOKEN);
            if run.join("claim").is_dir() {
                drop(
                    self.command("sh")
                        .args(["-c", &format!("{PAYLOADS}{CANCEL}"), "sh"])
                        .arg(entry.file_name())
                        .args(["1", TOKEN, "0", DEPLOYED, &digest()])
                        .output(),
                );
            }
        }
    }
}

impl Run<'_> {
    fn job(&self) -> &str {
        self.job.to_str().expect("UTF-8")
    }

    fn name(&self) -> &str {
        self.job
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
    }

    fn control(&self) -> String {
        format!("control/{}/{TOKEN}", self.name())
    }

    fn start(&self) -> String {
        self.world.script(
            START,
            &[&self.control(), self.name(), DEPLOYED, &digest(), "-"],
        )
    }

    fn cancel(&self, grace: &str) -> String {
        self.world.script(
            CANCEL,
            &[self.name(), "1", TOKEN, grace, DEPLOYED, &digest()],
        )
    }

    /// Runs the supervisor in the foreground.
    fn supervise(&self, mode: &[&str], point: &str) -> Child {
        self.world
            .command("env")
            .arg(format!("LEGWORK_POINT={point}"))
            .arg("sh")
            .arg(self.world.supervisor())
            .args(mode)
            .arg(&self.folder)
            .arg(digest())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell runs")
    }

    fn finalize(&self) {
        let status = self.supervise(&["--finalize"], "").wait().expect("it ends");
        assert!(status.success(), "{status:?}");
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap_or_default()).into_owned()
    }

    fn state(&self) -> BTreeMap<String, String> {
        tokens(&self.read("state"))
    }

    /// Waits for the end and returns the state's tokens.
    fn end(&self) -> BTreeMap<String, String> {
        wait_until("the run to end", || self.has_ended());
        self.state()
    }

    fn has_ended(&self) -> bool {
        let state = self.state();
        !matches!(
            state.get("state").map_or("launching", String::as_str),
            "launching" | "running"
        )
    }

    fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.folder.join(name)).is_ok()
    }

    /// Returns the processes of the run that stay; a nap of its guard may outlast it by a second.
    fn processes(&self) -> Vec<String> {
        let since = Instant::now();
        loop {
            let found = self.processes_now();
            if found.is_empty() || since.elapsed() > Duration::from_secs(5) {
                return found;
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Returns the processes that carry the run's mark or are in the agent's session.
    fn processes_now(&self) -> Vec<String> {
        let leader = self.state().get("pid").cloned().unwrap_or_default();
        let mark = format!("LEGWORK_RUN={}:", self.folder.display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("/proc").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.parse::<u32>().is_err() {
                continue;
            }
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
            let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
            let marked = environ
                .split(|&byte| byte == 0)
                .any(|part| part == mark.as_bytes());
            let zombie = fields.first() == Some(&"Z");
            if !zombie && (marked || fields.get(3) == Some(&leader.as_str())) {
                found.push(stat);
            }
        }
        found
    }

    /// Counts how often the agent ran, which appends a line to `ran` each time.
    fn ran(&self) -> usize {
        fs::read_to_string(self.job.join("ran"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// Writes down a leader and a supervisor, as one that is gone left them.
    fn pretend(&self, leader: &str, supervisor: &str) {
        fs::create_dir_all(self.folder.join("claim")).expect("a folder");
        fs::write(self.folder.join("leader"), format!("{leader}\n")).expect("a file");
        fs::write(self.folder.join("claim/owner.1"), format!("{supervisor}\n")).expect("a file");
        let leader: Vec<&str> = leader.split(' ').collect();
        let supervisor: Vec<&str> = supervisor.split(' ').collect();
        fs::write(
            self.folder.join("state"),
            format!(
                "legwork-run v=2 job=j run=1 state=running pid={0} pgid={0} start={1} sup={2} sup_start={3} boot={4} node={5} started=1 ended=- exit=- signal=- reason=- survivors=- diff=- contained=pid_namespace at=1 log=0 log_at=0\n",
                leader[0], leader[1], supervisor[0], supervisor[1], supervisor[2], supervisor[3]
            ),
        )
        .expect("a file");
    }
}

/// The digest of the supervisor.
fn digest() -> String {
    let output = Command::new("sh")
        .args(["-c", "printf %s \"$1\" | sha256sum", "sh", SUPERVISOR])
        .output()
        .expect("a shell runs");
    let digest = String::from_utf8(output.stdout).expect("UTF-8");
    digest.split(' ').next().expect("a digest").to_owned()
}

fn tokens(line: &str) -> BTreeMap<String, String> {
    line.split_whitespace()
        .filter_map(|token| token.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(10));
    }
}

fn assert_tokens(state: &BTreeMap<String, String>, wanted: &[(&str, &str)]) {
    for (key, value) in wanted {
        assert_eq!(
            state.get(*key).map(String::as_str),
            Some(*value),
            "{key} in {state:?}"
        );
    }
}

/// Returns this machine's boot id and node as the supervisor writes them.
fn here(world: &World) -> (String, String) {
    let run = world.run("here", "true", "");
    run.start();
    let state = run.end();
    (state["boot"].clone(), state["node"].clone())
}

fn a_success_is_told_in_full(world: &World) {
    let run = world.run(
        "j",
        "cat; echo complaint >&2; pwd; umask; echo x >>ran; exec sleep 0.2",
        "",
    );
    fs::write(run.folder.join("stdin"), "the prompt\n").expect("a file");
    let first = tokens(&run.start());
    assert_tokens(&first, &[("job", "j"), ("run", "1"), ("state", "running")]);
    let state = run.end();
    assert_tokens(
        &state,
        &[
            ("v", "2"),
            ("state", "succeeded"),
            ("exit", "0"),
            ("signal", "-"),
            ("reason", "exit_status"),
            ("survivors", "-"),
            ("diff", "none"),
        ],
    );
    assert_eq!(first["pid"], state["pid"]);
    assert_eq!(
        run.read("agent.log"),
        format!("the prompt\n{}\n0022\n", run.job())
    );
    assert_eq!(run.read("agent.err"), "complaint\n");
    assert_eq!(run.ran(), 1);
    let exit: serde_json::Value = serde_json::from_str(&run.read("exit.json")).expect("JSON");
    assert_eq!(exit["state"], "succeeded");
    assert_eq!(exit["exit_code"], 0);
    assert!(exit["signal"].is_null());
    assert!(exit["ended_at"].as_u64() >= exit["started_at"].as_u64());
    assert_eq!(exit["survivors"].as_array().map(Vec::len), Some(0));
    let beat = tokens(&run.read("heartbeat"));
    assert_eq!(beat["log"], run.read("agent.log").len().to_string());
    // A start after the end changes nothing.
    let before = run.read("state");
    assert_eq!(run.start(), before);
    run.finalize();
    assert_eq!((run.read("state"), run.ran()), (before, 1));
}

fn failures_say_why(world: &World) {
    for (job, command, more, exit, signal, reason) in [
        ("a", "exit 3", "", "3", "-", "exit_status"),
        (
            "b",
            "exec 'no such program'",
            "",
            "127",
            "-",
            "command_not_found",
        ),
        ("c", "kill -KILL $$", "", "137", "9", "signal"),
        ("d", "true", "cwd /nowhere\n", "-", "-", "cwd_missing"),
    ] {
        let run = world.run(job, command, more);
        run.start();
        assert_tokens(
            &run.end(),
            &[
                ("state", "failed"),
                ("exit", exit),
                ("signal", signal),
                ("reason", reason),
            ],
        );
    }
    let run = world.run("e", "true", "");
    fs::remove_file(run.folder.join("spec")).expect("it was there");
    run.start();
    assert_tokens(
        &run.end(),
        &[
            ("job", "e"),
            ("state", "failed"),
            ("reason", "spec_missing"),
        ],
    );
}

fn secrets_reach_the_agent_and_nothing_else(world: &World) {
    let given = |text: &str| {
        fs::write(world.root().join("given"), format!("{text}\n: given\n")).expect("a file");
    };
    let run = world.run(
        "a",
        "[ ${#TOKEN} -eq 5 ] || exit 1; [ -n \"$seal_key\" ] || exit 2; env | grep -q seal_key && exit 3
         for p in /proc/[0-9]*; do tr '\\0' '\\n' <$p/environ | grep -q '^TOKEN=' && [ $p != /proc/$$ ] && exit 4; done; exit 0",
        "secrets yes\n",
    );
    given("TOKEN='s3 '\\''x'\nexport TOKEN\nseal_key=k");
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded"), ("exit", "0")]);
    for entry in fs::read_dir(&run.folder).expect("the folder").flatten() {
        // Reading a pipe that the supervisor is about to remove would wait for ever.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let text = fs::read(entry.path()).unwrap_or_default();
        assert!(!text.windows(2).any(|part| part == b"s3"), "{entry:?}");
    }

    let run = world.run("b", "echo x >>ran", "secrets yes\n");
    given("TOKEN='unclosed");
    run.start();
    assert_tokens(
        &run.end(),
        &[("state", "failed"), ("reason", "secrets_failed")],
    );
    assert_eq!(run.ran(), 0);

    // What did not come whole is not used.
    let run = world.run("c", "echo x >>ran", "secrets yes\n");
    fs::write(world.root().join("given"), "TOKEN=x\n").expect("a file");
    run.start();
    assert_tokens(
        &run.end(),
        &[
            ("state", "failed"),
            ("reason", "secrets_lost"),
            ("pid", "0"),
        ],
    );
    assert_eq!(run.ran(), 0);

    // They are lost with the supervisor that had them; a start that brings them again goes on.
    for brought in [false, true] {
        let run = world.run(
            if brought { "e" } else { "d" },
            "echo $TOKEN >>ran",
            "secrets yes\n",
        );
        given("TOKEN=x; export TOKEN");
        run.supervise(&[], "claimed").wait().expect("it ends");
        if brought {
            run.start();
            assert_tokens(&run.end(), &[("state", "succeeded")]);
        } else {
            run.finalize();
            assert_tokens(
                &run.end(),
                &[("state", "failed"), ("reason", "secrets_lost")],
            );
        }
        assert_eq!(run.ran(), usize::from(brought));
    }
}

fn thirty_two_starts_make_one_run(world: &World) {
    let run = world.run("j", "echo x >>ran; sleep 0.3", "");
    let children: Vec<Child> = (0..32)
        .map(|_| {
            world
                .command("sh")
                .args([
                    "-c",
                    &format!("{PAYLOADS}{START}"),
                    "sh",
                    &run.control(),
                    run.name(),
                    DEPLOYED,
                    &digest(),
                    "-",
                ])
                .stdout(Stdio::piped())
                .spawn()
                .expect("a shell runs")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let line = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(line.starts_with("legwork-run v=2 job=j "), "{line:?}");
    }
    assert_tokens(&run.end(), &[("state", "succeeded")]);
    assert_eq!(run.ran(), 1);
}

fn the_wall_limit_ends_the_whole_run(world: &World) {
    let run = world.run("j", "sleep 60 & sleep 61", "wall_s 1\n");
    run.start();
    assert_tokens(
        &run.end(),
        &[
            ("state", "timed_out"),
            ("reason", "wall_limit"),
            ("exit", "143"),
            ("signal", "15"),
        ],
    );
    assert_eq!(run.processes(), [""; 0]);
}

fn the_idle_limit_ends_a_silent_run_alone(world: &World) {
    let silent = world.run("a", "echo a; sleep 60", "idle_s 1\n");
    let busy = world.run(
        "b",
        "for i in 1 2 3 4 5 6; do echo $i; sleep 0.4; done",
        "idle_s 1\n",
    );
    silent.start();
    busy.start();
    assert_tokens(
        &silent.end(),
        &[("state", "timed_out"), ("reason", "idle_limit")],
    );
    assert_tokens(&busy.end(), &[("state", "succeeded")]);
}

/// A command whose processes ignore TERM: itself, a grandchild in its session, and one in a session of its own.
const STUBBORN: &str = "echo x >>ran
trap '' TERM
sh -c 'trap \"\" TERM; sh -c \"trap \\\"\\\" TERM; while :; do sleep 1; done\" & while :; do sleep 1; done' &
setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &
echo ready
while :; do sleep 1; done
";

fn cancel_ends_the_stubborn_the_grandchild_and_the_escaped(world: &World) {
    let run = world.run("j", STUBBORN, "");
    run.start();
    wait_until("the processes", || run.processes().len() >= 5);
    let answer = run.cancel("0");
    let mut lines = answer.lines();
    assert_tokens(
        &tokens(lines.next().expect("the state")),
        &[
            ("state", "cancelled"),
            ("reason", "cancel_requested"),
            ("signal", "9"),
            ("survivors", "-"),
        ],
    );
    assert_eq!(lines.next(), None);
    assert_eq!(run.processes(), [""; 0]);
    // Again: the same answer.
    assert_eq!(run.cancel("0"), answer);
    assert_eq!(run.ran(), 1);
}

fn cancel_before_the_start_means_no_agent(world: &World) {
    let run = world.run("j", "echo x >>ran", "");
    let answer = run.cancel("1");
    assert_tokens(
        &tokens(&answer),
        &[("state", "cancelled"), ("reason", "cancel_requested")],
    );
    assert_eq!(tokens(&run.start())["state"], "cancelled");
    assert_eq!(run.ran(), 0);

    // The tombstone alone is enough.
    let run = world.run("k", "echo x >>ran", "");
    fs::write(run.folder.join("cancelled"), "").expect("a file");
    run.start();
    assert_tokens(&run.end(), &[("state", "cancelled"), ("pid", "0")]);
    assert_eq!(run.ran(), 0);

    // Where no supervisor was ever deployed, the tombstone waits for a start that comes late.
    fs::remove_file(world.supervisor()).expect("it was there");
    let answer = world.script(
        CANCEL,
        &["none", "1", TOKEN, "1", DEPLOYED, &"0".repeat(64)],
    );
    assert_eq!(answer, "legwork-missing job=none dir=yes claim=no\n");
    assert!(
        world
            .root()
            .join("control/none")
            .join(TOKEN)
            .join("cancelled")
            .exists()
    );
}

fn a_term_to_the_supervisor_ends_the_run(world: &World) {
    let run = world.run("j", "sleep 60", "");
    let sup = tokens(&run.start())["sup"].clone();
    // HUP, as at the end of a login, does nothing.
    world.script("kill -HUP $1; sleep 0.4; kill -TERM $1", &[&sup]);
    assert_tokens(
        &run.end(),
        &[("state", "cancelled"), ("reason", "cancel_requested")],
    );
    assert_eq!(run.processes(), [""; 0]);
}

fn what_the_agent_leaves_running_is_ended(world: &World) {
    let run = world.run("j", "sleep 60 & setsid sleep 61 & echo done", "");
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded"), ("survivors", "-")]);
    assert_eq!(run.processes(), [""; 0]);
    assert_eq!(run.read("agent.log"), "done\n");
}

fn a_long_log_keeps_its_two_ends(world: &World) {
    let run = world.run(
        "j",
        "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; echo whole >&2",
        "log_cap 300000\n",
    );
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded"), ("exit", "0")]);
    let log = run.read("agent.log");
    assert!(log.starts_with("first\nxxx") && log.ends_with("x\nlast\n"));
    let mark = log.find("[legwork: ").expect("a mark");
    let cut: usize = log[mark + 10..]
        .split(' ')
        .next()
        .expect("a number")
        .parse()
        .expect("a number");
    let marker = format!("\n[legwork: {cut} bytes cut here]\n");
    assert!(log.contains(&marker));
    assert_eq!(
        log.len() - marker.len() + cut,
        3_000_000 + "first\n\nlast\n".len()
    );
    assert!(log.len() - marker.len() <= 300_000, "{}", log.len());
    assert_eq!(run.read("agent.err"), "whole\n");
    assert!(!run.exists("agent.log.cut0") && !run.exists("agent.log.cut1"));
}

fn changes_can_be_applied_to_the_base(world: &World) {
    let (worktree, base) = world.worktree();
    let more = format!("cwd {0}\nworktree {0}\nbase {base}\n", worktree.display());
    let run = world.run(
        "j",
        "echo three >>kept.txt; mv 'old name.txt' 'new name.txt'; rm gone.txt
         printf '\\000\\001\\377' >data.bin; mkdir -p sub; printf 'é\\n' >'sub/ü nt\"racked'; ln -s kept.txt link
         printf '#!/bin/sh\\n' >tool; chmod +x tool; mkdir __pycache__; echo x >__pycache__/a.pyc
         git add kept.txt; git -c user.name=n -c user.email=e@example.org commit -qm mine; git rm -q --cached data.bin",
        &more,
    );
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded"), ("diff", "ok")]);
    // The agent's own index and commit stay as it left them.
    let status = world.git(&worktree, &["status", "--porcelain", "data.bin"]);
    assert!(status.starts_with("D  data.bin"), "{status:?}");
    let diff = run.folder.join("changes.diff");
    let again = world.root().join("again");
    let seed = world.root().join("seed");
    world.git(
        &seed,
        &[
            "worktree",
            "add",
            "-q",
            "--detach",
            again.to_str().expect("UTF-8"),
            &base,
        ],
    );
    world.git(
        &again,
        &[
            "apply",
            "--index",
            "--binary",
            diff.to_str().expect("UTF-8"),
        ],
    );
    for name in [
        "kept.txt",
        "new name.txt",
        "data.bin",
        "sub/ü nt\"racked",
        "tool",
    ] {
        assert_eq!(
            fs::read(again.join(name)).expect(name),
            fs::read(worktree.join(name)).expect(name),
            "{name}"
        );
    }
    assert_eq!(
        fs::read_link(again.join("link")).expect("a link"),
        Path::new("kept.txt")
    );
    let permissions = fs::metadata(again.join("tool"))
        .expect("tool")
        .permissions();
    assert_eq!(permissions.mode() & 0o100, 0o100);
    for name in ["gone.txt", "old name.txt", "__pycache__"] {
        assert!(!again.join(name).exists(), "{name}");
    }
    assert!(!run.exists(".compare"));
}

fn no_configuration_of_the_repository_is_obeyed(world: &World) {
    let (worktree, base) = world.worktree();
    let more = format!("cwd {0}\nworktree {0}\nbase {base}\n", worktree.display());
    let trap = world.root().join("trap");
    let run = world.run(
        "j",
        &format!(
            "t={}; printf '#!/bin/sh\\necho x >>%s.sprung\\ncat\\n' $t >$t; chmod +x $t
             git config core.fsmonitor $t; git config filter.f.clean $t; git config filter.f.required true
             git config diff.d.textconv $t; git config diff.external $t; git config diff.d.command $t; git config core.pager $t
             git config core.hooksPath {}; git config core.excludesFile {}; git config diff.noprefix true
             printf '* filter=f diff=d\\n' >.gitattributes; echo new >new.txt; rm -f $t.sprung
             rm .git; echo 'gitdir: /nowhere' >.git",
            trap.display(),
            world.root().display(),
            worktree.join("kept.txt").display(),
        ),
        &more,
    );
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded"), ("diff", "ok")]);
    assert!(!world.root().join("trap.sprung").exists());
    let diff = run.read("changes.diff");
    assert!(
        diff.contains("diff --git a/new.txt b/new.txt") && diff.contains("+new"),
        "{diff}"
    );
}

fn a_failed_comparison_is_said(world: &World) {
    let (worktree, base) = world.worktree();
    let more = format!("worktree {}\nbase {base}\n", worktree.display());
    let run = world.run(
        "a",
        &format!("mv '{0}' '{0}.away'", worktree.display()),
        &more,
    );
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded"), ("diff", "failed")]);
    assert!(!run.read("changes.err").is_empty() && !run.exists("changes.diff"));

    // A repository that the agent begins inside the worktree comes along, with a commit or without; one that it cloned is named.
    let command = format!(
        "mv '{0}.away' '{0}'; cd '{0}'; echo new >new.txt; echo more >>kept.txt; git init -q inner; echo x >inner/x; git init -q made; cd made; echo y >y
         git add y; git -c user.name=n -c user.email=e@example.org commit -qm y; cd ..; git clone -q made cloned",
        worktree.display()
    );
    let run = world.run("b", &command, &more);
    fs::write(
        run.folder.join("objects"),
        format!("{}\n", world.root().join("seed/.git/objects").display()),
    )
    .expect("a file");
    run.start();
    assert_tokens(&run.end(), &[("diff", "partial")]);
    let diff = run.read("changes.diff");
    assert!(
        ["new.txt", "kept.txt", "inner/x", "made/y"]
            .iter()
            .all(|name| diff.contains(&format!("b/{name}"))),
        "{diff}"
    );
    assert!(!diff.contains("cloned") && !diff.contains("Subproject"));
    let list = run.read("changes.list");
    assert!(list.starts_with("left kind=nested count=1 "), "{list}");
}

fn a_supervisor_killed_anywhere_is_replaced(world: &World) {
    let (worktree, base) = world.worktree();
    let more = format!("worktree {}\nbase {base}\n", worktree.display());
    for point in [
        "claimed",
        "before_agent",
        "after_agent_start",
        "before_diff",
        "after_diff",
        "before_state",
    ] {
        let run = world.run(point, "echo x >>ran; echo t; sleep 0.2; exit 4", &more);
        let status = run.supervise(&[], point).wait().expect("it ends");
        assert!(!status.success(), "{point} was not reached");
        assert!(!run.has_ended(), "{point}");
        // A second start changes nothing on its own.
        assert!(run.supervise(&[], "").wait().expect("it ends").success());
        run.finalize();
        assert_tokens(
            &run.end(),
            &[
                ("state", "failed"),
                ("exit", "4"),
                ("reason", "exit_status"),
                ("diff", "ok"),
            ],
        );
        assert_eq!(
            (run.ran(), run.read("agent.log").as_str()),
            (1, "t\n"),
            "{point}"
        );
        assert!(
            run.exists("changes.diff") && run.exists("exit.json"),
            "{point}"
        );
        assert_eq!(run.processes(), [""; 0], "{point}");
    }
}

fn many_replacements_at_once_are_one(world: &World) {
    let run = world.run("j", "echo x >>ran; sleep 0.4; exit 5", "");
    run.supervise(&[], "before_agent").wait().expect("it ends");
    let children: Vec<Child> = (0..8).map(|_| run.supervise(&["--finalize"], "")).collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    assert_tokens(&run.end(), &[("state", "failed"), ("exit", "5")]);
    assert_eq!(run.ran(), 1);
    assert!(run.exists("claim/owner.2") && !run.exists("claim/owner.3"));
}

fn an_end_without_a_supervisor_is_told_truly(world: &World) {
    // The limit and the silence count from the agent's own start, whoever watches.
    let run = world.run("a", "sleep 60", "wall_s 50\n");
    run.supervise(&[], "after_agent_start")
        .wait()
        .expect("it ends");
    wait_until("the agent", || !run.read("leader").is_empty());
    // As if it had been started long ago.
    let leader = run.read("leader");
    let mut fields: Vec<&str> = leader.split_whitespace().collect();
    fields[4] = "1000000000";
    fs::write(run.folder.join("leader"), fields.join(" ") + "\n").expect("a file");
    run.finalize();
    assert_tokens(
        &run.end(),
        &[("state", "timed_out"), ("reason", "wall_limit")],
    );

    // The agent and all that was its is killed, supervisor included: nothing says how it ended.
    let run = world.run("b", "echo ready; sleep 60", "");
    run.supervise(&[], "after_agent_start")
        .wait()
        .expect("it ends");
    wait_until("the agent", || run.read("agent.log") == "ready\n");
    let leader = run.read("leader");
    let leader = leader.split(' ').next().expect("a pid");
    world.script("kill -KILL -$1", &[leader]);
    run.finalize();
    assert_tokens(
        &run.end(),
        &[("state", "lost"), ("reason", "vanished"), ("exit", "-")],
    );
}

fn cancel_works_without_a_supervisor(world: &World) {
    let run = world.run("j", STUBBORN, "");
    run.supervise(&[], "after_agent_start")
        .wait()
        .expect("it ends");
    wait_until("the agent", || run.read("agent.log") == "ready\n");
    assert_tokens(
        &tokens(&run.cancel("0")),
        &[
            ("state", "cancelled"),
            ("reason", "cancel_requested"),
            ("signal", "9"),
        ],
    );
    assert_eq!(run.processes(), [""; 0]);
    assert_eq!(run.ran(), 1);
}

fn a_recycled_pid_is_neither_believed_nor_signalled(world: &World) {
    let (boot, node) = here(world);
    // A process of somebody else, in a session of its own, that has the agent's number.
    let mut stranger = world
        .command("setsid")
        .args(["sleep", "60"])
        .spawn()
        .expect("it starts");
    let pid = stranger.id();
    let stat = format!("/proc/{pid}/stat");
    wait_until("its session", || {
        let stat = fs::read_to_string(&stat).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        fields.get(3) == Some(&pid.to_string().as_str())
    });
    for cancel in [false, true] {
        let run = world.run(if cancel { "a" } else { "b" }, "true", "");
        run.pretend(
            &format!("{pid} 1 {boot} {node} 1 -"),
            &format!("{pid} 1 {boot} {node}"),
        );
        if cancel {
            run.cancel("0");
        } else {
            run.finalize();
        }
        assert_tokens(&run.end(), &[("state", "lost"), ("reason", "vanished")]);
        sleep(Duration::from_millis(100));
        assert!(
            stranger.try_wait().expect("it can be asked").is_none(),
            "it was signalled"
        );
    }
    stranger.kill().expect("it is ours");
    stranger.wait().expect("it ends");
}

fn another_boot_means_lost(world: &World) {
    let (worktree, base) = world.worktree();
    fs::write(worktree.join("kept.txt"), "half done\n").expect("a file");
    let (_, node) = here(world);
    let own = std::process::id();
    let run = world.run(
        "j",
        "true",
        &format!("worktree {}\nbase {base}\n", worktree.display()),
    );
    run.pretend(
        &format!("{own} 1 00000000-old {node} 1 -"),
        &format!("{own} 1 00000000-old {node}"),
    );
    run.finalize();
    assert_tokens(
        &run.end(),
        &[("state", "lost"), ("reason", "rebooted"), ("diff", "ok")],
    );
    assert!(run.read("changes.diff").contains("+half done"));
}

fn another_machine_is_not_judged(world: &World) {
    let own = std::process::id();
    let run = world.run("j", "true", "");
    run.pretend(
        &format!("{own} 1 00000000-other other.1 1 -"),
        &format!("{own} 1 00000000-other other.1"),
    );
    run.finalize();
    assert_eq!(run.state()["state"], "running");
    let answer = world.script(POLL, &["0", "-", DEPLOYED, &digest(), "j", TOKEN, "0"]);
    assert!(answer.contains("legwork-elsewhere job=j\n"), "{answer}");
    assert_eq!(run.state()["state"], "running");
}

fn a_poll_tells_all_and_calls_a_supervisor(world: &World) {
    let done = world.run("done", "true", "");
    done.start();
    done.end();
    let orphan = world.run("orphan", "echo x >>ran; sleep 0.6; exit 6", "");
    orphan.start();
    let state = orphan.state();
    world.script("kill -KILL $1", &[&state["sup"]]);
    world.run("prepared", "true", "");
    let folder = Path::new("/proc").join(&state["sup"]);
    wait_until("the supervisor's end", || {
        let stat = fs::read_to_string(folder.join("stat"));
        stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z"))
    });
    // Where nobody buries the dead, its number is still taken: only a closer look tells.
    let hint = if folder.exists() {
        "0".to_owned()
    } else {
        format!("{}@{}", state["sup"], state["boot"])
    };
    let runs = format!(
        "0 - {DEPLOYED} {} done {TOKEN} - orphan {TOKEN} {hint} prepared {TOKEN} 0 absent {TOKEN} 0",
        digest()
    );
    let answer = world.script(POLL, &runs.split(' ').collect::<Vec<_>>());
    let lines: Vec<&str> = answer.lines().collect();
    let head = tokens(lines[0]);
    assert!(lines[0].starts_with("legwork-poll uptime="), "{answer}");
    assert_eq!(head["boot"], state["boot"]);
    assert!(head["uptime"].parse::<u64>().expect("a time") > 0);
    let states = lines
        .iter()
        .filter(|line| line.starts_with("legwork-run ") && line.contains(" at="))
        .count();
    assert_eq!(states, 2, "{answer}");
    for line in [
        "legwork-missing job=prepared dir=yes claim=no",
        "legwork-missing job=absent dir=no claim=no",
        "legwork-unsupervised job=orphan",
    ] {
        assert!(lines.contains(&line), "{answer}");
    }
    // Nobody but the poll did anything, and the run still ends as it should.
    assert_tokens(&orphan.end(), &[("state", "failed"), ("exit", "6")]);
    assert_eq!(orphan.ran(), 1);
}

fn a_waiting_poll_wakes(world: &World) {
    let run = world.run("j", "sleep 0.8", "");
    let line = run.start();
    let state = tokens(&line);
    let hint = format!("{}@{}", state["sup"], state["boot"]);
    let known = format!("{}\n", line.split(" at=").next().expect("a state"));
    let known = world.script("printf %s \"$1\" | sha256sum", &[&known]);
    let known = known.split(' ').next().expect("a digest");
    let began = Instant::now();
    let answer = world.script(POLL, &["20", known, DEPLOYED, &digest(), "j", TOKEN, &hint]);
    assert!(answer.contains(" state=succeeded "), "{answer}");
    assert!(
        began.elapsed() > Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    // What is known is old, or all has ended: it answers at once.
    for known in [known, "-"] {
        let began = Instant::now();
        world.script(POLL, &["20", known, DEPLOYED, &digest(), "j", TOKEN, "-"]);
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
    }
}

fn a_poll_of_no_root_finds_nothing(world: &World) {
    fs::remove_dir(world.root().join("control")).expect("it was empty");
    let answer = world.script(POLL, &["5", "-", DEPLOYED, &digest(), "proc", TOKEN, "0"]);
    assert!(answer.starts_with("legwork-poll uptime="), "{answer}");
    assert!(
        answer.contains("\nlegwork-missing job=proc dir=no claim=no\n")
            && !answer.contains("legwork-run"),
        "{answer}"
    );
}

fn a_waiting_poll_ends_with_its_caller(world: &World) {
    let run = world.run("j", "sleep 60", "");
    run.start();
    let poll = world.root().join("poll.sh");
    let body = format!("echo $$ >{}/pid\n{POLL}", world.root().display());
    fs::write(&poll, body).expect("a file");
    let mut caller = world
        .command("sh")
        .args(["-c", "sh \"$1\" 40 - none none j \"$2\" 0; :", "sh"])
        .arg(&poll)
        .arg(TOKEN)
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell runs");
    let pid = world.root().join("pid");
    let read = || fs::read_to_string(&pid).unwrap_or_default();
    wait_until("the poll", || read().ends_with('\n'));
    caller.kill().expect("it is ours");
    caller.wait().expect("it ends");
    let stat = Path::new("/proc").join(read().trim()).join("stat");
    wait_until("the end of the poll", || {
        fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z"))
    });
    run.cancel("0");
}

/// A command that leaves a process which gave up the session, the group and the environment of its run, and writes on.
const ESCAPE: &str = "env -i setsid -f sh -c 'while :; do echo x >>late; sleep 0.05; done'
until [ -s late ]; do sleep 0.02 2>/dev/null || sleep 1; done
";

fn assert_quiet(run: &Run) {
    let late = || fs::read(run.job.join("late")).unwrap_or_default().len();
    let before = late();
    sleep(Duration::from_millis(200));
    assert_eq!(late(), before, "something writes after the end");
}

fn an_end_takes_everything_with_it(world: &World) {
    let run = world.run("j", ESCAPE, "");
    run.start();
    assert_tokens(
        &run.end(),
        &[
            ("state", "succeeded"),
            ("contained", "pid_namespace"),
            ("survivors", "-"),
        ],
    );
    assert_quiet(&run);
    let run = world.run("k", &format!("{ESCAPE}sleep 60"), "");
    run.start();
    wait_until("the process", || run.job.join("late").exists());
    let state = tokens(&run.cancel("0"));
    assert_tokens(&state, &[("state", "cancelled"), ("survivors", "-")]);
    assert_quiet(&run);
}

fn without_containment_what_hides_is_found_by_its_place(world: &World) {
    world.without_containment();
    let run = world.run("j", &format!("{ESCAPE}echo ready; sleep 60"), "");
    run.start();
    wait_until("the agent", || run.read("agent.log") == "ready\n");
    // Somebody else at work in that folder is not of the run.
    let mut person = world
        .command("sh")
        .args(["-c", "cd \"$1\" && exec sleep 60", "sh", run.job()])
        .spawn()
        .expect("it starts");
    let folder = Path::new("/proc").join(person.id().to_string()).join("cwd");
    wait_until("the person", || {
        fs::read_link(&folder).is_ok_and(|there| there == run.job)
    });
    assert_tokens(
        &tokens(&run.cancel("0")),
        &[
            ("state", "cancelled"),
            ("contained", "best_effort"),
            ("survivors", "?"),
        ],
    );
    assert_quiet(&run);
    let exit: serde_json::Value = serde_json::from_str(&run.read("exit.json")).expect("JSON");
    assert!(exit["survivors"].is_null() && exit["contained"] == "best_effort");
    assert!(person.try_wait().expect("it can be asked").is_none());
    // A cancellation of what has ended ends what of it still lives.
    let command = format!("cd '{}'; {ESCAPE}", run.job());
    fs::remove_file(run.job.join("late")).expect("it was there");
    let status = world
        .command("env")
        .arg(format!("LEGWORK_RUN={}:", run.folder.display()))
        .args(["sh", "-c", &command])
        .status()
        .expect("a shell runs");
    assert!(status.success());
    let state = tokens(&run.cancel("0"));
    assert_tokens(&state, &[("state", "cancelled"), ("survivors", "?")]);
    assert_quiet(&run);
    person.kill().expect("it is ours");
    person.wait().expect("it ends");
}

fn an_end_that_the_agent_wrote_is_none(world: &World) {
    world.without_containment();
    let run = world.run(
        "j",
        "while [ ! -e go ]; do sleep 0.05 2>/dev/null || sleep 1; done; exit 7",
        "",
    );
    let line = run.start();
    let state = tokens(&line);
    world.script("kill -KILL $1", &[&state["sup"]]);
    let forged = line
        .replace("state=running", "state=succeeded")
        .replace("ended=-", "ended=1700000000")
        .replace("exit=-", "exit=0");
    fs::write(run.folder.join("state"), forged).expect("a forgery");
    let poll = ["0", "-", DEPLOYED, &digest(), "j", TOKEN, "0"].map(str::to_owned);
    let answer = world.script(POLL, &poll.each_ref().map(String::as_str));
    assert!(
        answer.contains("legwork-disbelieved job=j\n") && !answer.contains("state=succeeded"),
        "{answer}"
    );
    fs::write(run.job.join("go"), "").expect("a file");
    wait_until("the truth", || run.state()["state"] == "failed");
    assert_tokens(&run.end(), &[("exit", "7"), ("reason", "exit_status")]);
    let answer = world.script(POLL, &poll.each_ref().map(String::as_str));
    assert!(answer.contains(" state=failed "), "{answer}");
}

fn a_supervisor_that_was_altered_is_not_run(world: &World) {
    let trap = world.root().join("trap");
    let alter = || {
        let forged = format!("echo x >>'{}'\n", trap.display());
        fs::write(world.supervisor(), forged).expect("a forgery");
    };
    let run = world.run("j", "echo x; echo x >&2; sleep 60", "");
    alter();
    let state = tokens(&run.start());
    assert_tokens(&state, &[("state", "running")]);
    // All that is started of it at the beginning is there.
    wait_until("the logs", || {
        run.read("agent.log") == "x\n" && run.read("agent.err") == "x\n"
    });
    world.script("kill -KILL $1", &[&state["sup"]]);
    alter();
    let answer = world.script(POLL, &["0", "-", DEPLOYED, &digest(), "j", TOKEN, "0"]);
    assert!(answer.contains("legwork-unattended job=j\n"), "{answer}");
    world.script(
        TAKE_OVER,
        &[DEPLOYED, &digest(), &run.control(), "control/none"],
    );
    wait_until("the next supervisor", || run.exists("claim/owner.2"));
    alter();
    assert_tokens(&tokens(&run.cancel("0")), &[("state", "cancelled")]);
    assert!(!trap.exists(), "it was run");
}

fn a_later_protocol_is_left_alone(world: &World) {
    let run = world.run("j", "echo x >>ran", "");
    fs::write(run.folder.join("protocol"), "3\n").expect("a file");
    assert_eq!(run.cancel("0"), "legwork-protocol job=j protocol=3\n");
    let status = run.supervise(&["--finalize"], "").wait().expect("it ends");
    assert!(!status.success() && !run.exists("cancelled") && !run.exists("claim"));
    let status = run.supervise(&[], "").wait().expect("it ends");
    assert!(!status.success() && !run.exists("claim"));
    assert_eq!(run.ran(), 0);
}

fn a_run_whose_control_is_gone_ends(world: &World) {
    let run = world.run("j", "echo $$ >ran; sleep 60", "");
    let state = tokens(&run.start());
    // Its files come up while it is removed.
    wait_until("it goes", || fs::remove_dir_all(&run.folder).is_ok());
    for pid in [&state["sup"], &state["pid"]] {
        let stat = Path::new("/proc").join(pid).join("stat");
        wait_until("its end", || {
            fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z"))
        });
    }
}

fn servers_of_a_run_are_its_own(world: &World) {
    let run = world.run(
        "j",
        "echo \"$TMUX_TMPDIR\"; [ -d \"$XDG_RUNTIME_DIR\" ] && [ -d \"$GNUPGHOME\" ] && [ -z \"$SSH_AUTH_SOCK$TMUX\" ]",
        "",
    );
    run.start();
    assert_tokens(&run.end(), &[("state", "succeeded")]);
    let sockets = run.read("agent.log");
    let sockets = Path::new(sockets.trim());
    assert!(sockets.starts_with(world.root().join("tmp")) || sockets.starts_with("/tmp"));
    assert!(
        !sockets.exists() && sockets.as_os_str().len() <= 70,
        "{}",
        sockets.display()
    );
}
