//! `batch`: many calls as JSON lines in one process.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{ChildStdin, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Faults, MEND, Workplace, World, eventually, fed, json_lines, kill, masters, schemas, signal,
};

/// Sends everything at once, and returns the answers and the exit status.
fn batch(world: &World, arguments: &[&str], input: Vec<u8>) -> (Vec<Value>, Option<i32>) {
    let output = fed(
        &mut world.legwork_command(["batch"].iter().chain(arguments)),
        input,
    );
    (json_lines(&output), output.status.code())
}

/// Takes the id off an answer and checks the envelope that is left.
fn judge(faults: &Faults, answer: &Value) -> Value {
    let mut envelope = answer.as_object().expect("an object").clone();
    let first = envelope.keys().next().expect("a field").clone();
    faults.unless(first == "id", || format!("{first} comes first"));
    let id = envelope.remove("id").unwrap_or_default();
    let envelope = Value::Object(envelope);
    for fault in schemas::faults("envelope", &envelope) {
        faults.note(fault);
    }
    let primitive = envelope["primitive"].as_str().unwrap_or_default();
    if envelope["ok"] == true {
        for fault in schemas::faults(&format!("{primitive}.output"), &envelope["data"]) {
            faults.note(fault);
        }
    } else {
        let code = envelope["error_code"].as_str().unwrap_or_default();
        for fault in schemas::faults(&format!("error-details/{code}"), &envelope["details"]) {
            faults.note(fault);
        }
    }
    id
}

/// Makes a line by its number, and says what is to come of it: an id, and a code or nothing.
fn line(number: usize) -> (Vec<u8>, Value, Option<&'static str>) {
    let good = |call: Value| call.to_string().into_bytes();
    let text = json!(format!("call-{number}"));
    match number % 10 {
        0 => (b"not json {".to_vec(), Value::Null, Some("spec_invalid")),
        1 => (
            good(json!({"id": number, "primitive": "no-such-thing", "input": {}})),
            json!(number),
            Some("unknown_primitive"),
        ),
        2 => (
            good(json!({"id": text, "primitive": "list-jobs", "input": {"stray": 1}})),
            text,
            Some("spec_invalid"),
        ),
        3 => (
            good(json!({"id": text, "primitive": "list-jobs", "extra": 1})),
            text,
            Some("spec_invalid"),
        ),
        4 => (
            good(json!({"id": [number], "primitive": "list-jobs"})),
            Value::Null,
            Some("spec_invalid"),
        ),
        5 => (
            b"{\"id\":1,\"\xff\":2}".to_vec(),
            json!(1),
            Some("spec_invalid"),
        ),
        6 => (
            good(json!({"id": text, "primitive": "list-jobs"})),
            text,
            None,
        ),
        7 => (
            good(json!({"id": number, "primitive": "describe", "input": {"primitive": "demo"}})),
            json!(number),
            None,
        ),
        _ => (
            good(json!({"id": number, "primitive": "capabilities", "input": {"full": true}})),
            json!(number),
            None,
        ),
    }
}

#[test]
fn every_line_gets_its_answer_and_a_bad_one_spoils_only_itself() {
    let world = World::new();
    let faults = Faults::default();
    let mut input = Vec::new();
    let mut expected: BTreeMap<(String, String), usize> = BTreeMap::new();
    for number in 0..1000 {
        let (bytes, id, code) = line(number);
        input.extend(bytes);
        input.push(b'\n');
        if number % 100 == 0 {
            // Lines without anything on them are no calls.
            input.extend(b"\n  \r\n");
        }
        *expected
            .entry((id.to_string(), code.unwrap_or_default().to_owned()))
            .or_default() += 1;
    }
    let (answers, status) = batch(&world, &[], input);
    assert_eq!((answers.len(), status), (1000, Some(0)));
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for answer in &answers {
        let id = judge(&faults, answer);
        let code = answer["error_code"].as_str().unwrap_or_default();
        *found.entry((id.to_string(), code.to_owned())).or_default() += 1;
    }
    faults.none();
    assert_eq!(found, expected);
}

#[test]
fn a_line_without_an_end_is_a_line_and_no_input_is_no_answer() {
    let world = World::new();
    let (answers, status) = batch(&world, &[], Vec::new());
    assert_eq!((answers.len(), status), (0, Some(0)));
    let (answers, status) = batch(
        &world,
        &["--concurrency", "1"],
        br#"{"id":"last","primitive":"list-jobs"}"#.to_vec(),
    );
    assert_eq!(status, Some(0));
    assert_eq!(
        (&answers[0]["id"], &answers[0]["ok"]),
        (&json!("last"), &json!(true))
    );
}

