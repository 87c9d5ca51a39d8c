//! The world that the examples of primitives speak of: all that they name is there.
//!
//! | an example says | what is there |
//! |---|---|
//! | host `gpu-box` | an OpenSSH server of its own, known by its alias in the ssh configuration |
//! | host `lab` | the same server with four GPUs, as a `nvidia-smi` of ours lists them; the lease `train-41` of one where an example names it |
//! | host `old-box` | a registered host that nothing uses |
//! | repository `widgets` | configured, with a bug in `cart.py`; its workspace on `gpu-box` is ready |
//! | repository `gadgets` | configured, not provisioned |
//! | agent `claude` | a command that fixes the bug, and hands in what it was asked for |
//! | issue `acme/widgets#12` | on a forge of this machine |
//! | job `widgets-12-0123456789ab` | a job on `gpu-box` that has ended, with a diff; nothing of it was fetched or verified |
//! | job `widgets-18-a0b1c2d3e4f5` | a job on `gpu-box` that has ended and was verified; its proof was not fetched |
//! | job `widgets-15-ba9876543210` | a job on `gpu-box` that runs until it is ended; launched where an example names it |
//! | job `widgets-20-00112233aabb` | a job on `gpu-box` that has just begun, and ends well by itself; launched where an example names it |
//! | task `task-1-00000001` | a task that can be claimed |
//! | task `task-2-00000002`, token `2-0000000000000002` | a task that is claimed, with a checkpoint |
//! | task `task-3-00000003` | a task that failed at its first attempt |
//! | task `task-4-00000004` | a task that is paused and depends on the first |
//! | task `task-5-00000005` | a task that waits for a person |
//! | no name | a task whose lease has run out |
//! | request `req-0123456789abcdef` | a call that waits for a person, who is at hand with the key |
//! | request `req-a0b1c2d3e4f56789` | a call that a person has let through: `fetch-artifacts` of the job that has ended |
//! | authorization `grant-0123456789abcdef` | two calls of `spend`, of which none was made; nothing needs leave while examples are played |
//! | worker `nightly`, session `session-1-00000001` | a worker in the background that takes no tasks; started where an example names it |
//! | hook `notify` | a hook that runs `true`, of tasks with the label `nightly` that failed |
//! | any relative path | below the current folder, a clean checkout of `widgets`: `bugs/empty-cart.md`, `fix.diff`, `docs/integrations/call.py`, a `CLAUDE.md` with an installed block, the key `keys/signer` with the list `keys/allowed_signers`, and a proof in `proof` signed by it |
//!
//! Ids of jobs follow from what was launched, so [`Furnished::fill`] puts the ids at hand in the place of those.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Output};

use serde_json::{Value, json};

use super::{
    Forge, Gpus, KEY, KEY_VARIABLE, Reply, Sshd, World, end_workers, sha256, snapshot,
    sshd::masters,
    workplace::{control, end_jobs},
};

/// The host that examples speak of.
pub(crate) const HOST: &str = "gpu-box";

/// The job that has ended, as examples name it.
const ENDED: &str = "widgets-12-0123456789ab";

/// The job that was verified, as examples name it.
const VERIFIED: &str = "widgets-18-a0b1c2d3e4f5";

/// The job that runs, as examples name it.
const RUNNING: &str = "widgets-15-ba9876543210";

/// The job that has just begun, as examples name it.
const BEGUN: &str = "widgets-20-00112233aabb";

/// The tasks in the queue, as examples name them.
const TASKS: [&str; 5] = [
    "task-1-00000001",
    "task-2-00000002",
    "task-3-00000003",
    "task-4-00000004",
    "task-5-00000005",
];

/// The token of the claim of the second of them, as examples name it.
const TOKEN: &str = "2-0000000000000002";

/// The worker that runs where an example names it, and its session.
const WORKER: &str = "nightly";
const SESSION: &str = "session-1-00000001";

/// The lease that is there where an example names it.
const LEASE: &str = "train-41";

/// The request that waits for a person, as examples name it.
const PENDING: &str = "req-0123456789abcdef";

/// The request that a person has let through, as examples name it.
const APPROVED: &str = "req-a0b1c2d3e4f56789";

/// The authorization of which no use was made, as examples name it.
const GRANTED: &str = "grant-0123456789abcdef";

/// The command that fails in the repository as it is, and passes once the bug is fixed.
const CHECK: &str = "python3 -m unittest -q tests.test_cart";

