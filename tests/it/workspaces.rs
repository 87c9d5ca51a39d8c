//! Workspaces, made on this machine and over SSH.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::json;

use crate::support::{Call, Sshd, World, at_once, descendants, in_own_mounts, kill, start};

const PROJECT: &str = "[build-system]\nrequires = ['setuptools', 'wheel']\nbuild-backend = 'setuptools.build_meta'\n\
     [project]\nname = 'demo-package'\nversion = '1.0'\n[tool.setuptools.packages.find]\nwhere = ['src']\n";

/// The functions under test, as they go in front of a script.
const FUNCTIONS: &str = concat!(
    include_str!("../../src/system/shell/forget_git.sh"),
    include_str!("../../src/system/shell/plain_git.sh"),
    include_str!("../../src/system/shell/git_settings.sh"),
    include_str!("../../src/system/shell/process.sh"),
    include_str!("../../src/domain/repository/git.sh"),
    include_str!("../../src/domain/workspace/lock.sh"),
    include_str!("../../src/domain/workspace/modules.sh"),
    include_str!("../../src/domain/workspace/clone.sh"),
);

/// A world with a source repository, and legwork's folder on this machine inside it.
fn world() -> (World, PathBuf) {
    furnish(World::new())
}

/// The same, with `uv`, and with a profile `offline` that installs from the wheels of the test bed.
fn world_with_uv() -> (World, PathBuf) {
    let world = World::with_testbed();
    let wheels = world.testbed().path("wheels");
    world.configure(&format!(
        "[profiles.offline]\nextends = 'python-uv'\ninstall_arguments = ['--no-index', '--find-links', '{}']\n",
        wheels.display()
    ));
    furnish(world)
}

fn furnish(world: World) -> (World, PathBuf) {
    let root = world.path("root");
    world.configure(&format!("[hosts.local]\nroot = '{}'\n", root.display()));
    let source = world.repository(
        "source",
        &[
            ("pyproject.toml", PROJECT),
            ("src/demo_package/__init__.py", "ANSWER = 1\n"),
            ("README", "first\n"),
        ],
    );
    (world, source)
}

fn provision(world: &World, host: &str, repository: &str, more: &[&str]) -> Call {
    let mut arguments = vec![
        "provision-workspace",
        "--host",
        host,
        "--repository",
        repository,
    ];
    arguments.extend(more);
    world.legwork(arguments)
}

fn commit(world: &World, source: &Path, text: &str) -> String {
    fs::write(source.join("README"), text).expect("a change");
    world.git(source, &["commit", "--quiet", "--all", "--message", text]);
    head(world, source)
}

fn head(world: &World, folder: &Path) -> String {
    world.git(folder, &["rev-parse", "HEAD"]).trim().to_owned()
}

