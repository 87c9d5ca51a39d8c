//! Workers: every task once, whatever is killed; stopped, paused, drained and found again.

mod background;
mod calls;
mod control;
mod hooks;
mod hosts;
mod kills;
mod once;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Call, World, end_workers, eventually, signal};

const TERM: i32 = 15;
const STOP: i32 = 19;
const CONT: i32 = 18;

/// A world whose queue workers empty.
struct Yard {
    world: World,
}

impl Yard {
    fn new() -> Self {
        let world = World::new();
        world.configure("[authorization]\nrequire = []\n");
        fs::create_dir(world.path("marks")).expect("a folder");
        Self { world }
    }

    fn call(&self, primitive: &str, input: &Value) -> Call {
        self.world
            .legwork([primitive, "--json", &input.to_string()])
    }

    /// Enqueues tasks, and returns their ids.
    fn enqueue(&self, tasks: &Value) -> Vec<String> {
        let call = self.call("enqueue-tasks", &json!({"tasks": tasks})).ok();
        let count = tasks.as_array().map_or(0, Vec::len);
        (0..count)
            .map(|place| call.text(&format!("/tasks/{place}/task/task_id")))
            .collect()
    }

    /// Enqueues a shell script, and returns its id.
    fn script(&self, script: &str, more: &Value) -> String {
        let mut task = json!({"command": ["sh", "-c", script]});
        for (name, value) in more.as_object().into_iter().flatten() {
            task[name] = value.clone();
        }
        self.enqueue(&json!([task])).remove(0)
    }

    /// Makes so many tasks that each leave one line in a file of its own.
    fn marking(&self, count: usize, more: &str) -> Value {
        let folder = self.world.path("marks");
        (0..count)
            .map(|number| {
                let mark = folder.join(number.to_string());
                let script = format!("echo ran >>'{}'; {more}", mark.display());
                json!({"command": ["sh", "-c", script], "title": number.to_string()})
            })
            .collect()
    }

    /// Returns how often each of so many tasks ran.
    fn marks(&self, count: usize) -> Vec<usize> {
        (0..count)
            .map(|number| {
                let mark = self.world.path("marks").join(number.to_string());
                fs::read_to_string(mark).map_or(0, |text| text.lines().count())
            })
            .collect()
    }

    fn show(&self, task_id: &str) -> Call {
        self.call("show-task", &json!({"task_id": task_id})).ok()
    }

    fn state(&self, task_id: &str) -> String {
        self.show(task_id).text("/task/state")
    }

    #[track_caller]
    fn await_state(&self, task_id: &str, state: &str) {
        eventually(state, || self.state(task_id) == state);
    }

    /// Starts a worker in the foreground.
    fn worker(&self, arguments: &[&str]) -> Worker {
        self.worker_that(arguments, None)
    }

    /// Starts a worker that is killed at a point.
    fn worker_that(&self, arguments: &[&str], failpoint: Option<&str>) -> Worker {
        let mut command = self.world.legwork_command(["run-worker"]);
        command.args(arguments);
        if let Some(failpoint) = failpoint {
            command.env("LEGWORK_FAILPOINT", failpoint);
        }
        let stderr = fs::File::create(self.world.path("worker.err")).expect("a file");
        let child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the worker starts");
        Worker { child }
    }

    /// Lets a worker do all there is to do, and returns its last line.
    #[track_caller]
    fn drained(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--idle-exit-s", "0"];
        all.extend(arguments);
        self.worker(&all).ended()
    }

    /// Returns the file of an attempt.
    fn file(&self, task_id: &str, attempt: u32, name: &str) -> PathBuf {
        let home = self.world.path("state/legwork/tasks");
        home.join(task_id).join(attempt.to_string()).join(name)
    }

    fn log(&self, task_id: &str, attempt: u32) -> String {
        fs::read_to_string(self.file(task_id, attempt, "output.log")).unwrap_or_default()
    }

    #[track_caller]
    fn await_log(&self, task_id: &str, text: &str) {
        eventually(text, || self.log(task_id, 1).contains(text));
    }

    /// Returns the process that runs the command of an attempt.
    fn leader(&self, task_id: &str, attempt: u32) -> u32 {
        let text = fs::read_to_string(self.file(task_id, attempt, "leader")).expect("a leader");
        let pid = text.split(' ').next().expect("a number");
        pid.parse().expect("a number")
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        end_workers(&self.world);
    }
}

/// A worker in the foreground; killed when dropped.
struct Worker {
    child: Child,
}

impl Worker {
    fn signal(&self, number: i32) {
        signal(self.child.id(), number);
    }

    /// Waits for its end, and returns its one line.
    #[track_caller]
    fn ended(mut self) -> Value {
        let stdout = self.child.stdout.take().expect("its output");
        let text = std::io::read_to_string(stdout).expect("its line");
        assert!(self.child.wait().expect("its end").success(), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).expect("a line of JSON");
        assert_eq!(line["ok"], true, "{text}");
        line["data"].clone()
    }

    /// Kills it as nothing can be caught.
    fn killed(mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("its end");
    }

    /// Waits until it was killed at its point.
    #[track_caller]
    fn dies(mut self) {
        use std::os::unix::process::ExitStatusExt as _;
        let status = self.child.wait().expect("its end");
        assert_eq!(status.signal(), Some(9), "{status}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns whether there is a process of that number that is no remains of one.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    state.flatten().is_some_and(|state| state != 'Z')
}
