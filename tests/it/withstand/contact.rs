//! Answers that are lost, on either way, and servers that go and come back.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{CHECK, Call, Sshd, Workplace, eventually, signal, start};

/// How contact is lost, once.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Before anything arrives.
    Before,
    /// In the middle of what is sent.
    Amid,
    /// After the work is done, with nothing of the answer on its way.
    After,
    /// After the work is done, in the middle of the answer.
    Within,
}

/// A host that can be told to break the connection.
struct Brittle {
    place: Workplace,
    host: Sshd,
    order: PathBuf,
}

impl Brittle {
    fn new() -> Self {
        let (place, host) = Workplace::over_ssh("box");
        let order = place.world().path("cut");
        let program = place.world().path("gate");
        fs::write(
            &program,
            format!(
                "#!/bin/sh\n\
                 order='{order}'\n\
                 cut=$(cat \"$order\" 2>/dev/null)\n\
                 [ -n \"$cut\" ] || exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n\
                 rm -f \"$order\"\n\
                 case $cut in\n\
                 Before) ;;\n\
                 Amid) head -c 3000 | sh -c \"$SSH_ORIGINAL_COMMAND\" ;;\n\
                 After) sh -c \"$SSH_ORIGINAL_COMMAND\" >/dev/null ;;\n\
                 Within) sh -c \"$SSH_ORIGINAL_COMMAND\" | {{ head -c 40; cat >/dev/null; }}; sleep 0.1 ;;\n\
                 esac\n\
                 kill -9 $PPID\n",
                order = order.display()
            ),
        )
        .expect("the gate");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
        let keys = host.home().with_file_name("authorized_keys");
        let key = fs::read_to_string(&keys).expect("the keys");
        fs::write(&keys, format!("command=\"{}\" {key}", program.display())).expect("the keys");
        let brittle = Self { place, host, order };
        // The connection made for the provisioning does not know of the gate.
        brittle.hang_up();
        brittle
    }

    /// Ends the connections there are.
    fn hang_up(&self) {
        let sockets = self.place.world().path("state/legwork/ssh");
        for entry in fs::read_dir(sockets).expect("the sockets").flatten() {
            if entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).expect("a socket");
            }
        }
    }

    fn cut_next(&self, cut: Cut) {
        fs::write(&self.order, format!("{cut:?}")).expect("an order");
    }

    /// Loses the answer of a call, and returns what the same call says then.
    fn twice(&self, cut: Cut, primitive: &str, input: &Value) -> crate::support::Call {
        self.cut_next(cut);
        let lost = self.place.call(primitive, input);
        assert_eq!(
            (lost.error_code(), lost.kind()),
            ("contact_lost", "unavailable"),
            "{cut:?}"
        );
        assert_eq!(lost.effect(), "unknown", "{cut:?}: {}", lost.line());
        assert!(
            lost.line()
                .contains(r#""retry_safe":true,"retry":{"mode":"same_call"}"#),
            "{}",
            lost.line()
        );
        assert!(!self.order.exists(), "{cut:?} was carried out");
        self.place.call(primitive, input).ok()
    }
}

#[test]
fn an_answer_that_is_lost_on_the_way_is_found_by_the_same_call() {
    let brittle = Brittle::new();
    let place = &brittle.place;
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    for (number, (cut, effect)) in [
        (Cut::Before, "applied"),
        (Cut::Amid, "applied"),
        (Cut::After, "replayed"),
        (Cut::Within, "replayed"),
    ]
    .into_iter()
    .enumerate()
    {
        let order = json!({"host": brittle.host.alias(), "idempotency_key": format!("{cut:?}")});
        let call = brittle.twice(
            cut,
            "launch-investigation",
            &Workplace::order("waiter", &order),
        );
        assert_eq!(
            (call.effect(), call.at("/job/state")),
            (effect, json!("running")),
            "{cut:?}"
        );
        eventually("the agent runs", || place.tally() > number);
        assert_eq!(place.started(number + 1), number + 1, "{cut:?}");
    }
    let jobs = place.call("poll-job", &json!({})).ok();
    assert_eq!(jobs.at("/active"), 4);

    let job_id = jobs.text("/jobs/0/job_id");
    let cancel = json!({"job_id": job_id, "grace_s": 1});
    let call = brittle.twice(Cut::After, "cancel-job", &cancel);
    assert_eq!(call.at("/job/state"), "cancelled");

    place.release();
    let job_id = jobs.text("/jobs/1/job_id");
    place.ended(&job_id);
    let checks = place.world().path("checks");
    let check = format!("echo x >>'{}'; {CHECK}", checks.display());
    // With the diff here the first thing that is asked of the host is to judge it.
    let fetch = json!({"job_id": job_id});
    place.call("fetch-artifacts", &fetch).ok();
    let call = brittle.twice(
        Cut::After,
        "check-diff",
        &json!({"job_id": job_id, "check": check, "reds": 1, "greens": 1}),
    );
    assert_eq!(call.at("/verdict"), "fixed");
    let made = fs::read_to_string(&checks).expect("the checks");
    assert_eq!(made.lines().count(), 2);

    // A poll that loses its answer says so of the jobs, and ends none.
    let job_id = jobs.text("/jobs/2/job_id");
    brittle.cut_next(Cut::Within);
    let job = place.poll(&job_id);
    assert_eq!(job["unreachable"]["error_code"], "contact_lost");
    assert_eq!(
        (&job["state"], &job["ended"]),
        (&json!("running"), &json!(false))
    );
    assert_eq!(place.ended(&job_id)["state"], "succeeded");
}

