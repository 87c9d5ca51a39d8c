//! The pipelines that the pages show: their forges' schemas take them, their calls are valid, and they run to a proven branch.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::{
    slash_commands::judge,
    support::{CHECK, Faults, SYSTEM_PATH, Sshd, World, assert_isolated, data},
};

const SECRET: &str = "hush-7Zt4Kp0vX2m";

/// What a stranger may write into an issue to have it run.
const HOSTILE: &str = "$(touch pwned) `touch pwned`'; touch pwned; \"; touch pwned; ${{ secrets.ANTHROPIC_API_KEY }}\n::set-output name=x::y\n\nEOF\n";

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/integrations")
        .join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(page(name)).expect("a page")
}

/// Returns the first block of a language on the page about pipelines.
fn block(language: &str) -> String {
    let page = text("ci.md");
    let rest = page
        .split(&format!("```{language}\n"))
        .nth(1)
        .expect("a block");
    rest.split("```").next().unwrap_or_default().to_owned()
}

/// A project whose pipeline is to run: its origin, and a host with a key of its own, as the page wants them.
struct Project {
    world: World,
    host: Sshd,
    origin: PathBuf,
}

impl Project {
    /// Makes one; the agent does what a script says, once it has its secret.
    fn new(script: &str) -> Self {
        assert_isolated();
        let world = World::new();
        let host = Sshd::start(&world, "gpu-box");
        let origin = world.path("origin.git");
        let agent = format!(
            "echo x >>'{}'; case $ANTHROPIC_API_KEY in hush-*) ;; *) exit 9 ;; esac\n{script}",
            world.path("tally").display()
        );
        let mut config: toml::Table = block("toml").parse().expect("the page's configuration");
        config["repositories"]["widgets"]["url"] = origin.display().to_string().into();
        config["agents"]["claude"]
            .as_table_mut()
            .expect("the agent")
            .extend([
                ("adapter".to_owned(), "command".into()),
                ("argv".to_owned(), vec!["sh", "-c", &agent].into()),
            ]);

        let known = fs::read_to_string(world.ssh_config()).expect("how to reach the host");
        let told = |word: &str| {
            known
                .lines()
                .find_map(|line| line.trim().strip_prefix(word))
                .expect("what is told of the host")
        };
        let ssh = block("text")
            .replace("gpu-box.example.org", told("HostName "))
            .replace(
                "User ci",
                &format!("User {}\n  Port {}", told("User "), told("Port ")),
            );
        let keys = fs::read_to_string(world.path("ssh/known_hosts")).expect("the host's key");
        let source = world.repository(
            "widgets",
            &[
                ("greeting.txt", "helo\n"),
                (".legwork/config.toml", &config.to_string()),
                (".legwork/ssh_config", &ssh),
                (".legwork/known_hosts", &keys),
                (".gitlab-ci.yml", &text("gitlab-ci.yml")),
            ],
        );
        let place = origin.display().to_string();
        world.git(&source, &["clone", "--quiet", "--bare", ".", &place]);
        Self {
            world,
            host,
            origin,
        }
    }

    fn key(&self) -> PathBuf {
        self.world.path("ssh/id")
    }