/// Returns the states of the steps, as `clone=ran resolve=done …`, those that are skipped left out.
fn steps(call: &Call) -> String {
    let steps = call.at("/steps");
    let steps = steps.as_array().expect("steps");
    steps
        .iter()
        .map(|step| {
            (
                step["name"].as_str().expect("a name"),
                step["state"].as_str().expect("a state"),
            )
        })
        .filter(|(_, state)| *state != "skipped")
        .map(|(name, state)| format!("{name}={state}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::symlink_metadata(path).is_err() {
        assert!(Instant::now() < deadline, "{} never came", path.display());
        thread::sleep(Duration::from_millis(10));
    }
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid")
}

#[test]
fn a_second_time_is_a_replay_in_one_round_trip() {
    let (world, source) = world();
    let sshd = Sshd::start(&world, "box");
    let url = source.display().to_string();
    for host in ["local", sshd.alias()] {
        let dry = provision(&world, host, "demo", &["--url", &url, "--dry-run"]).ok();
        assert_eq!(steps(&dry), "clone=pending resolve=pending");
        assert_eq!((dry.effect(), dry.at("/ready")), ("none", false.into()));
        assert_eq!(
            world
                .legwork(["check-workspace", "--host", host, "--repository", "demo"])
                .error_code(),
            "workspace_not_found"
        );

        let first = provision(&world, host, "demo", &["--url", &url]).ok();
        assert_eq!(first.effect(), "applied");
        assert_eq!(steps(&first), "clone=ran resolve=ran");
        assert_eq!(first.text("/base_commit"), head(&world, &source));
        assert_eq!(first.next()[0].primitive, "launch-investigation");
        assert_eq!(first.next()[0].input["host"], host);

        let second = provision(&world, host, "demo", &["--url", &url]).ok();
        assert_eq!(second.effect(), "replayed");
        assert_eq!(steps(&second), "clone=done resolve=done");
        assert_eq!(second.at("/base_commit"), first.at("/base_commit"));
        assert_eq!(second.round_trips(), u64::from(host != "local"));

        let checked = world
            .legwork(["check-workspace", "--host", host, "--repository", "demo"])
            .ok();
        assert_eq!(checked.at("/ready"), true, "{}", checked.line());
        assert_eq!(checked.round_trips(), u64::from(host != "local"));
    }
    let list = world.legwork(["list-workspaces", "--limit", "1"]).ok();
    assert_eq!(list.text("/workspaces/0/host"), "box");
    let rest = world
        .legwork([
            "list-workspaces",
            "--limit",
            "1",
            "--cursor",
            &list.text("/next_cursor"),
        ])
        .ok();
    assert_eq!(rest.text("/workspaces/0/host"), "local");
    assert!(rest.at("/next_cursor").is_null());
    let other = [
        "list-workspaces",
        "--host",
        "box",
        "--cursor",
        &list.text("/next_cursor"),
    ];
    assert_eq!(world.legwork(other).error_code(), "cursor_invalid");
}

#[test]
fn only_what_depends_on_a_change_runs_again() {
    let (world, source) = world_with_uv();
    let url = source.display().to_string();
    let first = head(&world, &source);
    world.git(&source, &["branch", "old"]);
    world.git(&source, &["tag", "v1"]);
    let with = |more: &[&str]| {
        let mut arguments = vec!["--url", url.as_str(), "--profile", "offline"];
        arguments.extend(more);
        provision(&world, "local", "demo", &arguments)
    };
    assert_eq!(
        steps(&with(&[]).ok()),
        "clone=ran resolve=ran environment=ran install=ran smoke=ran"
    );
    let second = commit(&world, &source, "second");

    // The commit stays until it is asked for.
    let again = with(&[]).ok();
    assert_eq!(
        (again.effect(), again.text("/base_commit")),
        ("replayed", first.clone())
    );
    let moved = with(&["--refresh"]).ok();
    assert_eq!(moved.text("/base_commit"), second);
    assert_eq!(
        steps(&moved),
        "clone=done resolve=ran environment=done install=ran smoke=ran"
    );

    for reference in ["old", "v1", "refs/tags/v1", first.as_str(), &first[..12]] {
        let call = with(&["--reference", reference]).ok();
        assert_eq!(call.text("/base_commit"), first, "{reference}");
    }
    // A ref that does not exist spoils nothing.
    let bad = with(&["--reference", "nosuch"]);
    assert_eq!((bad.error_code(), bad.effect()), ("ref_not_found", "none"));
    let listed = world.legwork(["list-workspaces"]).ok();
    assert_eq!(listed.at("/workspaces/0/ready"), true);
    assert_eq!(
        with(&["--reference", &first[..12]]).ok().effect(),
        "replayed"
    );

    // A package more makes another environment.
    let call = with(&["--reference", "v1", "--packages", "[\"iniconfig\"]"]).ok();
    assert_eq!(
        steps(&call),
        "clone=done resolve=ran environment=done install=ran smoke=ran"
    );
    let python = world.path("root/repos/demo/env/bin/python");
    let status = world
        .command(&python)
        .args(["-I", "-c", "import iniconfig, demo_package"])
        .status()
        .expect("python starts");
    assert!(status.success());

    // What is gone from the disk is made again, and what stands on it.
    fs::remove_dir_all(call.text("/environment")).expect("the environment goes");
    let checked = world
        .legwork(["check-workspace", "--repository", "demo"])
        .ok();
    assert_eq!(checked.at("/ready"), false);
    // The call that is suggested is the one that mends it, with all that was asked for.
    let next = &checked.next()[0];
    assert_eq!(next.primitive, "provision-workspace");
    let mended = world
        .legwork(["provision-workspace", "--json", &next.input.to_string()])
        .ok();
    assert_eq!(
        steps(&mended),
        "clone=done resolve=done environment=done install=ran smoke=ran"
    );
}

#[test]
fn a_wheel_follows_the_sources() {
    let (world, source) = world_with_uv();
    let url = source.display().to_string();
    world.configure("[profiles.wheel]\nextends = 'offline'\ninstall = 'wheel'\n");
    let answer = |call: &Call| {
        assert_eq!(call.at("/ready"), true);
        let output = world
            .command(world.path("root/repos/demo/env/bin/python"))
            .args([
                "-I",
                "-c",
                "import demo_package; print(demo_package.ANSWER, demo_package.__file__)",
            ])
            .output()
            .expect("python starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let arguments = ["--url", &url, "--profile", "wheel", "--refresh"];
    let first = answer(&provision(&world, "local", "demo", &arguments).ok());
    assert!(
        first.starts_with("1 ") && first.contains("site-packages"),
        "{first}"
    );
    fs::write(source.join("src/demo_package/__init__.py"), "ANSWER = 2\n").expect("a change");
    commit(&world, &source, "second");
    let second = answer(&provision(&world, "local", "demo", &arguments).ok());
    assert!(second.starts_with("2 "), "{second}");
}

#[test]
fn the_profiles_commands_run_in_the_seed_with_its_variables() {
    let (world, source) = world();
    let url = source.display().to_string();
    world.configure(
        "[profiles.mine]\nextends = 'generic'\nsetup = 'printf %s \"$PLACE\" > made && echo \"set up\"'\n\
         smoke = 'test -e wanted'\n[profiles.mine.variables]\nPLACE = '{worktree}:$(touch x)'\n",
    );
    let arguments = ["--url", &url, "--profile", "mine"];
    let failed = provision(&world, "local", "demo", &arguments);
    assert_eq!(failed.error_code(), "provision_step_failed");
    assert_eq!(failed.effect(), "partial");
    assert_eq!(failed.details()["step"], "smoke");
    assert_eq!(failed.details()["exit_code"], 1);
    let seed = world.path("root/repos/demo/seed");
    assert!(!seed.join("x").exists(), "a shell ran the variable");
    assert_eq!(
        fs::read_to_string(seed.join("made")).expect("what setup made"),
        format!("{}:$(touch x)", seed.display())
    );
    let listed = world.legwork(["list-workspaces"]).ok();
    assert_eq!(listed.text("/workspaces/0/missing_step"), "smoke");
    let early = [
        "launch-investigation",
        "--repository",
        "demo",
        "--message",
        "x",
    ];
    let early = world.legwork(early);
    assert_eq!(
        (early.error_code(), early.effect()),
        ("workspace_not_ready", "none")
    );
    assert_eq!(early.details()["step"], "smoke");
    assert_eq!(early.next()[0].primitive, "provision-workspace");
    assert_eq!(
        early.next()[0].input,
        json!({"host": "local", "repository": "demo", "url": url, "profile": "mine"})
    );

    world.configure("[profiles.mine]\nsmoke = 'test -e made'\n");
    let mended = provision(&world, "local", "demo", &arguments).ok();
    assert_eq!(
        steps(&mended),
        "clone=done resolve=done setup=done smoke=ran"
    );
    let checked = world
        .legwork(["check-workspace", "--repository", "demo", "--smoke"])
        .ok();
    assert_eq!(checked.at("/ready"), true, "{}", checked.line());
}

#[test]
fn a_step_that_another_call_undid_is_an_operation_in_progress() {
    let (world, source) = world();
    let url = source.display().to_string();
    // As a call with another ref does while this one sets up.
    world.configure(
        "[profiles.mine]\nextends = 'generic'\nsetup = 'rm ../steps/resolve'\nsmoke = 'true'\n",
    );
    let arguments = ["--url", &url, "--profile", "mine"];
    let call = provision(&world, "local", "demo", &arguments);
    assert_eq!(
        (call.error_code(), call.kind()),
        ("operation_in_progress", "aborted"),
        "{}",
        call.line()
    );
    world.configure("[profiles.mine]\nsetup = 'true'\n");
    let call = provision(&world, "local", "demo", &arguments).ok();
    assert_eq!(call.at("/ready"), true);
}

#[test]
fn profiles_are_listed_and_shown_with_what_they_extend() {
    let world = World::new();
    world.configure("[profiles.mine]\nextends = 'python-uv'\npackages = ['pytest']\n");
    let listed = world.legwork(["list-profiles"]).ok();
    let profiles = listed.at("/profiles");
    let origins: Vec<(&str, &str)> = profiles
        .as_array()
        .expect("profiles")
        .iter()
        .filter_map(|profile| Some((profile["name"].as_str()?, profile["origin"].as_str()?)))
        .collect();
    for expected in [
        ("generic", "built_in"),
        ("python-uv", "built_in"),
        ("mine", "configuration"),
    ] {
        assert!(origins.contains(&expected), "{origins:?}");
    }
    let show = |name: &str| world.legwork(["show-profile", "--profile", name]);
    show("mine").ok();
    let unknown = show("mien");
    assert_eq!(unknown.error_code(), "profile_unknown");
    assert_eq!(unknown.details()["did_you_mean"], "mine");
}

#[test]
fn what_cannot_be_cloned_is_named() {
    let (world, source) = world();
    let url = source.display().to_string();
    let code = |arguments: &[&str]| {
        provision(&world, "local", "demo", arguments)
            .error_code()
            .to_owned()
    };
    assert_eq!(code(&[]), "repository_unknown");
    assert_eq!(code(&["--url", "/nonexistent"]), "clone_failed");
    assert_eq!(
        code(&["--url", &url, "--profile", "nosuch"]),
        "profile_unknown"
    );
    assert_eq!(
        code(&["--url", &url, "--reference", "nosuch"]),
        "ref_not_found"
    );
    assert_eq!(
        code(&["--url", &url, "--reference", "refs/pull/9/head"]),
        "ref_not_found"
    );
    assert_eq!(
        code(&["--url", &url, "--reference", &"1".repeat(40)]),
        "ref_not_found"
    );
    provision(&world, "local", "demo", &["--url", &url]).ok();
    assert_eq!(code(&["--url", "/elsewhere"]), "repository_mismatch");

    let empty = world.path("empty");
    fs::create_dir(&empty).expect("a folder");
    world.git(&empty, &["init", "--quiet", "--bare"]);
    let empty = empty.display().to_string();
    let call = provision(&world, "local", "empty", &["--url", &empty]);
    assert_eq!(call.error_code(), "ref_not_found");

    world.configure("[hosts.local]\nroot = '/dev/null/legwork'\n");
    let call = provision(&world, "local", "demo", &["--url", &url]);
    assert_eq!(call.error_code(), "host_folder_unwritable");
}

#[test]
fn a_refused_provision_leaves_no_workspace_behind() {
    let (world, source) = world();
    let url = source.display().to_string();
    let listed = || world.legwork(["list-workspaces"]).ok().at("/workspaces");
    let refused = provision(&world, "local", "demo", &["--url", "/nonexistent"]);
    assert_eq!(refused.error_code(), "clone_failed");
    assert_eq!(refused.effect(), "none");
    assert!(
        refused.line().contains("\"retry_safe\":false"),
        "{}",
        refused.line()
    );
    assert_eq!(listed(), serde_json::json!([]));
    // A step that was done stays known, and so does what was known before.
    let resolved = provision(
        &world,
        "local",
        "demo",
        &["--url", &url, "--reference", "nosuch"],
    );
    assert_eq!(resolved.error_code(), "ref_not_found");
    assert_eq!(resolved.effect(), "partial", "the clone was made");
    assert_eq!(listed()[0]["missing_step"], "resolve");
    provision(&world, "local", "demo", &["--url", &url]).ok();
    let refused = provision(
        &world,
        "local",
        "demo",
        &["--url", &url, "--reference", "nosuch"],
    );
    assert_eq!(refused.effect(), "none");
    assert_eq!(listed()[0]["ready"], true);
}

#[test]
fn uv_is_asked_for_by_name_where_it_is_missing() {
    let (world, source) = world();
    let url = source.display().to_string();
    let call = provision(
        &world,
        "local",
        "demo",
        &["--url", &url, "--profile", "python-uv"],
    );
    assert_eq!(call.error_code(), "host_tool_missing");
    assert_eq!(call.details()["tool"], "uv");
    assert!(
        !world.path("root").exists(),
        "nothing is begun that cannot end well"
    );
}

#[test]
fn hostile_texts_reach_no_shell() {
    let (world, source) = world();
    let sshd = Sshd::start(&world, "box");
    let url = source.display().to_string();
    let trap = world.path("trap");
    let bait = format!("$(touch {0})`touch {0}`;touch {0}", trap.display());
    for host in ["local", sshd.alias()] {
        for name in ["-rf", "a/b", "..", "a\nb", &bait, ""] {
            let call = provision(&world, host, &format!("={name}")[1..], &["--url", &url]);
            assert_eq!(call.error_code(), "spec_invalid", "{name:?}");
        }
        for bad in [
            "-uhttp://x",
            "--upload-pack=touch x",
            "a\nb",
            "\u{1b}[2J",
            "ext::sh -c touch% x",
        ] {
            let input = serde_json::json!({"host": host, "repository": "demo", "url": bad});
            let call = world.legwork(["provision-workspace", "--json", &input.to_string()]);
            assert_eq!(call.error_code(), "spec_invalid", "{bad:?}");
        }
        for bad in ["-f", "a b", "a\nb", "a..b", "HEAD~1", "@{u}", "a:b", ":/x"] {
            let input = serde_json::json!({"host": host, "repository": "demo", "url": url, "reference": bad});
            let call = world.legwork(["provision-workspace", "--json", &input.to_string()]);
            assert_eq!(call.error_code(), "spec_invalid", "{bad:?}");
        }
        let call = provision(&world, host, "bait", &["--url", &bait]);
        assert_eq!(call.error_code(), "clone_failed", "{}", call.line());
        let reference = bait
            .replace(' ', "${IFS}")
            .replace(['~', '^', ':', '?', '*', '[', '\\'], "");
        let call = provision(
            &world,
            host,
            "demo",
            &["--url", &url, "--reference", &reference],
        );
        assert_eq!(call.error_code(), "ref_not_found", "{}", call.line());
    }
    // A repository really may have such a path and such a branch.
    let odd = world.repository("odd $(touch trap)", &[("a", "a\n")]);
    world.git(&odd, &["branch", "$(touch${IFS}trap)'\""]);
    let call = provision(
        &world,
        sshd.alias(),
        "odd",
        &[
            "--url",
            &odd.display().to_string(),
            "--reference",
            "$(touch${IFS}trap)'\"",
        ],
    )
    .ok();
    assert_eq!(call.text("/base_commit"), head(&world, &odd));
    assert!(!trap.exists(), "a shell ran it");
}

#[test]
fn eight_at_once_make_one_clone() {
    let (world, source) = world_with_uv();
    let sshd = Sshd::start(&world, "box");
    let url = source.display().to_string();
    for host in ["local", sshd.alias()] {
        let arguments = [
            "provision-workspace",
            "--host",
            host,
            "--repository",
            "demo",
            "--url",
            &url,
            "--profile",
            "offline",
        ];
        let calls = at_once((0..8).map(|_| world.legwork_command(arguments)));
        let calls: Vec<Call> = calls.into_iter().map(Call::ok).collect();
        for step in ["clone", "resolve", "environment", "install", "smoke"] {
            let ran = calls
                .iter()
                .filter(|call| steps(call).contains(&format!("{step}=ran")))
                .count();
            assert_eq!(ran, 1, "{step} on {host}");
        }
        let again = world.legwork(arguments).ok();
        assert_eq!(again.effect(), "replayed");
    }
}

/// Where a step is interrupted, and what is killed with legwork.
struct Interruption {
    world: World,
    arguments: Vec<String>,
    begun: PathBuf,
}

impl Interruption {
    /// A clone that takes three seconds, by git's own hook around the packing.
    fn of_clone() -> Self {
        let (world, source) = world();
        let begun = world.path("begun");
        let hook = world.path("slow");
        executable(
            &hook,
            &format!(
                "#!/bin/sh\n: >'{}'\nsleep 3\nexec \"$@\"\n",
                begun.display()
            ),
        );
        let configuration = world.path("gitconfig");
        let text = fs::read_to_string(&configuration).expect("git's configuration");
        fs::write(
            &configuration,
            format!(
                "{text}[uploadpack]\n\tpackObjectsHook = {}\n",
                hook.display()
            ),
        )
        .expect("git's configuration");
        let arguments = ["--url", &format!("file://{}", source.display())].map(str::to_owned);
        Self {
            world,
            arguments: arguments.to_vec(),
            begun,
        }
    }

    /// An install that takes some seconds, because the project's build does.
    fn of_install() -> Self {
        let (world, source) = world_with_uv();
        let begun = world.path("begun");
        fs::write(
            source.join("setup.py"),
            format!(
                "import time\nfrom setuptools import setup\nopen('{}', 'w').close()\ntime.sleep(1)\nsetup()\n",
                begun.display()
            ),
        )
        .expect("setup.py");
        world.git(&source, &["add", "--all"]);
        commit(&world, &source, "slow");
        let arguments = [
            "--url",
            &source.display().to_string(),
            "--profile",
            "offline",
        ]
        .map(str::to_owned);
        Self {
            world,
            arguments: arguments.to_vec(),
            begun,
        }
    }

    fn command(&self) -> Command {
        let mut command = self.world.legwork_command(
            [
                "provision-workspace",
                "--host",
                "local",
                "--repository",
                "demo",
            ]
            .into_iter()
            .chain(self.arguments.iter().map(String::as_str)),
        );
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Kills legwork, or it and its whole process group, once the step has begun; then the same call converges.
    fn converges(&self, group: bool) {
        let mut child = self
            .command()
            .process_group(0)
            .spawn()
            .expect("legwork starts");
        wait_for(&self.begun);
        if group {
            kill_process_group(pid(&child), Signal::KILL).expect("killed");
        } else {
            kill_process(pid(&child), Signal::KILL).expect("killed");
        }
        child.wait().expect("legwork is gone");
        let again = Call::read(&self.command().output().expect("legwork starts")).ok();
        assert!(matches!(again.effect(), "applied" | "replayed"));
        let third = Call::read(&self.command().output().expect("legwork starts")).ok();
        assert_eq!(third.effect(), "replayed");
        let checked = self
            .world
            .legwork(["check-workspace", "--repository", "demo", "--smoke"])
            .ok();
        assert_eq!(checked.at("/ready"), true, "{}", checked.line());
        let litter: Vec<_> = fs::read_dir(self.world.path("root/repos/demo"))
            .expect("the repository's folder")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.contains(".new") || name.starts_with('.'))
            .collect();
        assert!(litter.is_empty(), "{litter:?}");
    }
}

#[test]
fn killed_while_it_clones() {
    Interruption::of_clone().converges(false);
    Interruption::of_clone().converges(true);
}

#[test]
fn killed_while_it_installs() {
    Interruption::of_install().converges(false);
    Interruption::of_install().converges(true);
}

/// A world whose profile `slow` has a set-up that writes down beside the seed when it begins and when it ends.
fn slow_world() -> (World, PathBuf) {
    let (world, source) = world();
    world.configure(
        "[profiles.slow]\nextends = 'generic'\n\
         setup = 'echo begin >>../set-ups; sleep 0.7; echo end >>../set-ups'\n",
    );
    (world, source)
}

/// Returns the file in which the set-ups of a repository write down when they begin and end.
fn set_ups(world: &World, repository: &str) -> PathBuf {
    world.path(format!("root/repos/{repository}/set-ups"))
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Sends a signal to the process group of a call whose set-up has begun, and sends the call again.
fn interrupt_set_up(world: &World, name: &str, url: &str, signal: Signal) {
    let arguments = [
        "provision-workspace",
        "--host",
        "local",
        "--repository",
        name,
        "--url",
        url,
        "--profile",
        "slow",
    ];
    let child = start(world.legwork_command(arguments).process_group(0));
    let tally = set_ups(world, name);
    wait_for(&tally);
    kill_process_group(pid(&child), signal).expect("it is ours");
    let output = child.wait_with_output().expect("legwork is gone");
    if signal != Signal::KILL {
        let call = Call::read(&output);
        assert_eq!(call.error_code(), "cancelled", "{}", call.line());
    }
    let again = world.legwork(arguments).ok();
    assert_eq!(again.at("/ready"), true);
    assert_eq!(lines(&tally), ["begin", "end"], "{signal:?}: adopted");
}

#[test]
fn a_signal_to_the_group_never_lets_a_second_set_up_begin_beside_the_first() {
    let (world, source) = slow_world();
    let url = source.display().to_string();
    // Most of each is waiting, so they go side by side.
    thread::scope(|scope| {
        for signal in [Signal::TERM, Signal::KILL, Signal::INT, Signal::HUP] {
            let (world, url) = (&world, &url);
            scope.spawn(move || {
                for number in 0..4 {
                    let name = format!("demo-{}-{number}", signal.as_raw());
                    interrupt_set_up(world, &name, url, signal);
                }
            });
        }
    });
}

#[test]
fn a_set_up_whose_step_is_killed_keeps_the_next_one_waiting() {
    let (world, source) = slow_world();
    let tally = set_ups(&world, "demo");
    let url = source.display().to_string();
    let arguments = ["--url", &url, "--profile", "slow"];
    let mut child = world
        .legwork_command(
            [
                &["provision-workspace", "--repository", "demo"],
                &arguments[..],
            ]
            .concat(),
        )
        .stdout(Stdio::null())
        .spawn()
        .expect("legwork starts");
    wait_for(&tally);
    // Everything between legwork and the command itself, which is `timeout`'s child.
    // All of it is looked at first: the child of a killed one has another parent.
    let found = descendants(child.id()).into_iter();
    let between: Vec<_> = found
        .filter(|(process, name)| name != "sleep" && parent_name(*process) != "timeout")
        .collect();
    for (process, _) in between {
        kill(process);
    }
    child.wait().expect("it ends");
    provision(&world, "local", "demo", &arguments).ok();
    assert_eq!(lines(&tally), ["begin", "end", "begin", "end"]);
}

/// Returns the name of the program that is the parent of a process.
fn parent_name(process: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let parent = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.split(' ').nth(1))
        .unwrap_or_default();
    let name = fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    name.trim().to_owned()
}

#[test]
fn the_work_holds_the_lock_when_its_shell_is_killed() {
    let world = World::new();
    let bare = without_flock(&world);
    let body = "limit=20; take_lock \"$1\" 60 || exit 9; bounded sh -c \"$3\" sh \"$2\"; drop_lock";
    let work = "echo in >>\"$1\"; sleep 0.4; echo out >>\"$1\"";
    for path in [crate::support::SYSTEM_PATH, bare.as_str()] {
        for number in 0..SHELLS.len() {
            let lock = world
                .path(format!("lock{number}{}", path == bare))
                .display()
                .to_string();
            let log = world.path(format!("log{number}{}", path == bare));
            let arguments = [&lock, log.to_str().expect("UTF-8"), work];
            let mut first = shell(&world, number, path, body, &arguments)
                .spawn()
                .expect("a shell starts");
            wait_for(&log);
            first.kill().expect("it is ours");
            first.wait().expect("it ends");
            let second = run(shell(&world, number, path, body, &arguments));
            assert!(second.status.success(), "{second:?}");
            assert_eq!(lines(&log), ["in", "out", "in", "out"], "{number} {path}");
        }
    }
}

#[test]
fn a_server_that_a_finished_step_left_behind_does_not_keep_its_lock() {
    let world = World::new();
    let lock = world.path("lock").display().to_string();
    let server = world.path("server").display().to_string();
    let body = "take_lock \"$1\" 1 || exit 9; [ -z \"$2\" ] || { setsid sleep 60 >/dev/null 2>&1 & echo $! >\"$2\"; }; drop_lock";
    for number in 0..SHELLS.len() {
        let path = crate::support::SYSTEM_PATH;
        let first = run(shell(&world, number, path, body, &[&lock, &server]));
        assert!(first.status.success(), "{first:?}");
        let second = run(shell(&world, number, path, body, &[&lock, ""]));
        assert!(second.status.success(), "{second:?}");
        let process = fs::read_to_string(&server).expect("the server's pid");
        kill(process.trim().parse().expect("a pid"));
    }
}

#[test]
fn locks_that_a_killed_fetch_left_in_the_mirror_are_cleared() {
    let (world, source) = world();
    let url = source.display().to_string();
    provision(&world, "local", "demo", &["--url", &url]).ok();
    world.git(&source, &["tag", "v1"]);
    let mirror = world.path("root/mirrors/demo.git");
    for lock in [
        "refs/tags/v1.lock",
        "packed-refs.lock",
        "shallow.lock",
        "HEAD.lock",
    ] {
        let lock = mirror.join(lock);
        fs::create_dir_all(lock.parent().expect("a folder")).expect("a folder");
        fs::write(&lock, "").expect("a lock");
    }
    provision(&world, "local", "demo", &["--url", &url, "--refresh"]).ok();
    assert_eq!(
        world.git(&mirror, &["rev-parse", "v1"]).trim(),
        head(&world, &source)
    );
}

#[test]
fn a_look_ends_with_the_call_that_asked_for_it() {
    let (world, source) = world();
    let begun = world.path("begun");
    world.configure(&format!(
        "[profiles.slow]\nextends = 'generic'\nsmoke = \"[ ! -e {0} ] || {{ echo $$ >>{0}; sleep 60; }}\"\n",
        begun.display()
    ));
    let url = source.display().to_string();
    provision(
        &world,
        "local",
        "demo",
        &["--url", &url, "--profile", "slow"],
    )
    .ok();
    fs::write(&begun, "").expect("the smoke test waits from now on");
    let child = world
        .legwork_command(["check-workspace", "--repository", "demo", "--smoke"])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("legwork starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    while lines(&begun).is_empty() {
        assert!(Instant::now() < deadline, "the smoke test never began");
        thread::sleep(Duration::from_millis(10));
    }
    kill_process_group(pid(&child), Signal::INT).expect("it is ours");
    let output = child.wait_with_output().expect("legwork ends");
    let call = Call::read(&output);
    assert_eq!(
        (call.error_code(), output.status.code()),
        ("cancelled", Some(130))
    );
    let smoke = Path::new("/proc").join(&lines(&begun)[0]).join("stat");
    while fs::read_to_string(&smoke).is_ok_and(|stat| !stat.contains(") Z")) {
        assert!(Instant::now() < deadline, "the smoke test goes on");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_disk_without_room_is_found_by_looking() {
    let world = World::new();
    world.repository("source", &[("README", "first\n")]);
    let url = world.path("source").display().to_string();
    let root = world.path("mounted").join("root");
    // Nothing that is printed says why it fails.
    world.configure(&format!(
        "[hosts.local]\nroot = '{}'\n[profiles.greedy]\nextends = 'generic'\n\
         setup = \"head -c 9000000 /dev/zero >fill 2>/dev/null; exit 3\"\n",
        root.display()
    ));
    let script = "mount -t tmpfs -o size=4m none \"$2\" && exec \"$1\" provision-workspace --repository demo --profile greedy --url \"$3\"";
    let output = in_own_mounts(&world, script, [&url])
        .output()
        .expect("unshare starts");
    let call = Call::read(&output);
    assert_eq!(call.error_code(), "disk_full", "{}", call.line());
    assert!(
        call.details()["path"]
            .as_str()
            .is_some_and(|path| path.starts_with(root.to_str().expect("UTF-8"))),
        "{}",
        call.line()
    );
    assert_eq!(call.effect(), "partial");
}

#[test]
fn killed_at_every_point() {
    for point in [
        "noted",
        "clone",
        "resolve",
        "environment",
        "install",
        "smoke",
        "recorded",
    ] {
        let (world, source) = world_with_uv();
        let url = source.display().to_string();
        let arguments = [
            "provision-workspace",
            "--repository",
            "demo",
            "--url",
            &url,
            "--profile",
            "offline",
        ];
        world.killed(&format!("provision.{point}"), arguments);
        let again = world.legwork(arguments).ok();
        assert_eq!(again.at("/ready"), true);
        let expected = if matches!(point, "smoke" | "recorded") {
            "replayed"
        } else {
            "applied"
        };
        assert_eq!(again.effect(), expected, "{point}");
        assert_eq!(
            world
                .legwork(["list-workspaces"])
                .ok()
                .at("/workspaces/0/ready"),
            true
        );
    }
}

#[test]
fn the_connection_is_lost_in_the_middle() {
    let (world, source) = world();
    let mut sshd = Sshd::start(&world, "box");
    let begun = world.path("begun");
    world.configure(&format!(
        "[profiles.slow]\nextends = 'generic'\nsetup = \"echo once >> {0}; sleep 3\"\n",
        begun.display()
    ));
    let url = source.display().to_string();
    let arguments = [
        "provision-workspace",
        "--host",
        "box",
        "--repository",
        "demo",
        "--url",
        &url,
        "--profile",
        "slow",
    ];
    let child = world
        .legwork_command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("legwork starts");
    wait_for(&begun);
    sshd.stop();
    let lost = Call::read(&child.wait_with_output().expect("legwork ends"));
    assert_eq!(
        (lost.error_code(), lost.effect()),
        ("contact_lost", "unknown")
    );
    let unreachable = world.legwork(arguments);
    assert_eq!(unreachable.error_code(), "ssh_unreachable");
    sshd.start_again();
    let again = world.legwork(arguments).ok();
    assert_eq!(again.at("/ready"), true);
    assert_eq!(
        fs::read_to_string(&begun).expect("what setup wrote"),
        "once\n",
        "what was cut off went on by itself and was not done twice"
    );
}

#[test]
fn a_call_that_runs_out_of_time_leaves_its_step_at_work() {
    let (world, source) = world();
    let begun = world.path("begun");
    world.configure(&format!(
        "[profiles.slow]\nextends = 'generic'\nsetup = \"echo once >> '{}'; sleep 6\"\n",
        begun.display()
    ));
    let url = source.display().to_string();
    let arguments = ["--url", &url, "--profile", "slow"];
    // On a machine with much to do the step may not have begun within the first limit.
    for limit in ["2", "5"] {
        let brief = [&arguments[..], &["--timeout-s", limit]].concat();
        let late = provision(&world, "local", "demo", &brief);
        assert_eq!(
            (late.error_code(), late.effect()),
            ("deadline_exceeded", "unknown")
        );
        if begun.exists() {
            break;
        }
    }
    let again = provision(&world, "local", "demo", &arguments).ok();
    assert_eq!(steps(&again), "clone=done resolve=done setup=done");
    assert_eq!(
        fs::read_to_string(&begun).expect("what setup wrote"),
        "once\n"
    );
}

/// A program that serves until the test is over.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.kill().expect("the server is killed");
        self.0.wait().expect("the server ends");
    }
}

#[test]
fn a_token_in_the_url_is_used_and_kept_nowhere() {
    let (world, source) = world();
    let sshd = Sshd::start(&world, "box");
    let bare = world.path("served/source.git");
    world.git(
        &world.home(),
        &[
            "clone",
            "--quiet",
            "--bare",
            &source.display().to_string(),
            &bare.display().to_string(),
        ],
    );
    world.git(&bare, &["update-server-info"]);
    let server = world.path("server.py");
    fs::write(
        &server,
        "import base64, http.server, os, sys\n\
         os.chdir(sys.argv[1])\n\
         wanted = 'Basic ' + base64.b64encode(b'ada:se:cret/token').decode()\n\
         class Handler(http.server.SimpleHTTPRequestHandler):\n\
         \x20   def do_GET(self):\n\
         \x20       if self.headers.get('Authorization') == wanted:\n\
         \x20           return super().do_GET()\n\
         \x20       self.send_response(401)\n\
         \x20       self.send_header('WWW-Authenticate', 'Basic realm=\"x\"')\n\
         \x20       self.end_headers()\n\
         server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n\
         open(sys.argv[2] + '.new', 'w').write(str(server.server_port))\n\
         os.rename(sys.argv[2] + '.new', sys.argv[2])\n\
         server.serve_forever()\n",
    )
    .expect("a server");
    let port = world.path("port");
    let _serving = Serving(
        world
            .command("python3")
            .arg(&server)
            .arg(world.path("served"))
            .arg(&port)
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts"),
    );
    wait_for(&port);
    let number = fs::read_to_string(&port).expect("a port");
    for (host, root) in [
        ("local", world.path("root")),
        (sshd.alias(), sshd.home().join("legwork")),
    ] {
        let refused = provision(
            &world,
            host,
            "demo",
            &[
                "--url",
                &format!("http://ada:wrong@127.0.0.1:{number}/source.git"),
            ],
        );
        assert_eq!(
            (refused.error_code(), refused.kind()),
            ("clone_failed", "unavailable")
        );
        let url = format!("http://ada:se%3Acret%2Ftoken@127.0.0.1:{number}/source.git");
        let call = provision(&world, host, "demo", &["--url", &url]).ok();
        assert_eq!(
            call.text("/url"),
            format!("http://127.0.0.1:{number}/source.git")
        );
        for text in [call.line(), call.stderr()] {
            assert!(!text.contains("cret"), "{text}");
        }
        for folder in [root, world.path("state")] {
            let found = world
                .command("grep")
                .args(["-rlaE", "se(:|%3A)cret"])
                .arg(&folder)
                .output()
                .expect("grep starts");
            assert_eq!(String::from_utf8_lossy(&found.stdout), "");
        }
        let again = provision(&world, host, "demo", &["--url", &url, "--refresh"]).ok();
        assert_eq!(again.at("/ready"), true);
    }
}

/// A mirror for the shell functions, of a source that has 200 files.
fn mirror(world: &World) -> (String, String) {
    let files: Vec<(String, String)> = (0..200)
        .map(|number| (format!("d{}/f{number}", number % 7), format!("{number}\n")))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let source = world.repository("many", &files);
    let mirror = world.path("mirrors/many.git").display().to_string();
    fs::create_dir_all(world.path("mirrors")).expect("a folder");
    let from = source.display().to_string();
    world.git(
        &world.home(),
        &["clone", "--quiet", "--bare", &from, &mirror],
    );
    (mirror, head(world, &source))
}

/// A PATH with everything but flock.
fn without_flock(world: &World) -> String {
    let folder = world.path("no-flock");
    fs::create_dir(&folder).expect("a folder");
    for part in crate::support::SYSTEM_PATH.split(':') {
        for entry in fs::read_dir(part).into_iter().flatten().flatten() {
            if entry.file_name() != "flock" {
                // The first of a name is the one a search would find.
                symlink(entry.path(), folder.join(entry.file_name())).ok();
            }
        }
    }
    folder.display().to_string()
}

const SHELLS: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];

fn shell(world: &World, number: usize, path: &str, body: &str, arguments: &[&str]) -> Command {
    let shell = SHELLS[number % SHELLS.len()];
    let mut command = world.command(shell[0]);
    command
        .args(&shell[1..])
        .arg("-c")
        .arg(format!("{FUNCTIONS}\nprepare_git\n{body}"))
        .arg("sh")
        .args(arguments)
        .env("PATH", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(mut command: Command) -> Output {
    command.output().expect("a shell starts")
}

#[test]
fn thirty_two_clones_at_once_under_every_shell() {
    let world = World::new();
    let (mirror, commit) = mirror(&world);
    let bare = without_flock(&world);
    assert!(!Path::new(&bare).join("flock").exists() && Path::new(&bare).join("ln").exists());
    for (round, path) in [
        crate::support::SYSTEM_PATH,
        &bare,
        crate::support::SYSTEM_PATH,
    ]
    .into_iter()
    .enumerate()
    {
        // Two for each place: one makes it, and the other finds it made.
        let places: Vec<String> = (0..32)
            .map(|number| {
                let folder = world.path(format!("jobs/{round}-{}/work", number % 16));
                folder.display().to_string()
            })
            .collect();
        let all = |body: &str, arguments: &dyn Fn(&str) -> Vec<String>| {
            let running: Vec<Child> = places
                .iter()
                .enumerate()
                .map(|(number, place)| {
                    let arguments = arguments(place);
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    shell(&world, number, path, body, &arguments)
                        .spawn()
                        .expect("a shell starts")
                })
                .collect();
            for child in running {
                let output = child.wait_with_output().expect("it ends");
                assert!(output.status.success(), "{output:?}");
            }
        };
        all("make_clone \"$@\"", &|place| {
            let index = format!("{place}.launch/index");
            vec![mirror.clone(), place.to_owned(), commit.clone(), index]
        });
        for place in &places {
            let folder = Path::new(place);
            assert_eq!(head(&world, folder), commit);
            assert_eq!(world.git(folder, &["status", "--porcelain"]), "");
            assert!(Path::new(&format!("{place}.launch/index")).is_file());
            let beside = fs::read_dir(folder.parent().expect("a folder")).expect("a folder");
            assert_eq!(beside.count(), 2, "{place}");
        }
        for place in &places[..16] {
            let output = run(shell(&world, 0, path, "remove_clone \"$@\"", &[place]));
            assert!(output.status.success(), "{output:?}");
            assert!(!Path::new(place).exists());
        }
    }
}

#[test]
fn a_clone_is_whole_or_made_again_and_work_in_it_is_kept() {
    let world = World::new();
    let (mirror, commit) = mirror(&world);
    let path = crate::support::SYSTEM_PATH;
    for number in 0..SHELLS.len() {
        let folder = world.path(format!("jobs/{number}/work"));
        let place = folder.display().to_string();
        let body = "make_clone \"$@\"";
        let make = || {
            run(shell(
                &world,
                number,
                path,
                body,
                &[&mirror, &place, &commit],
            ))
        };
        let remove = || {
            run(shell(
                &world,
                number,
                path,
                "remove_clone \"$@\"",
                &[&place],
            ))
        };
        assert!(make().status.success());
        fs::write(folder.join("d0/f0"), "work\n").expect("work");
        world.git(
            &folder,
            &["commit", "--quiet", "--all", "--message", "work"],
        );
        fs::write(folder.join("d1/f1"), "more work\n").expect("work");
        assert!(make().status.success());
        for (file, text) in [("d0/f0", "work\n"), ("d1/f1", "more work\n")] {
            assert_eq!(fs::read_to_string(folder.join(file)).expect("work"), text);
        }

        fs::remove_dir_all(&folder).expect("it goes");
        assert!(make().status.success());
        assert_eq!(head(&world, &folder), commit);
        assert!(remove().status.success());
        assert!(!folder.exists());
        assert!(remove().status.success());

        // What is somebody else's is neither taken nor removed.
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("mine"), "mine\n").expect("a file");
        for output in [make(), remove()] {
            assert!(!output.status.success());
            assert!(
                output.stdout.starts_with(b"clone-failed reason=occupied "),
                "{output:?}"
            );
            assert!(folder.join("mine").exists());
        }
        let elsewhere = world.path("jobs/x/work").display().to_string();
        let wrong = "1".repeat(40);
        let unknown = run(shell(
            &world,
            number,
            path,
            body,
            &[&mirror, &elsewhere, &wrong],
        ));
        assert!(
            unknown.stdout.starts_with(b"clone-failed reason=git "),
            "{unknown:?}"
        );
        assert!(!Path::new(&elsewhere).exists());
    }
}

#[test]
fn a_clone_killed_on_its_way_is_made_again() {
    let world = World::new();
    let (mirror, commit) = mirror(&world);
    let begun = world.path("begun");
    let bare = without_flock(&world);
    let slow = world.path("slow");
    fs::create_dir(&slow).expect("a folder");
    executable(
        &slow.join("git"),
        &format!(
            "#!/bin/sh\nPATH=${{PATH#*:}}\ncase \" $* \" in *' checkout '*) git \"$@\"; : >'{}'; sleep 30 ;; *) exec git \"$@\" ;; esac\n",
            begun.display()
        ),
    );
    for (number, path) in [
        crate::support::SYSTEM_PATH,
        &bare,
        crate::support::SYSTEM_PATH,
        &bare,
    ]
    .into_iter()
    .enumerate()
    {
        let folder = world.path(format!("jobs/{number}/work"));
        let place = folder.display().to_string();
        let make = |path: &str| {
            shell(
                &world,
                number,
                path,
                "make_clone \"$@\"",
                &[&mirror, &place, &commit],
            )
        };
        fs::remove_file(&begun).ok();
        let mut child = make(&format!("{}:{path}", slow.display()))
            .process_group(0)
            .spawn()
            .expect("a shell starts");
        wait_for(&begun);
        assert!(!folder.exists(), "it is there before it is whole");
        kill_process_group(pid(&child), Signal::KILL).expect("killed");
        child.wait().expect("it is gone");
        let started = Instant::now();
        let output = run(make(path));
        assert!(output.status.success(), "{output:?}");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "a dead owner was waited for"
        );
        assert_eq!(world.git(&folder, &["status", "--porcelain"]), "");
        assert_eq!(head(&world, &folder), commit);
        let beside = fs::read_dir(folder.parent().expect("a folder")).expect("a folder");
        assert_eq!(beside.count(), 1, "what the killed one left stays");
    }
}

#[test]
fn a_lock_excludes_whatever_keeps_it() {
    let world = World::new();
    let bare = without_flock(&world);
    let lock = world.path("lock").display().to_string();
    let log = world.path("log").display().to_string();
    // Whoever is inside writes twice; two inside at once would mix.
    let body = "take_lock \"$1\" 60 || exit 9; echo \"in $3\" >>\"$2\"; sleep 0.05; echo \"out $3\" >>\"$2\"; \
                if [ \"$3\" -lt 6 ]; then kill -9 $$; fi; drop_lock";
    for path in [crate::support::SYSTEM_PATH, bare.as_str()] {
        fs::remove_file(&log).ok();
        let running: Vec<Child> = (0..24)
            .map(|number: usize| {
                shell(
                    &world,
                    number,
                    path,
                    body,
                    &[&lock, &log, &number.to_string()],
                )
                .spawn()
                .expect("a shell starts")
            })
            .collect();
        for (number, child) in running.into_iter().enumerate() {
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.success(), number >= 6, "{number}: {output:?}");
        }
        let text = fs::read_to_string(&log).expect("the log");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 48);
        for pair in lines.chunks(2) {
            assert_eq!(
                pair[0].strip_prefix("in "),
                pair[1].strip_prefix("out "),
                "{text}"
            );
        }
    }
    let mut holder = shell(
        &world,
        0,
        &bare,
        "take_lock \"$1\" 5 && exec sleep 60",
        &[&lock],
    )
    .spawn()
    .expect("a shell starts");
    wait_for(&world.path("lock.owner"));
    for number in 0..SHELLS.len() {
        let output = run(shell(&world, number, &bare, "take_lock \"$1\" 1", &[&lock]));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    holder.kill().expect("killed");
    holder.wait().expect("gone");
    let output = run(shell(
        &world,
        1,
        &bare,
        "take_lock \"$1\" 1",
        &["/dev/null/lock"],
    ));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
