//! A project whose pipeline is to run, with runners for both forges.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use super::pages::{block, page, text};
use crate::support::{CHECK, Faults, Sshd, World, assert_isolated, data};

pub(super) const SECRET: &str = "hush-7Zt4Kp0vX2m";

/// What a stranger may write into an issue to have it run.
const HOSTILE: &str = "$(touch pwned) `touch pwned`'; touch pwned; \"; touch pwned; ${{ secrets.ANTHROPIC_API_KEY }}\n::set-output name=x::y\n\nEOF\n";

/// A project whose pipeline is to run: its origin, and a host with a key of its own, as the page wants them.
pub(super) struct Project {
    pub(super) world: World,
    host: Sshd,
    pub(super) origin: PathBuf,
}

impl Project {
    /// Makes one; the agent does what a script says, once it has its secret.
    pub(super) fn new(script: &str) -> Self {
        assert_isolated();
        let world = World::with_testbed();
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
        self.world.search_path().to_owned()
    }

    /// Runs the workflow for GitHub on a label, with state of its own.
    pub(super) fn github(&self, label: &str, turn: &str) -> Value {
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
    pub(super) fn gitlab(&self, label: &str, turn: &str) -> (PathBuf, Output) {
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
            .current_dir(&checkout)
            .arg("--force-shell-executor")
            .env("PATH", self.path())
            .env("LEGWORK_HOME", self.world.path(format!("state-{turn}")));
        for (name, value) in variables {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        (checkout, command.output().expect("the runner starts"))
    }

    /// Returns how many agents were ever started.
    pub(super) fn tally(&self) -> usize {
        let tally = fs::read_to_string(self.world.path("tally")).unwrap_or_default();
        tally.lines().count()
    }

    /// Lists the branches of the origin.
    pub(super) fn branches(&self) -> String {
        self.world.git(
            &self.origin,
            &["branch", "--list", "--format", "%(refname:short)"],
        )
    }

    /// Fails where something of the issue was run, or a secret was written down.
    pub(super) fn assert_untouched(&self) {
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