    /// Returns the project's variables, by name.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let program = env!("CARGO_BIN_EXE_legwork");
        let output = self.world.command("sha256sum").arg(program).output();
        let digest = String::from_utf8(output.expect("sha256sum starts").stdout).expect("text");
        let digest = digest.split_whitespace().next().expect("a digest");
        vec![
            ("LEGWORK_URL", format!("file://{program}")),
            ("LEGWORK_SHA256", digest.to_owned()),
            ("LEGWORK_HOST", self.host.alias().to_owned()),
            ("LEGWORK_REPOSITORY", "widgets".to_owned()),
            ("LEGWORK_VERIFY", CHECK.to_owned()),
        ]
    }

    /// Prepares a program of Node that has the packages of the test bed, and no legwork on its PATH.
    fn node(&self, script: &Path) -> Command {
        let folder = self.world.path("node");
        if !folder.exists() {
            fs::create_dir(&folder).expect("a folder");
            let node_modules = self.world.testbed().path("checks/node/node_modules");
            symlink(node_modules, folder.join("node_modules")).expect("the packages of Node");
        }
        let place = folder.join(script.file_name().expect("a name"));
        fs::copy(script, &place).expect("the script");
        let mut command = self.world.command("node");
        command.arg(place).env("PATH", self.path());
        command
    }

    fn path(&self) -> String {
        format!(
            "{}:{SYSTEM_PATH}",
            self.world.testbed().programs().display()
        )
    }

    /// Runs the workflow for GitHub on a label, with state of its own.
    fn github(&self, label: &str, turn: &str) -> Value {
        let folder = self.world.path(format!("github-{turn}"));
        let vars: serde_json::Map<String, Value> = self
            .variables()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let context = json!({
            "event": {
                "action": "labeled",
                "label": {"name": label},
                "issue": {"number": 12, "title": HOSTILE, "body": HOSTILE, "html_url": "https://github.com/acme/widgets/issues/12", "labels": [{"name": label}], "comments": 0},
            },
            "vars": vars,
            "secrets": {
                "ANTHROPIC_API_KEY": SECRET,
                "LEGWORK_SSH_KEY": fs::read_to_string(self.key()).expect("the key"),
            },
            "repository": "acme/widgets",
            "origin": format!("file://{}", self.origin.display()),
            "folder": folder,
        });
        let file = self.world.path(format!("context-{turn}.json"));
        fs::write(&file, context.to_string()).expect("the context");
        let output = self
            .node(&data("integrations/run_workflow.mjs"))
            .arg(page("github-actions.yml"))
            .arg(&file)
            .env("LEGWORK_HOME", self.world.path(format!("state-{turn}")))
            .output()
            .expect("node starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("results")
    }

    /// Runs the pipeline for GitLab on an event in a checkout of its own, by a runner that nobody here wrote.
    fn gitlab(&self, label: &str, turn: &str) -> (PathBuf, Output) {
        let checkout = self.world.path(format!("gitlab-{turn}"));
        let place = checkout.display().to_string();
        let origin = self.origin.display().to_string();
        let home = self.world.home();
        self.world
            .git(&home, &["clone", "--quiet", &origin, &place]);
        let remote = "git@gitlab.example.org:acme/widgets.git";
        self.world
            .git(&checkout, &["remote", "set-url", "origin", remote]);
        let payload = self.world.path("payload.json");
        let event = json!({
            "object_kind": "issue",
            "object_attributes": {"iid": 12, "title": HOSTILE, "description": HOSTILE, "labels": [{"title": label}]},
        });
        fs::write(&payload, event.to_string()).expect("the payload");
        let key = self.world.path("file-variable");
        fs::copy(self.key(), &key).expect("the key");
        let mut variables = self.variables();
        variables.extend([
            ("CI_PIPELINE_SOURCE", "trigger".to_owned()),
            ("TRIGGER_PAYLOAD", payload.display().to_string()),
            ("LEGWORK_SSH_KEY", key.display().to_string()),
            ("ANTHROPIC_API_KEY", SECRET.to_owned()),
            ("LEGWORK_PUSH_TOKEN", "not-asked-for".to_owned()),
            ("LEGWORK_IMAGE", "none".to_owned()),
            ("PUSH_URL", self.origin.display().to_string()),
        ]);
        let runner = self
            .world
            .testbed()
            .path("checks/node/node_modules/.bin/gitlab-ci-local");
        let mut command = self.world.command(runner);
        command
            .args(["--cwd", &place, "--force-shell-executor"])
            .env("PATH", self.path())
            .env("LEGWORK_HOME", self.world.path(format!("state-{turn}")));
        for (name, value) in variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        (checkout, command.output().expect("the runner starts"))
    }

    /// Returns how many agents were ever started.
    fn tally(&self) -> usize {
        let tally = fs::read_to_string(self.world.path("tally")).unwrap_or_default();
        tally.lines().count()
    }

    fn branches(&self) -> String {
        self.world.git(
            &self.origin,
            &["branch", "--list", "--format", "%(refname:short)"],
        )
    }

    /// Fails where something of the issue was run, or a secret was written down.
    fn assert_untouched(&self) {
        let mut places = vec![self.world.path("")];
        let faults = Faults::default();
        while let Some(folder) = places.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let entry = entry.expect("an entry");
                let kind = entry.file_type().expect("a kind");
                let path = entry.path();
                faults.unless(entry.file_name() != "pwned", || {
                    format!("the issue was run: {}", path.display())
                });
                if kind.is_dir() {
                    places.push(path);
                } else if kind.is_file()
                    && path.components().any(|part| part.as_os_str() == "evidence")
                {
                    let text =
                        String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
                    faults.unless(!text.contains(SECRET), || {
                        format!("{} holds the secret", path.display())
                    });
                }
            }
        }
        faults.none();
    }
}

