//! The main job on a real release with a real bug, by the real agents, on a real host: what comes back is proof.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Agents, Limits, Model, Script, Sshd, Workplace, World, data};

const TITLE: &str = "Keep the base of a number to the number";
const REPORT: &str =
    "# The base was kept\n\nThe converter kept the base of the first number it read.\n";

/// Where a stage of the main job stands.
struct Errand<'a> {
    world: &'a World,
    host: &'a str,
    agent: &'a str,
}

/// Makes a repository of the release's source, as whoever has the bug would have it.
fn repository(world: &World) -> PathBuf {
    let archive = world.testbed().path("pypi/parse-1.17.0.tar.gz");
    let unpacked = world
        .command("tar")
        .args(["--no-same-owner", "-xzf"])
        .arg(&archive)
        .args(["-C"])
        .arg(world.path(""))
        .status()
        .expect("tar starts");
    assert!(unpacked.success());
    let source = world.path("parse-1.17.0");
    world.git(&source, &["init", "--quiet"]);
    world.git(&source, &["add", "--all"]);
    world.git(
        &source,
        &["commit", "--quiet", "--message", "Release 1.17.0"],
    );
    source
}

/// Configures the repository and a profile that installs it from the wheels of the test bed.
fn configure(world: &World, source: &Path) {
    let wheels = world.testbed().path("wheels");
    world.configure(&format!(
        "[repositories.parse]\nurl = '{}'\nprofile = 'offline'\n\
         [profiles.offline]\nextends = 'python-uv'\npackages = ['pytest']\n\
         install_arguments = ['--no-index', '--find-links', '{}']\n",
        source.display(),
        wheels.display(),
    ));
}

/// Returns the edits of the fix, as texts to find and texts to put in their place.
fn edits() -> [(&'static str, &'static str); 2] {
    [
        (
            "        if self.base is None:\n\n            # Assume decimal number, unless different base is detected\n            self.base = 10\n",
            "        base = self.base\n        if base is None:\n\n            # Assume decimal number, unless different base is detected\n            base = 10\n",
        ),
        (
            "                if string[number_start + 1] in 'bB':\n                    self.base = 2\n                elif string[number_start + 1] in 'oO':\n                    self.base = 8\n                elif string[number_start + 1] in 'xX':\n                    self.base = 16\n\n        chars = int_convert.CHARS[: self.base]\n        string = re.sub('[^%s]' % chars, '', string.lower())\n        return sign * int(string, self.base)\n",
            "                if string[number_start + 1] in 'bB':\n                    base = 2\n                elif string[number_start + 1] in 'oO':\n                    base = 8\n                elif string[number_start + 1] in 'xX':\n                    base = 16\n\n        chars = int_convert.CHARS[: base]\n        string = re.sub('[^%s]' % chars, '', string.lower())\n        return sign * int(string, base)\n",
        ),
    ]
}

impl Errand<'_> {
    fn call(&self, primitive: &str, input: &Value) -> crate::support::Call {
        self.world
            .legwork([primitive, "--json", &input.to_string()])
            .ok()
    }

    /// Goes the whole way from the issue to a branch that passes.
    fn run(&self, source: &Path) {
        let provisioned = self.call(
            "provision-workspace",
            &json!({"host": self.host, "repository": "parse"}),
        );
        assert_eq!(provisioned.at("/ready"), true);

        let order = json!({
            "host": self.host,
            "repository": "parse",
            "agent": self.agent,
            "issue": data("e2e/issue.md"),
            "max_wall_s": 300,
        });
        let launched = self.call("launch-investigation", &order);
        assert_eq!(launched.effect(), "applied");
        assert!(launched.round_trips() <= 3, "{}", launched.line());
        let job_id = launched.text("/job/job_id");
        let job = json!({"job_id": job_id});

        let polled = self.call("poll-job", &json!({"job_ids": [job_id]}));
        assert_eq!(polled.at("/jobs/0/job_id"), job_id);
        let waited = self.call(
            "wait-job",
            &json!({"job_id": job_id, "wait_s": 240, "require": "succeeded"}),
        );
        assert_eq!(waited.at("/job/outcome"), "unverified");

        // The code of the issue was read, and is named on purpose.
        let named = json!({"job_id": job_id, "repro": "issue", "require": "fixed"});
        let verified = self.call("verify-fix", &named);
        assert_eq!(verified.at("/verdict"), "fixed");
        assert_eq!(verified.at("/verification/checks/0/author"), "stranger");
        assert_eq!(verified.at("/verification/runs/0/exit_code"), 1);
        assert!(
            verified
                .text("/verification/runs/0/output")
                .contains("AssertionError")
        );
        let polled = self.call("poll-job", &json!({"job_ids": [job_id]}));
        assert_eq!(polled.at("/jobs/0/outcome"), "fixed");

        let fetched = self.call("fetch-artifacts", &job);
        self.see_artifacts(&fetched);
        self.apply(source, &job_id);
    }

    fn see_artifacts(&self, fetched: &crate::support::Call) {
        let folder = PathBuf::from(fetched.text("/folder"));
        let read = |name: &str| fs::read_to_string(folder.join(name)).expect("an artifact");
        assert_eq!(
            (fetched.at("/ended"), fetched.at("/complete")),
            (json!(true), json!(true))
        );
        assert_eq!(read("report.md"), REPORT);
        assert_eq!(read("pr_title.txt").trim(), TITLE);
        let job = json!({"job_id": fetched.text("/job_id")});
        let checked = self.call("check-artifacts", &job);
        assert_eq!(
            (checked.at("/met"), checked.round_trips()),
            (json!(true), 0),
            "{} {}",
            checked.line(),
            read("agent.log")
        );
    }

    /// Puts the fix on a branch of a clone here, and runs the repro on it.
    fn apply(&self, source: &Path, job_id: &str) {
        let clone = self.world.path(format!("clone-{}", self.agent));
        let place = clone.display().to_string();
        self.world.git(
            &self.world.home(),
            &["clone", "--quiet", &source.display().to_string(), &place],
        );
        let repro = || {
            self.world
                .command("python3")
                .arg("-B")
                .arg(data("e2e/repro.py"))
                .env("PYTHONPATH", &clone)
                .output()
                .expect("python starts")
                .status
                .success()
        };
        assert!(!repro(), "the clone has the bug");
        let input = json!({"job_id": job_id, "checkout": place, "branch": "mended"});
        let applied = self.call("apply-diff", &input);
        assert_eq!(applied.effect(), "applied");
        self.world.git(&clone, &["checkout", "--quiet", "mended"]);
        assert!(repro(), "the branch passes");
        let again = self.call("apply-diff", &input);
        assert_eq!(again.effect(), "replayed");
        let log = self.world.git(&clone, &["log", "--format=%s", "-1"]);
        assert_eq!(log.trim(), TITLE);
    }
}

