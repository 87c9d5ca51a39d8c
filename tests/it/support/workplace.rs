//! A world in which jobs can be launched: a small repository with a bug, and agents that do what a shell script says.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Call, Sshd, World, at_once};

/// The check that fails on the repository as it is, and passes once the greeting is spelt right.
pub(crate) const CHECK: &str = "grep -qx hello greeting.txt";

/// What an agent does that mends the bug.
pub(crate) const MEND: &str = "echo hello >greeting.txt; echo '# Mended' >../report.md";

/// The supervisor, for where a world has none that is as it should be.
const SUPERVISOR: &str = concat!(
    "#!/bin/sh\n",
    include_str!("../../../src/system/shell/forget_git.sh"),
    include_str!("../../../src/system/shell/plain_git.sh"),
    include_str!("../../../src/system/shell/process.sh"),
    include_str!("../../../src/system/shell/contain.sh"),
    include_str!("../../../src/domain/run/log.sh"),
    include_str!("../../../src/domain/run/litter.sh"),
    include_str!("../../../src/domain/run/changes.sh"),
    include_str!("../../../src/domain/run/sockets.sh"),
    include_str!("../../../src/domain/run/agent.sh"),
    include_str!("../../../src/domain/run/sweep.sh"),
    include_str!("../../../src/domain/run/supervise.sh"),
);

/// How the processes of a run are ended, whatever state they are in.
const CANCEL: &str = concat!(
    "payload() { cat \"$LEGWORK_ROOT/bin/of-tests.sh\"; }\n",
    include_str!("../../../src/system/shell/process.sh"),
    include_str!("../../../src/domain/run/cancel.sh"),
);

/// A world with a repository named `widgets`; ends all that its jobs left running when dropped.
pub(crate) struct Workplace {
    world: World,
    roots: Mutex<Vec<PathBuf>>,
}

impl Workplace {
    /// Makes one where nothing is provisioned yet.
    pub(crate) fn empty() -> Self {
        Self::empty_in(World::new())
    }

    /// Makes one in a given world, where nothing is provisioned yet.
    pub(crate) fn empty_in(world: World) -> Self {
        world.repository(
            "widgets",
            &[("greeting.txt", "helo\n"), ("docs/about.txt", "About.\n")],
        );
        let url = world.path("widgets").display().to_string();
        world.configure(&format!("[repositories.widgets]\nurl = '{url}'\n"));
        let place = Self {
            world,
            roots: Mutex::new(Vec::new()),
        };
        place.agent("mender", MEND);
        place
    }

    /// Makes one that is ready for jobs on this machine.
    pub(crate) fn here() -> Self {
        let place = Self::empty();
        place.provision("local", &place.world.home());
        place
    }

    /// Makes one that is ready for jobs on a host with the limits of a stock server.
    pub(crate) fn over_ssh(alias: &str) -> (Self, Sshd) {
        let place = Self::empty();
        let host = Sshd::start(&place.world, alias);
        place.provision(alias, &host.home());
        (place, host)
    }

    /// Provisions the repository on a host with that home.
    pub(crate) fn provision(&self, host: &str, home: &Path) {
        self.watch(home);
        self.call(
            "provision-workspace",
            &json!({"host": host, "repository": "widgets"}),
        )
        .ok();
    }

    /// Ends what jobs leave running on a host with that home, too.
    pub(crate) fn watch(&self, home: &Path) {
        self.roots().push(home.join("legwork"));
    }