#[test]
fn the_workflow_for_github_goes_from_a_label_to_a_proven_branch_once() {
    let project = Project::new("echo hello >greeting.txt; echo '# Mended' >../report.md");
    let other = project.github("bug", "other");
    assert_eq!(other["investigate"]["result"], "skipped", "{other:#}");
    assert_eq!(project.tally(), 0);

    for turn in ["first", "again"] {
        // A runner that knows nothing finds what the first one began.
        let results = project.github("investigate", turn);
        assert_eq!(results["investigate"]["result"], "success", "{results:#}");
        assert_eq!(results["investigate"]["outputs"]["verdict"], "fixed");
        assert_eq!(results["investigate"]["left"], json!([]), "the key is gone");
        assert_eq!(results["branch"]["result"], "success", "{results:#}");
        let told = results["investigate"]["summary"]
            .as_str()
            .expect("a summary");
        assert_eq!(told.matches("\"ok\":true").count(), 5, "{told}");
        assert_eq!(project.tally(), 1, "{turn}");
        assert_eq!(project.branches(), "legwork/issue-12\nmain\n");
        let fixed = project
            .world
            .git(&project.origin, &["show", "legwork/issue-12:greeting.txt"]);
        assert_eq!(fixed, "hello\n");
        let evidence = project
            .world
            .path(format!("github-{turn}/artifacts/evidence"));
        let report = fs::read_to_string(evidence.join("artifacts/report.md"));
        assert_eq!(report.expect("the report"), "# Mended\n");
    }
    project.assert_untouched();
}

#[test]
fn the_workflow_for_github_fails_where_nothing_is_proven_and_keeps_the_evidence() {
    let project = Project::new("echo hallo >greeting.txt");
    let results = project.github("investigate", "first");
    assert_eq!(results["investigate"]["result"], "failure", "{results:#}");
    assert_eq!(results["branch"]["result"], "skipped");
    assert_eq!(project.branches(), "main\n");
    let evidence = project.world.path("github-first/artifacts/evidence");
    let verify = fs::read_to_string(evidence.join("verify.json")).expect("the envelope");
    let verify: Value = serde_json::from_str(&verify).expect("an envelope");
    assert_eq!(verify["error_code"], "requirement_unmet");
    assert!(evidence.join("artifacts/changes.diff").exists());
    assert_eq!(results["investigate"]["left"], json!([]), "the key is gone");
    project.assert_untouched();
}

