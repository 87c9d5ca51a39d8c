//! Hooks: told of every event that was committed, and never in the way of a call.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Call, Workplace, World, eventually};

/// A world whose hooks need nobody's leave.
struct Hooks(World);

impl Hooks {
    fn new() -> Self {
        let world = World::new();
        world.configure("[authorization]\nrequire = []\n");
        Self(world)
    }

    fn call(&self, primitive: &str, input: &Value) -> Call {
        self.0.legwork([primitive, "--json", &input.to_string()])
    }

    /// Adds a hook that runs a script of the shell.
    fn add(&self, name: &str, script: &str, more: &Value) -> Call {
        let mut input =
            json!({"name": name, "command": ["sh", "-c", script], "events": ["task.succeeded"]});
        for (field, value) in more.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        self.call("add-hook", &input).ok()
    }

    /// Enqueues a task and claims it; returns the call that completes it.
    fn held(&self, title: &str, labels: &[&str]) -> Value {
        let task = json!({"command": ["true"], "title": title, "labels": labels});
        let made = self.call("enqueue-tasks", &json!({"tasks": [task]})).ok();
        let task_id = made.at("/tasks/0/task/task_id");
        let claim = json!({"claimer": "me", "request_id": title, "task_id": task_id});
        let claimed = self.call("claim-tasks", &claim).ok();
        json!({"task_id": task_id, "attempt": claimed.at("/tasks/0/attempt"), "token": claimed.at("/tasks/0/token")})
    }

    fn finish(&self, title: &str, labels: &[&str]) -> Value {
        let held = self.held(title, labels);
        self.call("complete-task", &held).ok();
        held["task_id"].clone()
    }