/// Prepares a host whose agents talk to a scripted model.
fn host(world: &World, model: &Model) -> Sshd {
    let wrappers = world.path("wrappers");
    Agents::wrappers(world.testbed(), model, &wrappers);
    Sshd::start_with(world, "box", Limits::Stock, &[&wrappers])
}

#[test]
fn claude_mends_a_real_bug_on_a_real_host() {
    let place = Workplace::empty_in(World::with_testbed());
    let world = place.world();
    let source = repository(world);
    configure(world, &source);
    let mut script =
        Script::saying("Mended: the base is kept to the number.").read("{cwd}/parse.py");
    for (old, new) in edits() {
        script = script.edit("{cwd}/parse.py", old, new);
    }
    let script = script
        .bash("python3 ../issue-repro.py && echo 'The repro passes.' >>../worklog.md")
        .write("{cwd}/../report.md", REPORT)
        .write("{cwd}/../pr_title.txt", TITLE);
    let model = Model::start(script);
    let host = host(world, &model);
    place.watch(&host.home());
    Errand {
        world,
        host: host.alias(),
        agent: "claude",
    }
    .run(&source);
    assert!(model.has_read("A new parser for each line works."));
}

#[test]
fn codex_mends_a_real_bug_on_a_real_host() {
    let place = Workplace::empty_in(World::with_testbed());
    let world = place.world();
    let source = repository(world);
    configure(world, &source);
    let script = Script::saying("Mended: the base is kept to the number.")
        .exec("sed -n 520,560p parse.py")
        .exec(&format!("git apply <<'DIFF'\n{}DIFF\n", fix()))
        .exec("python3 ../issue-repro.py && echo 'The repro passes.' >>../worklog.md")
        .exec(&format!(
            "printf '%s' '{REPORT}' >../report.md; printf '%s' '{TITLE}' >../pr_title.txt"
        ));
    let model = Model::start(script);
    let host = host(world, &model);
    place.watch(&host.home());
    Errand {
        world,
        host: host.alias(),
        agent: "codex",
    }
    .run(&source);
    assert!(model.has_read("A new parser for each line works."));
}

#[test]
fn a_command_mends_a_real_bug_on_this_machine() {
    let place = Workplace::empty_in(World::with_testbed());
    let world = place.world();
    let source = repository(world);
    configure(world, &source);
    place.watch(&world.home());
    place.agent(
        "robot",
        &format!(
            "git apply '{}' && python3 ../issue-repro.py && echo 'The repro passes.' >>../worklog.md && printf '%s' '{REPORT}' >../report.md && printf '%s' '{TITLE}' >../pr_title.txt",
            data("e2e/fix.diff").display()
        ),
    );
    Errand {
        world,
        host: "local",
        agent: "robot",
    }
    .run(&source);
    assert_eq!(place.started(1), 1);
}

fn fix() -> String {
    fs::read_to_string(data("e2e/fix.diff")).expect("the fix")
}