    fn roots(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the world.
    pub(crate) const fn world(&self) -> &World {
        &self.world
    }

    /// Returns the world, to change its variables.
    pub(crate) const fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Returns the folder legwork keeps its things in on the host that was provisioned last.
    pub(crate) fn root(&self) -> PathBuf {
        self.roots()
            .last()
            .expect("something is provisioned")
            .clone()
    }

    /// Returns the folder of a job on that host.
    pub(crate) fn job(&self, job_id: &str) -> PathBuf {
        self.root().join("jobs").join(job_id)
    }

    /// Returns the control folder of the first run of a job on that host.
    pub(crate) fn run(&self, job_id: &str) -> PathBuf {
        control(&self.root(), job_id)
    }

    /// Configures an agent that runs a shell script in the worktree, and leaves a line in a tally when it starts.
    pub(crate) fn agent(&self, name: &str, script: &str) {
        let script = format!("echo \"$LEGWORK_JOB\" >>'{}'\n{script}", self.tally_file());
        let agent = toml::Table::from_iter([(
            "argv".to_owned(),
            toml::Value::Array(["sh", "-c", &script].map(toml::Value::from).into()),
        )]);
        self.world.configure(&format!("[agents.{name}]\n{agent}"));
    }

    /// Configures an agent that waits to be released, and then does what a script says.
    pub(crate) fn waiting_agent(&self, name: &str, script: &str) {
        let released = self.world.path("released");
        self.agent(
            name,
            &format!(
                "while [ ! -e '{}' ]; do sleep 0.05; done\n{script}",
                released.display()
            ),
        );
    }

    /// Releases the agents that wait.
    pub(crate) fn release(&self) {
        fs::write(self.world.path("released"), "").expect("the release");
    }

    fn tally_file(&self) -> String {
        self.world.path("tally").display().to_string()
    }

    /// Returns how many agents were ever started.
    pub(crate) fn tally(&self) -> usize {
        fs::read_to_string(self.tally_file())
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// Waits until at least so many agents were started, and returns how many were ever started.
    ///
    /// A job runs from the moment its supervisor does; the agent's first line comes a little later.
    pub(crate) fn started(&self, at_least: usize) -> usize {
        eventually("the agents run", || self.tally() >= at_least);
        self.tally()
    }

    /// Calls a primitive.
    pub(crate) fn call(&self, primitive: &str, input: &Value) -> Call {
        self.world
            .legwork([primitive, "--json", &input.to_string()])
    }

    /// Launches, on the repository and by the given agent, with more fields.
    pub(crate) fn launch(&self, agent: &str, more: &Value) -> Call {
        self.call("launch-investigation", &Self::order(agent, more))
    }

    /// Launches, and returns the id of the job.
    #[track_caller]
    pub(crate) fn launched(&self, agent: &str, more: &Value) -> String {
        self.launch(agent, more).ok().text("/job/job_id")
    }

    /// Returns the input of such a launch.
    pub(crate) fn order(agent: &str, more: &Value) -> Value {
        let mut input = json!({"repository": "widgets", "agent": agent, "message": "The greeting is misspelt."});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        input
    }

    /// Sends a call of a primitive that is killed at a named point.
    #[track_caller]
    pub(crate) fn killed(&self, point: &str, primitive: &str, input: &Value) {
        self.world
            .killed(point, [primitive, "--json", &input.to_string()]);
    }

    /// Sends calls of primitives all at once.
    pub(crate) fn at_once<'a>(
        &self,
        calls: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Vec<Call> {
        at_once(calls.into_iter().map(|(primitive, input)| {
            self.world
                .legwork_command([primitive, "--json", &input.to_string()])
        }))
    }

    /// Returns a field of the line in which a supervisor writes the state of a job; empty where there is none.
    pub(crate) fn state_field(&self, job_id: &str, key: &str) -> String {
        let line = fs::read_to_string(self.run(job_id).join("state")).unwrap_or_default();
        line.split_whitespace()
            .filter_map(|word| word.split_once('='))
            .find_map(|(name, value)| (name == key).then_some(value))
            .unwrap_or_default()
            .to_owned()
    }

    /// Asks for one job.
    #[track_caller]
    pub(crate) fn poll(&self, job_id: &str) -> Value {
        self.call("poll-job", &json!({"job_ids": [job_id]}))
            .ok()
            .at("/jobs/0")
    }

    /// Waits for the end of a job, whatever end it is.
    #[track_caller]
    pub(crate) fn ended(&self, job_id: &str) -> Value {
        self.call("wait-job", &json!({"job_id": job_id, "wait_s": 60}))
            .ok()
            .at("/job")
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        for root in self.roots().iter() {
            end_jobs(&self.world, root, |_| true);
        }
    }
}

/// Ends what jobs left running below a folder of legwork: those whose id is chosen.
pub(super) fn end_jobs(world: &World, root: &Path, is_chosen: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(root.join("control"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let run = control(root, &name);
        if is_chosen(&name) && run.join("claim").is_dir() {
            fs::write(root.join("bin/of-tests.sh"), SUPERVISOR).ok();
            let digest = world
                .command("sha256sum")
                .arg(root.join("bin/of-tests.sh"))
                .output();
            let digest = digest.map(|output| {
                String::from_utf8_lossy(&output.stdout[..64.min(output.stdout.len())]).into_owned()
            });
            world
                .command("sh")
                .env("LEGWORK_ROOT", root)
                .args(["-c", CANCEL, "sh"])
                .arg(name)
                .arg("1")
                .args(run.file_name())
                .args(["0", "of-tests.sh"])
                .arg(digest.unwrap_or_default())
                .output()
                .ok();
            fs::remove_file(root.join("bin/of-tests.sh")).ok();
        }
    }
}

/// Returns the control folder of the first run of a job below a folder of legwork; one that is not there where there is no run.
pub(crate) fn control(root: &Path, job_id: &str) -> PathBuf {
    let folder = root.join("control").join(job_id);
    let token = fs::read_to_string(folder.join("run-1")).unwrap_or_default();
    folder.join(if token.is_empty() {
        "none"
    } else {
        token.trim()
    })
}

/// Waits until something holds, and fails where it never does.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came about: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