    /// Waits until something of a hook is so.
    #[track_caller]
    fn until(&self, name: &str, is_so: impl Fn(&Call) -> bool) -> Call {
        let begun = Instant::now();
        loop {
            let listed = self
                .call("list-hooks", &json!({"name": name, "deliveries": 100}))
                .ok();
            if is_so(&listed) {
                return listed;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(15),
                "{}",
                listed.line()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn none_pending(&self, name: &str) -> Call {
        self.until(name, |listed| listed.at("/hooks/0/pending") == json!(0))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn remove(&self, name: &str) -> Call {
        self.call("remove-hook", &json!({"name": name})).ok()
    }
}

/// Reads the lines of JSON in a file.
fn lines(path: &PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_program_is_told_of_the_events_that_it_names() {
    let hooks = Hooks::new();
    let told = hooks.path("told");
    let script = format!(
        "cat >>'{0}'; echo \"$LEGWORK_HOOK\" >>'{0}.names'",
        told.display()
    );
    let added = hooks.add("ends", &script, &json!({"labels": ["mine"]}));
    assert_eq!(
        (added.effect(), added.at("/added")),
        ("applied", json!(true))
    );
    assert_eq!(
        hooks
            .add("ends", &script, &json!({"labels": ["mine"]}))
            .effect(),
        "replayed"
    );
    let other = json!({"name": "ends", "command": ["true"], "events": ["task.*"]});
    assert_eq!(hooks.call("add-hook", &other).error_code(), "hook_exists");

    hooks.finish("not-of-those", &[]);
    let task_id = hooks.finish("one-of-those", &["mine", "others"]);
    let listed = hooks.until("ends", |listed| {
        listed.at("/hooks/0/deliveries/0/state") == json!("delivered")
    });
    let delivery = listed.at("/hooks/0/deliveries/0");
    assert_eq!(
        listed.at("/hooks/0/deliveries").as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        (&delivery["event"], &delivery["attempts"]),
        (&json!("task.succeeded"), &json!(1))
    );
    assert_eq!(
        (
            &delivery["last_try"]["exit_code"],
            &delivery["last_try"]["error"]
        ),
        (&json!(0), &Value::Null)
    );
    let told_of = lines(&told);
    assert_eq!(told_of.len(), 1);
    assert_eq!(
        (&told_of[0]["event"], &told_of[0]["task_id"]),
        (&json!("task.succeeded"), &task_id)
    );
    assert_eq!(told_of[0]["delivery_id"], delivery["delivery_id"]);
    assert_eq!(told_of[0]["labels"], json!(["mine", "others"]));
    let names = fs::read_to_string(told.with_extension("names")).expect("what it was called with");
    assert_eq!(names, "ends\n");

    let removed = hooks.remove("ends");
    assert_eq!(removed.at("/removed"), json!(true));
    let again = &removed.next()[0];
    assert_eq!(
        hooks.call("add-hook", &again.input).ok().effect(),
        "applied"
    );
    hooks.remove("ends");
    assert_eq!(hooks.remove("ends").effect(), "replayed");
    hooks.call("check-store", &json!({})).ok();
}

#[test]
fn a_hook_that_fails_or_hangs_is_recorded_and_keeps_nobody() {
    let hooks = Hooks::new();
    hooks.add("fails", "echo no room >&2; exit 3", &json!({}));
    hooks.add("hangs", "sleep 61 & wait", &json!({"try_s": 1}));
    let missing = json!({"name": "missing", "command": ["/nowhere/to/be/found"], "events": ["task.succeeded"]});
    hooks.call("add-hook", &missing).ok();
    let held = hooks.held("one", &[]);
    let begun = Instant::now();
    let done = hooks.call("complete-task", &held).ok();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(done.text("/task/state"), "succeeded");

    let tried = |name: &str| {
        let listed = hooks.until(name, |listed| {
            !listed.at("/hooks/0/deliveries/0/last_try").is_null()
        });
        listed.at("/hooks/0/deliveries/0")
    };
    let fails = tried("fails");
    assert_eq!(
        (&fails["state"], &fails["last_try"]["exit_code"]),
        (&json!("pending"), &json!(3))
    );
    assert_eq!(fails["last_try"]["stderr"], "no room\n");
    assert!(fails["due_at"].is_string());
    let hangs = tried("hangs");
    assert_eq!(hangs["last_try"]["exit_code"], Value::Null);
    assert!(
        hangs["last_try"]["error"]
            .as_str()
            .is_some_and(|error| error.contains("longer than 1 s")),
        "{hangs}"
    );
    assert!(tried("missing")["last_try"]["error"].is_string());
    // It is tried again, a second after the first time.
    hooks.until("fails", |listed| {
        listed.at("/hooks/0/deliveries/0/attempts").as_u64() >= Some(2)
    });
    for name in ["fails", "hangs", "missing"] {
        hooks.remove(name);
    }
    hooks.call("check-store", &json!({})).ok();
}

#[test]
fn what_a_kill_leaves_is_delivered_by_whoever_comes_next() {
    let hooks = Hooks::new();
    let told = hooks.path("told");
    hooks.add("ends", &format!("cat >>'{}'", told.display()), &json!({}));
    let held = hooks.held("one", &[]);
    // The event is on the disk, and nobody was started to tell of it.
    hooks.0.killed(
        "queue.committed",
        ["complete-task", "--json", &held.to_string()],
    );
    let listed = hooks.call("list-hooks", &json!({})).ok();
    assert_eq!(listed.at("/hooks/0/pending"), json!(1));
    // It is told of, and nobody noted that.
    hooks.0.killed("hook.tried", ["--deliver-hooks"]);
    assert_eq!(lines(&told).len(), 1);
    let listed = hooks.call("list-hooks", &json!({})).ok();
    assert_eq!(listed.at("/hooks/0/deliveries/0/attempts"), json!(0));
    let worker = ["run-worker", "--concurrency", "0", "--idle-exit-s", "0"];
    hooks.0.legwork(worker).ok();
    hooks.none_pending("ends");
    let told_of = lines(&told);
    assert_eq!(told_of.len(), 2);
    assert_eq!(told_of[0], told_of[1]);
}

#[test]
fn of_many_events_at_once_each_is_told_once_and_the_newest_are_kept() {
    let hooks = Hooks::new();
    let told = hooks.path("told");
    hooks.add(
        "all",
        &format!("cat >>'{}'", told.display()),
        &json!({"events": ["task.enqueued"]}),
    );
    let tasks: Vec<Value> = (0..60)
        .map(|n| json!({"command": ["true"], "title": n.to_string()}))
        .collect();
    thread::scope(|scope| {
        for part in tasks.chunks(20) {
            let hooks = &hooks;
            scope.spawn(move || hooks.call("enqueue-tasks", &json!({"tasks": part})).ok());
        }
    });
    let listed = hooks.none_pending("all");
    assert_eq!(
        listed.at("/hooks/0/deliveries").as_array().map(Vec::len),
        Some(50)
    );
    let mut ids: Vec<String> = lines(&told)
        .iter()
        .map(|one| one["delivery_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 60);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 60);
}

#[test]
fn an_address_gets_the_event_signed_and_a_test_says_what_came_of_it() {
    let hooks = Hooks::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let secret = hooks.path("secret");
    fs::write(&secret, "open sesame\n").expect("a file");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("a mode");
    let input = json!({"name": "board", "url": url, "secret_file": secret, "events": ["task.*", "job.*"], "try_s": 10});
    hooks.call("add-hook", &input).ok();
    let send = |request_id: &str| {
        hooks
            .call(
                "test-hook",
                &json!({"name": "board", "request_id": request_id, "wait_s": 20}),
            )
            .ok()
    };
    let open = send("open").at("/delivery/last_try/error");
    assert!(
        open.as_str()
            .is_some_and(|error| error.contains("others than its owner")),
        "{open}"
    );
    hooks.remove("board");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("a mode");
    hooks.call("add-hook", &input).ok();

    let answers = thread::spawn(move || {
        let mut heard = Vec::new();
        for reply in [
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 410 Gone\r\ncontent-length: 5\r\n\r\nmoved",
        ] {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut request = Vec::new();
            let mut part = [0; 4096];
            loop {
                let text = String::from_utf8_lossy(&request).into_owned();
                let length = text.to_lowercase().lines().find_map(|line| {
                    line.strip_prefix("content-length: ")
                        .and_then(|length| length.trim().parse::<usize>().ok())
                });
                if let (Some((_, body)), Some(length)) = (text.split_once("\r\n\r\n"), length)
                    && body.len() >= length
                {
                    break;
                }
                let read = stream.read(&mut part).expect("a part");
                assert!(read > 0, "{text}");
                request.extend_from_slice(&part[..read]);
            }
            stream.write_all(reply.as_bytes()).expect("an answer");
            heard.push(String::from_utf8(request).expect("text"));
        }
        heard
    });
    let delivered = send("one");
    assert_eq!(delivered.effect(), "applied");
    assert_eq!(delivered.text("/delivery/state"), "delivered");
    assert_eq!(delivered.at("/delivery/last_try/status"), json!(204));
    assert_eq!(send("one").effect(), "replayed");
    let refused = send("two");
    assert_eq!(refused.text("/delivery/state"), "pending");
    assert_eq!(refused.at("/delivery/last_try/status"), json!(410));
    assert_eq!(refused.at("/delivery/last_try/stderr"), json!("moved"));
    hooks.remove("board");

    let requests = answers.join().expect("the server");
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("a body");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"open sesame").expect("a key");
    mac.update(body.as_bytes());
    let mut signature = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").expect("text");
    }
    assert!(head.starts_with("POST /hook "), "{head}");
    assert!(
        head.to_lowercase()
            .contains(&format!("x-legwork-signature-256: sha256={signature}")),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        (&body["event"], &body["hook"]),
        (&json!("hook.test"), &json!("board"))
    );
    assert_eq!(body["delivery_id"], delivered.at("/delivery/delivery_id"));
}

#[test]
fn a_hook_is_told_of_jobs_too() {
    let place = Workplace::here();
    place.world().configure("[authorization]\nrequire = []\n");
    let hook = json!({"name": "jobs", "command": ["true"], "events": ["job.*"]});
    place.call("add-hook", &hook).ok();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    eventually("all was told", || {
        let listed = place.call("list-hooks", &json!({"deliveries": 100})).ok();
        let deliveries = listed.at("/hooks/0/deliveries");
        let events: Vec<&str> = deliveries
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["state"] == "delivered")
            .filter_map(|one| one["event"].as_str())
            .collect();
        events.first() == Some(&"job.outcome") && events.last() == Some(&"job.recorded")
    });
}

#[test]
fn a_hook_needs_a_persons_leave_and_names_what_there_is() {
    let hooks = Hooks::new();
    for (bad, pointer) in [
        (json!({"name": "a", "events": ["task.failed"]}), ""),
        (
            json!({"name": "a", "command": ["true"], "url": "http://localhost/", "events": ["task.failed"]}),
            "",
        ),
        (
            json!({"name": "a", "command": ["true"], "events": ["task.exploded"]}),
            "/events/0",
        ),
        (
            json!({"name": "a", "command": ["true"], "events": ["failed"]}),
            "/events/0",
        ),
        (
            json!({"name": "a", "command": ["true"], "secret_file": "/x", "events": ["task.failed"]}),
            "/secret_file",
        ),
        (
            json!({"name": "a", "url": "http://localhost/", "secret_file": "x", "events": ["task.failed"]}),
            "/secret_file",
        ),
        (
            json!({"name": "a", "url": "file:///etc/passwd", "events": ["task.failed"]}),
            "/url",
        ),
        (
            json!({"name": "a", "url": "http://me:secret@localhost/", "events": ["task.failed"]}),
            "/url",
        ),
    ] {
        let call = hooks.call("add-hook", &bad);
        assert_eq!(call.error_code(), "spec_invalid", "{bad}");
        assert_eq!(call.details()["violations"][0]["pointer"], pointer, "{bad}");
    }
    let unknown = json!({"name": "nobody", "request_id": "r"});
    assert_eq!(
        hooks.call("test-hook", &unknown).error_code(),
        "hook_not_found"
    );
    assert_eq!(
        hooks
            .call("list-hooks", &json!({"name": "nobody"}))
            .error_code(),
        "hook_not_found"
    );

    // Where the configuration says nothing, a person is asked.
    let hooks = Hooks(World::new());
    let input = json!({"name": "later", "command": ["true"], "events": ["task.failed"]});
    for (primitive, input) in [
        ("add-hook", input),
        ("remove-hook", json!({"name": "later"})),
    ] {
        assert_eq!(
            hooks.call(primitive, &input).error_code(),
            "authorization_required",
            "{primitive}"
        );
    }
    assert_eq!(
        hooks.call("list-hooks", &json!({})).ok().at("/hooks"),
        json!([])
    );
}