const CART: &str = "def total(items):\n    return sum(items) if items else None\n";

const TEST: &str = "import unittest\n\nfrom cart import total\n\n\nclass Cart(unittest.TestCase):\n    \
                    def test_empty(self):\n        self.assertEqual(total([]), 0)\n";

const ISSUE: &str = "# The total of an empty cart is None\n\nIt must be 0:\n\n```python\nfrom cart import total\n\
                     assert total([]) == 0\n```\n";

/// Where the forge has the issue that examples name.
const ISSUE_PATH: &str = "/repos/acme/widgets/issues/12";

/// What the agent does.
const FIX: &str = "sed -i 's/ if items else None//' cart.py\n\
     printf '# Report\\n\\nRoot cause: the total of nothing was None.\\n' >\"$LEGWORK_JOB/report.md\"\n\
     printf 'Make the total of an empty cart 0\\n' >\"$LEGWORK_JOB/pr_title.txt\"\n\
     printf '\\nFixed the total.\\n' >>\"$LEGWORK_JOB/worklog.md\"\n\
     printf 'from cart import total\\nassert total([]) == 0\\n' >\"$LEGWORK_JOB/repro.py\"\n\
     echo fixed";

/// What a call can change, below the root of the world.
const CHANGEABLE: &[&str] = &[
    "home",
    "state",
    "data",
    "config",
    "cache",
    "tmp",
    "config.toml",
    "ssh/gpu-box/home",
];