#[test]
fn a_server_that_goes_and_comes_back_changes_nothing() {
    let (place, mut host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let launched = place.launch("waiter", &json!({"host": host.alias()})).ok();
    let job_id = launched.text("/job/job_id");
    let seen = launched.at("/job/last_evidence_at");
    place.poll(&job_id);
    let input = json!({"job_ids": [job_id], "wait_s": 60});
    let waiting = thread::scope(|scope| {
        let waiting = scope.spawn(|| place.call("poll-job", &input));
        eventually("the call waits on the host", || host.is_waited_on());
        host.stop();
        waiting.join().expect("an answer")
    });
    let job = waiting.ok().at("/jobs/0");
    assert!(job["unreachable"]["error_code"].is_string(), "{job}");
    assert_eq!(
        (&job["state"], &job["ended"]),
        (&json!("running"), &json!(false))
    );
    assert!(job["last_evidence_at"].as_str() >= seen.as_str());

    for (primitive, input) in [
        (
            "launch-investigation",
            Workplace::order("waiter", &json!({"host": "box", "idempotency_key": "k"})),
        ),
        ("cancel-job", json!({"job_id": job_id})),
        ("tail-log", json!({"job_id": job_id})),
    ] {
        let call = place.call(primitive, &input);
        assert_eq!(
            (call.error_code(), call.kind()),
            ("ssh_unreachable", "unavailable")
        );
        assert!(
            call.details()["last_evidence_at"].is_string(),
            "{}",
            call.line()
        );
        assert_ne!(call.effect(), "applied");
    }
    let last = place.poll(&job_id);
    assert_eq!(
        (&last["state"], &last["ended"]),
        (&json!("running"), &json!(false))
    );

    // One that waits for the end takes the connection up again.
    let waited = thread::scope(|scope| {
        let waiting =
            scope.spawn(|| place.call("wait-job", &json!({"job_id": job_id, "wait_s": 60})));
        thread::sleep(Duration::from_millis(300));
        host.start_again();
        place.release();
        waiting.join().expect("an answer")
    });
    assert_eq!(waited.ok().at("/job/state"), "succeeded");
    let call = place
        .launch(
            "waiter",
            &json!({"host": host.alias(), "idempotency_key": "k"}),
        )
        .ok();
    assert_eq!(call.effect(), "applied");
    place.ended(&call.text("/job/job_id"));
    assert_eq!(place.started(2), 2);
}

#[test]
fn a_call_that_is_told_to_end_says_what_it_may_have_done() {
    let (place, host) = Workplace::over_ssh("box");
    place.agent("stubborn", "trap '' TERM; while :; do sleep 0.2; done");
    let job_id = place.launched("stubborn", &json!({"host": host.alias()}));
    let cancel = json!({"job_id": job_id, "grace_s": 3}).to_string();
    let child = start(
        &mut place
            .world()
            .legwork_command(["cancel-job", "--json", &cancel]),
    );
    let request = place.run(&job_id).join("cancel");
    eventually("the request has arrived", || request.exists());
    signal(child.id(), 15);
    let call = Call::read(&child.wait_with_output().expect("legwork ends"));
    assert_eq!((call.error_code(), call.effect()), ("cancelled", "unknown"));
    let call = place
        .call("cancel-job", &json!({"job_id": job_id, "grace_s": 3}))
        .ok();
    assert_eq!(call.at("/job/state"), "cancelled");
    assert_eq!(place.started(1), 1);
}