#[test]
fn the_pipeline_for_gitlab_goes_from_an_event_to_a_proven_branch_once() {
    let project = Project::new("echo hello >greeting.txt; echo '# Mended' >../report.md");
    let (_, other) = project.gitlab("bug", "other");
    let told = |output: &Output| {
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    assert!(other.status.success(), "{}", told(&other));
    assert_eq!(
        (project.tally(), project.branches().as_str()),
        (0, "main\n")
    );

    for turn in ["first", "again"] {
        let (checkout, output) = project.gitlab("investigate", turn);
        assert!(output.status.success(), "{}", told(&output));
        assert_eq!(project.tally(), 1, "{turn}");
        assert_eq!(project.branches(), "legwork/issue-12\nmain\n");
        let fixed = project
            .world
            .git(&project.origin, &["show", "legwork/issue-12:greeting.txt"]);
        assert_eq!(fixed, "hello\n");
        let report = fs::read_to_string(checkout.join("evidence/artifacts/report.md"));
        assert_eq!(report.expect("the report"), "# Mended\n");
        assert!(!told(&output).contains(SECRET));
    }
    project.assert_untouched();
}

#[test]
fn the_pipeline_for_gitlab_fails_where_nothing_is_proven() {
    let project = Project::new("echo hallo >greeting.txt");
    let (checkout, output) = project.gitlab("investigate", "first");
    assert!(!output.status.success());
    assert_eq!(project.branches(), "main\n");
    let verify = fs::read_to_string(checkout.join("evidence/verify.json")).expect("the envelope");
    assert!(verify.contains("\"requirement_unmet\""), "{verify}");
    assert!(checkout.join("evidence/artifacts/changes.diff").exists());
}

/// The files, the schema of each in the validator, and a change that spoils it.
const FILES: &[(&str, &str, (&str, &str))] = &[
    (
        "github-actions.yml",
        "vendor.github-workflows",
        ("timeout-minutes: 10", "timeout-minutes: soon"),
    ),
    (
        "gitlab-ci.yml",
        "vendor.gitlab-ci",
        ("interruptible: false", "interruptible: perhaps"),
    ),
];

#[test]
fn the_forges_own_schemas_take_the_files() {
    let world = World::new();
    let checker = world.testbed().path("checks/python/bin/check-jsonschema");
    let check = |schema: &str, file: &Path| {
        let mut command = world.command(&checker);
        command.args(["--builtin-schema", schema]).arg(file);
        command.output().expect("the validator starts")
    };
    for (name, schema, (found, spoiled)) in FILES {
        let output = check(schema, &page(name));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {told}");
        let copy = world.path(name);
        assert!(text(name).contains(found));
        fs::write(&copy, text(name).replace(found, spoiled)).expect("a copy");
        assert!(!check(schema, &copy).status.success(), "{name}");
    }
}

#[test]
fn the_workflow_is_clean_and_no_expression_stands_in_a_script() {
    let world = World::new();
    let lint = |file: &Path| -> Vec<String> {
        let output = world
            .command("node")
            .arg(data("integrations/lint_workflow.cjs"))
            .arg(file)
            .env(
                "NODE_PATH",
                world.testbed().path("checks/node/node_modules"),
            )
            .output()
            .expect("node starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).expect(&told)
    };
    assert_eq!(lint(&page("github-actions.yml")), Vec::<String>::new());
    let workflow = text("github-actions.yml");
    for (found, spoiled) in [
        ("steps.launch.outputs", "steps.lunch.outputs"),
        ("needs: investigate", "needs: nobody"),
        (
            "\"Fix issue $NUMBER\"",
            "\"${{ github.event.issue.title }}\"",
        ),
        (
            "\"Fix issue $NUMBER\"",
            "\"${{ github.event.issue.number }}\"",
        ),
    ] {
        assert!(workflow.contains(found), "{found}");
        let copy = world.path("spoiled.yml");
        fs::write(&copy, workflow.replacen(found, spoiled, 1)).expect("a copy");
        assert!(!lint(&copy).is_empty(), "{spoiled}");
    }
}

#[test]
fn every_call_in_a_pipeline_is_valid() {
    let world = World::new();
    let faults = Faults::default();
    for (name, ..) in FILES {
        let mut called = Vec::new();
        for line in text(name).lines() {
            let mut line = line.trim();
            for before in ["- ", "run: ", "until "] {
                line = line.strip_prefix(before).unwrap_or(line);
            }
            if !line.starts_with("legwork ") {
                continue;
            }
            let call = line.split(" >").next().unwrap_or_default();
            let call = call
                .replace("\"$RUNNER_TEMP/issue.json\"", "issue.json")
                .replace("/issue-$NUMBER", "/issue-1")
                .replace("/issue-$number", "/issue-1");
            let filled: String = call
                .split('"')
                .enumerate()
                .map(|(place, part)| if place % 2 == 1 { "some" } else { part })
                .collect();
            let (primitive, wrong) = judge(&world, &filled);
            for fault in wrong {
                faults.note(format!("{name}: {fault}"));
            }
            called.push(primitive);
        }
        for primitive in [
            "provision-workspace",
            "launch-investigation",
            "wait-job",
            "fetch-artifacts",
            "verify-fix",
            "apply-diff",
        ] {
            faults.unless(called.iter().any(|name| name == primitive), || {
                format!("{name} does not call {primitive}")
            });
        }
        faults.unless(text("ci.md").contains(name), || {
            format!("{name} is not explained")
        });
    }
    faults.none();
}