/// A furnished world; ends all that its jobs left running when dropped.
pub(crate) struct Furnished {
    world: World,
    host: Sshd,
    forge: Forge,
    ended: String,
    verified: String,
    /// What stands for the tasks and the token of examples.
    queue: Vec<(&'static str, String)>,
    /// What examples name, and what is there in its place: requests and an authorization.
    leave: Vec<(&'static str, String)>,
}

impl Furnished {
    /// Makes one.
    pub(crate) fn new() -> Self {
        Self::in_world(World::new())
    }

    /// Furnishes a world, which may have variables and a configuration of its own already.
    pub(crate) fn in_world(world: World) -> Self {
        let forge = Forge::start();
        publish_issue(&forge);
        let origin = world.repository(
            "origin",
            &[
                ("cart.py", CART),
                ("tests/__init__.py", ""),
                ("tests/test_cart.py", TEST),
                ("bugs/empty-cart.md", ISSUE),
                (
                    "docs/integrations/call.py",
                    include_str!("../../../docs/integrations/call.py"),
                ),
            ],
        );
        let gadgets = world.repository("gadgets", &[("README.md", "Gadgets.\n")]);
        let lab = format!(
            "{}destination = '{HOST}'\n",
            Gpus::furnish(&world, HOST).settings_as("lab")
        );
        let command = |script: &str| {
            toml::Value::Array(["sh", "-c", script].map(toml::Value::from).into()).to_string()
        };
        world.configure(&format!(
            "[github]\napi_url = '{}'\n[ssh]\nconnect_timeout_s = 5\n{}\
             [repositories.widgets]\nurl = '{}'\n[repositories.gadgets]\nurl = '{}'\n\
             [agents.claude]\nadapter = 'command'\nargv = {}\n\
             [agents.waiter]\nadapter = 'command'\nargv = {}\n\
             [agents.slow]\nadapter = 'command'\nargv = {}\n",
            forge.url(),
            lab,
            origin.display(),
            gadgets.display(),
            command(FIX),
            command("echo waiting; while :; do sleep 1; done"),
            command(&format!("sleep 1; {FIX}")),
        ));
        let host = Sshd::start(&world, HOST);
        let mut furnished = Self {
            world,
            host,
            forge,
            ended: String::new(),
            verified: String::new(),
            queue: Vec::new(),
            leave: Vec::new(),
        };
        furnished.install_block(&origin.display().to_string());
        let checkout = furnished.checkout();
        furnished.world.git(
            &furnished.world.home(),
            &[
                "clone",
                "--quiet",
                &origin.display().to_string(),
                &checkout.display().to_string(),
            ],
        );
        furnished.make(
            "add-host",
            &json!({"name": "old-box", "destination": "me@old-box.example.org"}),
        );
        furnished.make(
            "provision-workspace",
            &json!({"host": HOST, "repository": "widgets"}),
        );
        furnished.fill_queue();
        furnished.run_job_to_its_end();
        furnished.prove_a_job();
        furnished.ask_for_leave();
        furnished.save();
        furnished
    }

    /// Puts the block of `install-assets` into the repository, so that checkouts have it and are clean.
    fn install_block(&self, origin: &str) {
        self.world
            .legwork([
                "install-assets",
                "--target",
                "claude_md",
                "--directory",
                origin,
            ])
            .ok();
        let folder = self.world.path("origin");
        self.world.git(&folder, &["add", "--all"]);
        self.world
            .git(&folder, &["commit", "--quiet", "--message", "Install"]);
    }

    fn fill_queue(&mut self) {
        let names = ["first", "held", "failing", "paused", "asked", "left"];
        let tasks: Vec<Value> = names
            .map(|name| {
                let others = if name == "paused" {
                    vec!["first"]
                } else {
                    vec![]
                };
                json!({"name": name, "title": name, "command": ["true"], "depends_on": others,
                    "requires_approval": name == "asked"})
            })
            .into();
        let enqueued = self.make("enqueue-tasks", &json!({"tasks": tasks}));
        let id = |place: usize| enqueued["data"]["tasks"][place]["task"]["task_id"].clone();
        let claim = |place: usize, lease_s: u64| {
            let input = json!({
                "claimer": "furnisher", "request_id": names[place], "task_id": id(place), "lease_s": lease_s,
            });
            let claimed = self.make("claim-tasks", &input)["data"]["tasks"][0].clone();
            json!({"task_id": id(place), "attempt": claimed["attempt"], "token": claimed["token"]})
        };
        let held = claim(1, 1200);
        let mut report = held.clone();
        report["checkpoint"] = json!({"step": 1});
        self.make("report-progress", &report);
        let mut failing = claim(2, 1200);
        failing["error"] = json!("as it was to be");
        self.make("fail-task", &failing);
        self.make("pause-task", &json!({"task_id": id(3)}));
        claim(5, 1);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut queue: Vec<(&'static str, String)> = (0..5)
            .map(|place| (TASKS[place], text(&id(place))))
            .collect();
        queue.push((TOKEN, text(&held["token"])));
        self.queue = queue;
    }

    fn run_job_to_its_end(&mut self) {
        self.ended = self.launch("claude", "bugs/empty-cart.md");
        let waited = self.make("wait-job", &json!({"job_id": self.ended, "wait_s": 60}));
        assert_eq!(waited["data"]["job"]["state"], "succeeded", "{waited}");
        let diff = control(&self.host.home().join("legwork"), &self.ended).join("changes.diff");
        let checkout = self.checkout();
        fs::copy(diff, checkout.join("fix.diff")).expect("the diff of the job");
        fs::write(
            checkout.join(".git/info/exclude"),
            "fix.diff\nkeys/\nproof/\nproofs/\n",
        )
        .expect("git's excludes");
    }

    /// Lets a second job be verified, and puts a signed proof of it into the checkout.
    fn prove_a_job(&mut self) {
        let launched = self.make(
            "launch-investigation",
            &json!({
                "repository": "widgets", "host": HOST, "agent": "claude", "issue": "bugs/empty-cart.md", "verify": CHECK,
                "idempotency_key": "verified",
            }),
        );
        let job_id = launched["data"]["job"]["job_id"].as_str();
        job_id
            .expect("the id of a job")
            .clone_into(&mut self.verified);
        let job = json!({"job_id": self.verified});
        self.make("wait-job", &json!({"job_id": self.verified, "wait_s": 60}));
        self.make("verify-fix", &job);
        self.make("fetch-artifacts", &job);
        let keys = self.checkout().join("keys");
        fs::create_dir(&keys).expect("a folder");
        let made = self
            .world
            .command("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
            .arg(keys.join("signer"))
            .status();
        assert!(made.expect("ssh-keygen starts").success());
        let public = fs::read_to_string(keys.join("signer.pub")).expect("the public key");
        fs::write(
            keys.join("allowed_signers"),
            format!("ada@example.org namespaces=\"legwork@verification\" {public}"),
        )
        .expect("the list");
        self.make(
            "fetch-proof",
            &json!({"job_id": self.verified, "folder": "proof", "key": "keys/signer"}),
        );
    }

    /// Lets a call wait for a person and another one be let through; then nothing needs leave any more.
    fn ask_for_leave(&mut self) {
        self.world.set(KEY_VARIABLE, KEY);
        let key = sha256(KEY.as_bytes());
        let configure = |world: &World, require: &str| {
            world.configure(&format!(
                "[authorization]\nkey_sha256 = '{key}'\nrequire = [{require}]\n"
            ));
        };
        configure(&self.world, "'local_write'");
        let refused = |primitive: &str, input: &Value| {
            let output = self.call(primitive, input);
            let answer: Value = serde_json::from_slice(&output.stdout).expect("an envelope");
            let id = answer["details"]["request_id"].as_str();
            id.expect("the id of a request").to_owned()
        };
        let pending = refused("remove-host", &json!({"name": "old-box"}));
        let approved = refused("fetch-artifacts", &json!({"job_id": self.ended}));
        self.make("grant-authorization", &json!({"request_id": approved}));
        let granted = self.make("grant-authorization", &json!({"scope": "spend", "uses": 2}));
        let grant = granted["data"]["authorization"]["authorization_id"].as_str();
        self.leave = vec![
            (PENDING, pending),
            (APPROVED, approved),
            (GRANTED, grant.expect("an id").to_owned()),
        ];
        configure(&self.world, "");
        let hook = json!({"name": "notify", "command": ["true"], "events": ["task.failed"], "labels": ["nightly"]});
        self.make("add-hook", &hook);
    }

    /// Launches an agent on an issue, and returns the id of the job.
    fn launch(&self, agent: &str, issue: &str) -> String {
        let launched = self.make(
            "launch-investigation",
            &json!({"repository": "widgets", "host": HOST, "agent": agent, "issue": issue, "verify": CHECK}),
        );
        let job_id = launched["data"]["job"]["job_id"].as_str();
        job_id.expect("the id of a job").to_owned()
    }

    /// Sends a call that must succeed, and returns its answer.
    fn make(&self, primitive: &str, input: &Value) -> Value {
        let output = self.call(primitive, input);
        let answer: Value = serde_json::from_slice(&output.stdout).expect("an envelope");
        assert_eq!(answer["ok"], true, "{primitive} {input}: {answer}");
        answer
    }

    /// Sends a call from the checkout.
    pub(crate) fn call(&self, primitive: &str, input: &Value) -> Output {
        self.world
            .legwork_command([primitive, "--json", &input.to_string()])
            .current_dir(self.checkout())
            .output()
            .expect("legwork starts")
    }

    /// Returns the host, to stop it and to start it again.
    pub(crate) const fn host_mut(&mut self) -> &mut Sshd {
        &mut self.host
    }

    /// Returns the forge.
    pub(crate) const fn forge(&self) -> &Forge {
        &self.forge
    }

    /// Returns the current folder of calls: a checkout of `widgets`.
    pub(crate) fn checkout(&self) -> PathBuf {
        self.world.home().join("widgets")
    }

    /// Puts the ids of the jobs at hand into an example, and launches those that have not ended where it names them; makes
    /// the lease that it names.
    pub(crate) fn fill(&self, example: &Value) -> Value {
        let mut text = example
            .to_string()
            .replace(ENDED, &self.ended)
            .replace(VERIFIED, &self.verified);
        for (named, there) in self.queue.iter().chain(&self.leave) {
            text = text.replace(named, there);
        }
        for (named, agent) in [(RUNNING, "waiter"), (BEGUN, "slow")] {
            if text.contains(named) {
                text = text.replace(named, &self.launch(agent, "acme/widgets#12"));
            }
        }
        if text.contains(WORKER) {
            let started = self.make("start-worker", &json!({"name": WORKER, "concurrency": 0}));
            let session_id = started["data"]["session"]["session_id"].as_str();
            text = text.replace(SESSION, session_id.expect("the id of a session"));
        }
        if text.contains(LEASE) {
            self.make("reserve-gpus", &json!({"lease_id": LEASE, "host": "lab"}));
        }
        serde_json::from_str(&text).expect("JSON as before")
    }

    /// Returns, for the id of a job in examples, the ids of jobs that stand elsewhere: one has ended, and one runs.
    pub(crate) fn other_jobs(text: &str) -> Vec<&'static str> {
        if ![ENDED, VERIFIED, RUNNING, BEGUN].contains(&text) {
            return Vec::new();
        }
        let mut others = vec![ENDED, RUNNING];
        others.retain(|other| *other != text);
        others
    }

    /// Puts a file where legwork's folder was on the host.
    pub(crate) fn block_host_folder(&self) {
        let root = self.root();
        fs::rename(&root, root.with_extension("gone")).expect("the folder goes");
        fs::write(root, "in the way").expect("a file");
    }

    /// Takes every program off the PATH of later calls, or brings them back.
    pub(crate) fn hide_programs(&mut self, hide: bool) {
        let path = if hide {
            self.world.path("nowhere").display().to_string()
        } else {
            self.world.search_path().to_owned()
        };
        self.world.set("PATH", path);
    }

    /// Lets the forge know the issue that examples name.
    pub(crate) fn publish_issue(&self) {
        publish_issue(&self.forge);
    }

    /// Lets the forge refuse the issue that examples name.
    pub(crate) fn refuse_issues(&self, status: u16) {
        self.forge
            .answer(ISSUE_PATH, Reply::of(status, r#"{"message":"No."}"#));
    }

    /// Returns all that a call can change, here and on the host; jobs at work change their folders by themselves.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let is_at_work = |path: &str| {
            ["legwork", "legwork.gone"]
                .iter()
                .flat_map(|root| [format!("{root}/jobs/"), format!("{root}/control/")])
                .find_map(|folder| path.split_once(&folder))
                .and_then(|(_, rest)| rest.split_once('/'))
                .is_some_and(|(job, _)| job != self.ended)
        };
        for name in CHANGEABLE {
            let path = self.world.path(name);
            if path.is_dir() {
                for (inner, content) in snapshot::of(&path) {
                    found.insert(format!("{name}/{inner}"), content);
                }
            } else {
                let text = fs::read_to_string(&path).expect("a file of the world");
                found.insert((*name).to_owned(), text);
            }
        }
        found.retain(|path, _| !is_at_work(path));
        found
    }

    /// Keeps what calls can change as it is now, for [`Furnished::restore`].
    fn save(&self) {
        self.shell(
            "mkdir -p saved/ssh/gpu-box\n\
             for name; do cp -a \"$name\" \"saved/$name\"; done\n\
             rm -rf saved/state/legwork/ssh",
        );
    }

    /// Puts everything back as it was when the world was made; connections that are open stay.
    pub(crate) fn restore(&self) {
        let gone = self.root().with_extension("gone");
        if gone.is_dir() {
            fs::remove_file(self.root()).expect("the file goes");
            fs::rename(gone, self.root()).expect("the folder comes back");
        }
        end_workers(&self.world);
        end_jobs(&self.world, &self.root(), |job| job != self.ended);
        end_jobs(&self.world, &self.world.home().join("legwork"), |_| true);
        self.shell(
            "for name; do\n\
                 case $name in\n\
                 state) find state/legwork -mindepth 1 -maxdepth 1 ! -name ssh -exec rm -rf {} + ;;\n\
                 *) rm -rf \"$name\" ;;\n\
                 esac\n\
                 [ -d \"saved/$name\" ] && mkdir -p \"$name\" && cp -a \"saved/$name/.\" \"$name/\" || cp -a \"saved/$name\" \"$name\"\n\
             done",
        );
    }

    fn shell(&self, script: &str) {
        let output = self
            .world
            .command("sh")
            .args(["-euc", script, "sh"])
            .args(CHANGEABLE)
            .current_dir(self.world.path(""))
            .output()
            .expect("sh starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Returns the folder of legwork on the host.
    fn root(&self) -> PathBuf {
        self.host.home().join("legwork")
    }

    /// Stops the host, and the connections to it.
    pub(crate) fn stop_host(&mut self) {
        self.host.stop();
        for master in masters(&self.world) {
            super::kill(master);
        }
    }
}

impl Drop for Furnished {
    fn drop(&mut self) {
        end_workers(&self.world);
        end_jobs(&self.world, &self.root(), |job| job != self.ended);
        end_jobs(&self.world, &self.world.home().join("legwork"), |_| true);
    }
}

/// Lets the forge know the issue that examples name.
fn publish_issue(forge: &Forge) {
    let user = json!({"login": "ada", "type": "User"});
    let issue = json!({
        "number": 12, "title": "The total of an empty cart is None", "state": "open", "body": ISSUE,
        "user": user, "labels": [], "comments": 0, "author_association": "NONE",
        "html_url": format!("{}/acme/widgets/issues/12", forge.url()),
        "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z",
    });
    forge.answer(ISSUE_PATH, Reply::of(200, issue.to_string()));
    forge.answer(
        &format!("{ISSUE_PATH}/comments?per_page=100"),
        Reply::of(200, "[]"),
    );
}
