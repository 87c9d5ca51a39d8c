//! Several machines over one database. Each is a home of its own here, whose processes and files the others do not look at.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use crate::support::{
    Call, KEY, KEY_VARIABLE, Postgres, World, at_once, end_workers, eventually, name_of, sha256,
};

/// A machine.
struct Machine {
    world: World,
}

impl Machine {
    /// Makes so many machines over one new database, and returns its URL.
    fn several(server: &Arc<Postgres>, count: usize) -> (Vec<Self>, String) {
        let url = server.database();
        let machines = (0..count).map(|_| {
            let mut world = World::new();
            world.keep_at(server, &url);
            world.configure("[authorization]\nrequire = []\n");
            Self { world }
        });
        (machines.collect(), url)
    }

    fn call(&self, primitive: &str, input: &Value) -> Call {
        self.world
            .legwork([primitive, "--json", &input.to_string()])
    }

    fn worker(&self, arguments: &[&str]) -> Worker {
        let mut command = self.world.legwork_command(["run-worker"]);
        let child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the worker starts");
        Worker { child }
    }

    /// Makes a task that leaves a line in a file, is slow, and leaves another.
    fn slow(&self) -> (String, PathBuf) {
        let tally = self.world.path("tally");
        let go = self.world.path("go");
        let script = format!(
            "echo begun >>'{0}'; until [ -e '{1}' ]; do sleep 0.05; done; echo done >>'{0}'",
            tally.display(),
            go.display()
        );
        let tasks = json!({"tasks": [{"command": ["sh", "-c", script]}]});
        let enqueued = self.call("enqueue-tasks", &tasks).ok();
        (enqueued.text("/tasks/0/task/task_id"), tally)
    }

    fn state(&self, task_id: &str) -> String {
        let shown = self.call("show-task", &json!({"task_id": task_id})).ok();
        shown.text("/task/state")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end_workers(&self.world);
    }
}

/// A worker in the foreground; killed when dropped.
struct Worker {
    child: Child,
}