#[test]
fn a_huge_line_is_read_and_one_that_is_too_long_is_refused() {
    let world = World::new();
    let stray = "x".repeat(8 << 20);
    let mut input = json!({"id": 1, "primitive": "list-jobs", "input": {"stray": stray}})
        .to_string()
        .into_bytes();
    input.push(b'\n');
    input.extend(vec![b'y'; (64 << 20) + 1]);
    input.extend(b"\n{\"id\":3,\"primitive\":\"capabilities\"}\n");
    let (mut answers, status) = batch(&world, &["--concurrency=1"], input);
    assert_eq!(status, Some(0));
    answers.sort_by_key(|answer| answer["id"].to_string());
    let seen: Vec<_> = answers
        .iter()
        .map(|answer| {
            (
                &answer["id"],
                answer["details"]["violations"][0]["keyword"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (&json!(1), Some("additionalProperties")),
            (&json!(3), None),
            (&Value::Null, Some("maxLength")),
        ]
    );
}

#[test]
fn flags_that_are_wrong_get_one_line() {
    let world = World::new();
    for (arguments, pointer) in [
        (["batch", "--concurency=3"], "/concurency"),
        (["batch", "--concurrency=0"], "/concurrency"),
        (["batch", "--concurrency=many"], "/concurrency"),
        (["batch", "--spec=-"], "/spec"),
    ] {
        let call = world.legwork(arguments);
        assert_eq!(
            (call.error_code(), call.primitive()),
            ("spec_invalid", "batch")
        );
        assert_eq!(call.details()["violations"][0]["pointer"], pointer);
    }
}

/// A conversation: calls are sent one by one, while others are under way.
struct Talk {
    child: std::process::Child,
    stdin: Option<ChildStdin>,
    answers: std::sync::mpsc::Receiver<Value>,
}

impl Talk {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world
            .legwork_command(["batch"].iter().chain(arguments))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("legwork starts");
        let stdout = BufReader::new(child.stdout.take().expect("its standard output"));
        let (tell, answers) = std::sync::mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines() {
                let line = line.expect("a line in UTF-8");
                let answer = serde_json::from_str(&line).expect("a line of JSON");
                if tell.send(answer).is_err() {
                    return;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            answers,
        }
    }

    fn send(&mut self, id: &str, primitive: &str, input: &Value) {
        let line = json!({"id": id, "primitive": primitive, "input": input});
        let stdin = self.stdin.as_mut().expect("not at the end yet");
        writeln!(stdin, "{line}").expect("legwork reads");
    }

    fn answer(&self) -> Value {
        self.answers
            .recv_timeout(Duration::from_secs(60))
            .expect("an answer")
    }
}

#[test]
fn a_quick_call_does_not_wait_for_a_slow_one_and_the_end_waits_for_all() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let job_id = place.launched("waiter", &json!({}));
    let mut talk = Talk::start(place.world(), &["--concurrency", "2"]);
    let wait = json!({"job_id": job_id, "wait_s": 50});
    talk.send("slow", "wait-job", &wait);
    talk.send("quick", "list-jobs", &json!({}));
    assert_eq!(talk.answer()["id"], "quick");
    // Two slow ones fill both places; what comes after them waits.
    talk.send("slower", "wait-job", &wait);
    talk.send("behind", "list-jobs", &json!({}));
    assert!(
        talk.answers
            .recv_timeout(Duration::from_millis(700))
            .is_err(),
        "more calls at once than were allowed"
    );
    drop(talk.stdin.take());
    place.release();
    let mut ids: Vec<String> = (0..3)
        .map(|_| {
            let answer = talk.answer();
            assert_eq!(answer["ok"], true, "{answer}");
            answer["id"].to_string()
        })
        .collect();
    ids.sort();
    assert_eq!(ids, ["\"behind\"", "\"slow\"", "\"slower\""]);
    assert_eq!(talk.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_signal_is_answered_for_every_call_under_way() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let job_id = place.launched("waiter", &json!({}));
    let mut talk = Talk::start(place.world(), &[]);
    for id in ["one", "two"] {
        talk.send(id, "wait-job", &json!({"job_id": job_id, "wait_s": 50}));
    }
    talk.send("quick", "list-jobs", &json!({}));
    assert_eq!(talk.answer()["id"], "quick");
    let begun = Instant::now();
    signal(talk.child.id(), 15);
    for _ in 0..2 {
        let answer = talk.answer();
        assert_eq!(
            (&answer["error_code"], &answer["effect"]),
            (&json!("cancelled"), &json!("none"))
        );
        assert_eq!(answer["details"]["signal"], "SIGTERM");
    }
    assert_eq!(talk.child.wait().expect("it ends").code(), Some(143));
    assert!(begun.elapsed() < Duration::from_secs(20));
    place.release();
    place.ended(&job_id);
}

#[test]
fn what_changes_between_calls_is_seen() {
    let world = World::new();
    let mut talk = Talk::start(&world, &[]);
    let hosts = |answer: &Value| {
        let hosts = answer["data"]["hosts"].as_array().cloned();
        let hosts = hosts.unwrap_or_default();
        hosts
            .iter()
            .any(|host| host["host"] == "late" || host["name"] == "late")
    };
    talk.send("before", "list-hosts", &json!({}));
    assert!(!hosts(&talk.answer()));
    world.configure("[hosts.late]\ndestination = \"late.example.org\"\n");
    talk.send("after", "list-hosts", &json!({}));
    let answer = talk.answer();
    assert!(hosts(&answer), "{answer}");
    // A state folder that was moved away is made anew, not written to where it lies now.
    talk.send("store", "list-jobs", &json!({}));
    assert_eq!(talk.answer()["ok"], true);
    std::fs::rename(world.path("state/legwork"), world.path("state/old")).expect("moved");
    talk.send("store", "list-jobs", &json!({}));
    assert_eq!(talk.answer()["ok"], true);
    eventually("a new database", || {
        world.path("state/legwork/legwork.db").exists()
    });
}

#[test]
fn a_panic_ends_its_call_and_no_other() {
    let mut world = World::new();
    world.set("LEGWORK_FAILPOINT", "panic:call.checked");
    let input =
        b"{\"id\":1,\"primitive\":\"list-jobs\"}\n{\"id\":2,\"primitive\":\"no\"}\n".to_vec();
    let (mut answers, status) = batch(&world, &[], input);
    answers.sort_by_key(|answer| answer["id"].to_string());
    assert_eq!(status, Some(0));
    assert_eq!(answers[0]["error_code"], "internal");
    assert_eq!(answers[1]["error_code"], "unknown_primitive");
}

#[test]
fn a_reader_that_went_away_ends_it_quietly() {
    let world = World::new();
    let mut child = world
        .legwork_command(["batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("legwork starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("its standard input");
    writeln!(stdin, "{}", json!({"id": 1, "primitive": "list-jobs"})).expect("legwork reads");
    let output = child
        .wait_with_output()
        .expect("it ends though there may be more");
    drop(stdin);
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn calls_to_a_host_share_one_connection_and_survive_its_loss() {
    let (place, host) = Workplace::over_ssh("far");
    place.agent("mender", MEND);
    let mut talk = Talk::start(place.world(), &["--concurrency", "8"]);
    let launches: Vec<String> = (0..8).map(|number| format!("launch-{number}")).collect();
    for (number, id) in launches.iter().enumerate() {
        let message = format!("The greeting is misspelt, number {number}.");
        let order = Workplace::order("mender", &json!({"host": "far", "message": message}));
        talk.send(id, "launch-investigation", &order);
    }
    let mut jobs = BTreeMap::new();
    for _ in &launches {
        let answer = talk.answer();
        assert_eq!(answer["effect"], "applied", "{answer}");
        jobs.insert(
            answer["data"]["job"]["job_id"].to_string(),
            answer["data"]["job"]["job_id"].clone(),
        );
    }
    assert_eq!(jobs.len(), 8, "eight launches are eight jobs");
    let ids: Vec<_> = jobs.into_values().collect();
    for id in &ids {
        talk.send("wait", "wait-job", &json!({"job_id": id, "wait_s": 50}));
    }
    for _ in &ids {
        let answer = talk.answer();
        assert_eq!(answer["data"]["job"]["outcome"], "unverified", "{answer}");
    }
    assert_eq!(host.logins(), 1, "more than one connection was made");
    assert_eq!(place.started(8), 8);

    // The connection goes, and the calls after that find another one.
    let masters = masters(place.world());
    assert_eq!(masters.len(), 1, "there is no connection to lose");
    kill(masters[0]);
    for id in &ids {
        talk.send("fetch", "fetch-artifacts", &json!({"job_id": id}));
    }
    for _ in &ids {
        let answer = talk.answer();
        assert_eq!(answer["ok"], true, "{answer}");
    }
    assert_eq!(host.logins(), 2);
    drop(talk.stdin.take());
    assert_eq!(talk.child.wait().expect("it ends").code(), Some(0));
}