impl Worker {
    /// Waits for its end, and returns what its line says.
    fn ended(mut self) -> Value {
        let stdout = self.child.stdout.take().expect("its output");
        let text = std::io::read_to_string(stdout).expect("its line");
        let line: Value = serde_json::from_str(&text).expect("a line of JSON");
        assert_eq!(line["ok"], true, "{text}");
        line["data"].clone()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Calls of one machine, one after another in one process.
struct Batch {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Batch {
    fn of(machine: &Machine) -> Self {
        let mut child = machine
            .world
            .legwork_command(["batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("legwork starts");
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
        Self {
            child,
            stdin,
            lines,
        }
    }

    fn ok(&mut self, primitive: &str, input: &Value) -> Value {
        let call = json!({"id": 1, "primitive": primitive, "input": input});
        let stdin = self.stdin.as_mut().expect("its stdin");
        writeln!(stdin, "{call}").expect("it reads");
        let line = self.lines.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.child.wait().ok();
    }
}

#[test]
fn claims_of_eight_processes_take_each_of_two_hundred_tasks_once() {
    let server = Postgres::shared();
    let (machines, url) = Machine::several(&server, 2);
    let task =
        |number: usize| json!({"command": ["true"], "idempotency_key": format!("k{number}")});
    let tasks: Vec<Value> = (0..200).map(task).collect();
    let enqueue = json!({"tasks": tasks});
    // Both enqueue all of them, and there is one of each.
    for machine in &machines {
        machine.call("enqueue-tasks", &enqueue).ok();
    }
    let limit = json!({"name": "slots", "total": 40});
    machines[0].call("set-limit", &limit).ok();
    let work = |claimer: usize| -> Vec<String> {
        let mut batch = Batch::of(&machines[claimer % machines.len()]);
        let mut done = Vec::new();
        for number in 0.. {
            let claim = json!({
                "claimer": format!("w{claimer}"), "request_id": format!("r{number}"), "count": 5,
            });
            let claimed = batch.ok("claim-tasks", &claim);
            let tasks = claimed["data"]["tasks"].as_array().expect("tasks").clone();
            if tasks.is_empty() {
                break;
            }
            // The same call again claims nothing more.
            let again = batch.ok("claim-tasks", &claim);
            assert_eq!(again["effect"], "replayed");
            let tokens = |tasks: &[Value]| -> Vec<Value> {
                tasks.iter().map(|task| task["token"].clone()).collect()
            };
            let same = again["data"]["tasks"].as_array().expect("tasks");
            assert_eq!(tokens(same), tokens(&tasks));
            for task in tasks {
                let fence = json!({
                    "task_id": task["task_id"], "attempt": task["attempt"], "token": task["token"],
                });
                batch.ok("complete-task", &fence);
                done.push(task["task_id"].as_str().expect("an id").to_owned());
            }
        }
        done
    };
    let mut taken: Vec<String> = std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..8)
            .map(|claimer| scope.spawn(move || work(claimer)))
            .collect();
        let done = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        done.flat_map(|done| done.expect("a worker")).collect()
    });
    assert_eq!(taken.len(), 200);
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 200);
    let states = "SELECT state || count(*) FROM tasks GROUP BY state";
    assert_eq!(server.ask(name_of(&url), states), "succeeded200");
    machines[1].call("check-store", &json!({})).ok();
}

#[test]
fn workers_of_two_machines_keep_one_limit_and_run_each_task_once() {
    let server = Postgres::shared();
    let (machines, _url) = Machine::several(&server, 2);
    let first = &machines[0];
    first
        .call("set-limit", &json!({"name": "press", "total": 1}))
        .ok();
    // Two of them at once would find the folder there.
    let press = first.world.path("press");
    let tally = first.world.path("tally");
    let script = format!(
        "mkdir '{0}' && sleep 0.02 && rmdir '{0}' && echo ran >>'{1}'",
        press.display(),
        tally.display()
    );
    let task = |number: usize| {
        json!({
            "command": ["sh", "-c", script], "title": format!("{number}"),
            "resources": {"limits": {"press": 1}}, "max_attempts": 1,
        })
    };
    let tasks: Vec<Value> = (0..24).map(task).collect();
    first.call("enqueue-tasks", &json!({"tasks": tasks})).ok();
    let workers: Vec<Worker> = machines
        .iter()
        .zip(["one", "two"])
        .map(|(machine, name)| {
            machine.worker(&["--name", name, "--concurrency", "4", "--idle-exit-s", "1"])
        })
        .collect();
    let ended: Vec<Value> = workers.into_iter().map(Worker::ended).collect();
    let of = |count: &str| -> u64 {
        let counts = ended.iter().map(|one| one["counts"][count].as_u64());
        counts.map(|count| count.expect("a count")).sum()
    };
    assert_eq!((of("succeeded"), of("failed")), (24, 0), "{ended:?}");
    let lines = fs::read_to_string(tally).expect("a tally");
    assert_eq!(lines.lines().count(), 24);
}

#[test]
fn what_a_worker_elsewhere_runs_is_left_to_its_machine() {
    let server = Postgres::shared();
    let (machines, _url) = Machine::several(&server, 2);
    let (one, two) = (&machines[0], &machines[1]);
    let (task_id, tally) = one.slow();
    let text = || fs::read_to_string(&tally).unwrap_or_default();
    let worker = one.worker(&["--name", "night", "--lease-s", "3"]);
    eventually("it begins", || text() == "begun\n");
    let session = |machine: &Machine| -> String {
        let listed = machine.call("list-sessions", &json!({})).ok();
        listed.text("/sessions/0/state")
    };
    assert_eq!(session(two), "running");
    // Nobody ends it from elsewhere, nor takes its name.
    let stopped = two.call("stop-worker", &json!({"name": "night"}));
    assert_eq!(
        stopped.error_code(),
        "worker_not_ended",
        "{}",
        stopped.line()
    );
    assert_eq!(stopped.effect(), "none");
    let started = two.call("start-worker", &json!({"name": "night"}));
    assert_eq!(started.error_code(), "worker_running", "{}", started.line());
    let refused = two.world.legwork(["run-worker", "--name", "night"]);
    assert_eq!(refused.error_code(), "worker_running", "{}", refused.line());
    drop(worker);
    // Its machine sees that it is gone, the others hear nothing of it.
    assert_eq!(session(one), "gone");
    eventually("it is silent", || session(two) == "unknown");
    let idle = two.worker(&["--name", "day", "--idle-exit-s", "4", "--lease-s", "3"]);
    assert_eq!(idle.ended()["counts"]["adopted"], 0);
    assert_eq!(one.state(&task_id), "claimed");
    assert_eq!(text(), "begun\n");
    // The next one of that machine finds it, and there is one of it.
    fs::write(one.world.path("go"), "").expect("a file");
    let next = one.worker(&["--name", "night", "--idle-exit-s", "0"]);
    assert_eq!(next.ended()["counts"]["adopted"], 1);
    assert_eq!(two.state(&task_id), "succeeded");
    assert_eq!(text(), "begun\ndone\n");
}

#[test]
fn a_worker_hears_of_a_task_that_another_machine_enqueues() {
    let server = Postgres::shared();
    let (machines, _url) = Machine::several(&server, 2);
    let worker = machines[0].worker(&["--name", "ears", "--max-tasks", "1"]);
    eventually("it works", || {
        let listed = machines[1].call("list-sessions", &json!({})).ok();
        listed.at("/sessions/0/state") == "running"
    });
    let tasks = json!({"tasks": [{"command": ["true"]}]});
    machines[1].call("enqueue-tasks", &tasks).ok();
    assert_eq!(worker.ended()["counts"]["succeeded"], 1);
}

#[test]
fn leases_go_by_the_clock_of_the_server() {
    let server = Postgres::shared();
    let (machines, url) = Machine::several(&server, 2);
    let (one, two) = (&machines[0], &machines[1]);
    let tasks = json!({"tasks": [{"command": ["true"]}]});
    one.call("enqueue-tasks", &tasks).ok();
    // The server is ahead of every machine.
    let database = name_of(&url);
    server.ask(
        database,
        &format!(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql
                 AS 'SELECT pg_catalog.clock_timestamp() + interval ''1 day''';
             ALTER DATABASE {database} SET search_path = public, pg_catalog"
        ),
    );
    let claim = |claimer: &str| json!({"claimer": claimer, "request_id": "r", "lease_s": 3600});
    let claimed = one.call("claim-tasks", &claim("one")).ok();
    let until = claimed.text("/tasks/0/task/lease_until");
    let now = one.world.legwork(["now"]).ok().text("/at");
    let day = |time: &str| time.get(..10).map(str::to_owned);
    assert!(day(&until) > day(&now), "{until} {now}");
    // By the clock of this machine it has a day left, by that of the server it is held, and no longer.
    assert!(
        two.call("claim-tasks", &claim("two"))
            .ok()
            .at("/tasks/0")
            .is_null()
    );
    server.ask(
        database,
        "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql
             AS 'SELECT pg_catalog.clock_timestamp() + interval ''26 hours'''",
    );
    let taken = two.call("claim-tasks", &claim("three")).ok();
    assert_eq!(taken.at("/tasks/0/attempt"), 2, "{}", taken.line());
}

#[test]
fn a_call_that_a_person_let_through_runs_once_on_all_machines() {
    let server = Postgres::shared();
    let (machines, url) = Machine::several(&server, 2);
    for machine in &machines {
        machine.world.configure(&format!(
            "[authorization]\nrequire = ['local_write']\nkey_sha256 = '{}'\n",
            sha256(KEY.as_bytes())
        ));
    }
    let refused = machines[0].call("add-host", &json!({"name": "box"}));
    assert_eq!(refused.error_code(), "authorization_required");
    let request = json!({"request_id": refused.details()["request_id"]}).to_string();
    let mut person = machines[1]
        .world
        .legwork_command(["grant-authorization", "--json", &request]);
    let granted = person.env(KEY_VARIABLE, KEY).output();
    Call::read(&granted.expect("legwork starts")).ok();
    let resume = |number: usize| {
        let world = &machines[number % 2].world;
        let mut command = world.legwork_command(["resume-call", "--json", &request]);
        // What it does depends on the folder.
        command.current_dir(machines[0].world.home());
        command
    };
    let mut applied = 0;
    for call in at_once((0..8).map(resume)) {
        let call = call.ok();
        assert_eq!(call.at("/outcome/data/added"), true, "{}", call.line());
        assert_eq!(call.at("/request/attempts"), 1);
        applied += usize::from(call.effect() == "applied");
    }
    assert_eq!(applied, 1);
    let begun = "SELECT count(*) FROM audit WHERE record LIKE '%\"begun\"%'";
    assert_eq!(server.ask(name_of(&url), begun), "1");
    let audit = machines[1]
        .call("list-audit", &json!({"verify": true}))
        .ok();
    assert_eq!(audit.at("/verified/intact"), true, "{}", audit.line());
}

#[test]
fn a_text_that_no_index_of_the_server_holds_is_refused() {
    let server = Postgres::shared();
    let (machines, url) = Machine::several(&server, 1);
    let needs: Map<String, Value> = (0..60)
        .map(|number| {
            (
                sha256(format!("{number}").as_bytes())[..60].to_owned(),
                json!(1),
            )
        })
        .collect();
    let enqueue = |needs: Map<String, Value>| {
        let tasks = json!({"tasks": [{"command": ["true"], "resources": {"limits": needs}}]});
        machines[0].call("enqueue-tasks", &tasks)
    };
    let refused = enqueue(needs.clone());
    assert_eq!(refused.error_code(), "spec_invalid", "{}", refused.line());
    assert_eq!(refused.effect(), "none");
    let count = server.ask(name_of(&url), "SELECT count(*) FROM tasks");
    assert_eq!(count, "0");
    enqueue(needs.into_iter().take(9).collect()).ok();
}
