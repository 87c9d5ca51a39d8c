//! Ends: limits, cancellation, and what an end is worth.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Agents, MEND, Model, Script, Workplace, eventually, kill};

/// Returns whether a process of that id lives.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn diff(place: &Workplace, job_id: &str) -> String {
    fs::read_to_string(place.run(job_id).join("changes.diff")).expect("the diff")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn a_run_that_takes_too_long_is_ended_and_its_work_kept() {
    let place = Workplace::here();
    place.agent("slow", "echo half >greeting.txt; echo working; sleep 300");
    let job_id = place.launched("slow", &json!({"max_wall_s": 1}));
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["reason"], &job["outcome"]),
        (&json!("timed_out"), &json!("wall_limit"), &json!("failed"))
    );
    assert_eq!(job["limits"]["max_wall_s"], 1);
    assert!(job["diff_bytes"].as_u64() > Some(0));
    assert!(diff(&place, &job_id).contains("+half"));
    let call = place.call(
        "wait-job",
        &json!({"job_id": job_id, "require": "succeeded"}),
    );
    assert_eq!(
        (call.error_code(), call.kind()),
        ("requirement_unmet", "failed_precondition")
    );
    assert_eq!(call.details()["state"], "timed_out");
}

#[test]
fn a_run_that_falls_silent_is_ended() {
    let place = Workplace::here();
    place.agent("mute", "echo once; sleep 300");
    let job_id = place.launched("mute", &json!({"max_idle_s": 1, "max_wall_s": 200}));
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["reason"]),
        (&json!("timed_out"), &json!("idle_limit"))
    );
}

#[test]
fn a_tree_of_processes_that_ignores_term_is_ended_for_certain() {
    let (place, host) = Workplace::over_ssh("box");
    let pids = place.world().path("pids");
    // In a namespace of their own they would not know the numbers that they have outside.
    place.world().configure("[hosts.box]\ncontain = false\n");
    place.agent(
        "stubborn",
        &format!(
            "trap '' TERM; echo half >greeting.txt\n\
             sh -c 'trap \"\" TERM; echo $$ >>{pids}; setsid sh -c \"trap : TERM; echo \\$\\$ >>{pids}; while :; do sleep 1; done\" & while :; do sleep 1; done' &\n\
             echo $$ >>{pids}; while :; do sleep 1; done",
            pids = pids.display()
        ),
    );
    let job_id = place.launched("stubborn", &json!({"host": host.alias()}));
    eventually("three processes", || read(&pids).lines().count() == 3);
    let dry = place
        .call("cancel-job", &json!({"job_id": job_id, "dry_run": true}))
        .ok();
    assert_eq!(
        (dry.effect(), dry.at("/would_cancel")),
        ("none", json!(true))
    );
    assert!(read(&pids).lines().all(lives));

    let begun = Instant::now();
    let call = place
        .call("cancel-job", &json!({"job_id": job_id, "grace_s": 1}))
        .ok();
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(
        (call.effect(), call.at("/job/state")),
        ("applied", json!("cancelled"))
    );
    assert_eq!(call.at("/job/reason"), "cancel_requested");
    assert!(!read(&pids).lines().any(lives), "{}", read(&pids));
    assert!(diff(&place, &job_id).contains("+half"));

    // Where nothing contained the run, its host is asked again whether anything of it came up meanwhile.
    let again = place.call("cancel-job", &json!({"job_id": job_id})).ok();
    assert_eq!((again.effect(), again.round_trips()), ("replayed", 1));
    // A job that was ended is not started again by asking for it again.
    let replay = place
        .launch("stubborn", &json!({"host": host.alias()}))
        .ok();
    assert_eq!(
        (replay.effect(), replay.at("/job/state")),
        ("replayed", json!("cancelled"))
    );
    assert_eq!(place.started(1), 1);
    let nobody = place.call("cancel-job", &json!({"job_id": "nobody"}));
    assert_eq!(nobody.error_code(), "job_not_found");
}

#[test]
fn a_process_that_does_not_end_is_named_and_the_same_call_looks_again() {
    let place = Workplace::here();
    place.waiting_agent("waiter", MEND);
    let job_id = place.launched("waiter", &json!({}));
    // What its supervisor writes where the kernel does not end a process, in place of a process that hangs in a disk.
    let number = |key| place.state_field(&job_id, key).parse().expect("a process");
    let (supervisor, leader): (u32, u32) = (number("sup"), number("pid"));
    kill(supervisor);
    kill(leader);
    eventually("their end", || {
        [supervisor, leader]
            .iter()
            .all(|pid| !lives(&pid.to_string()))
    });
    let stays = || {
        let mut command = place.world().command("sleep");
        command.arg("60").spawn().expect("a process that stays")
    };
    let mut stubborn = [stays(), stays()];
    let [one, two] = stubborn.each_ref().map(std::process::Child::id);
    let state = place.run(&job_id).join("state");
    let running = fs::read_to_string(&state).expect("a state line");
    let survived = running
        .replace(" state=running ", " state=cancelled ")
        .replace(" ended=- ", " ended=1700000000 ")
        .replace(" survivors=- ", &format!(" survivors={one},{two} "));
    fs::write(&state, &survived).expect("a state line");
    let cancel = json!({"job_id": job_id, "grace_s": 1});
    for _ in 0..2 {
        let call = place.call("cancel-job", &cancel);
        assert_eq!(
            (call.error_code(), call.effect()),
            ("processes_survived", "partial"),
            "{}",
            call.line()
        );
        assert_eq!(call.details()["pids"], json!([one, two]));
        assert_eq!(place.poll(&job_id)["survivors"], json!([one, two]));
    }
    // What is known of them by their numbers alone was not signalled.
    for process in &mut stubborn {
        assert!(process.try_wait().expect("it can be asked").is_none());
        process.kill().expect("it is ours");
        process.wait().expect("it ends");
    }
    let call = place.call("cancel-job", &cancel).ok();
    assert_eq!(
        (call.at("/job/state"), call.at("/job/survivors")),
        (json!("cancelled"), json!([]))
    );
    place.release();
}

#[test]
fn a_job_that_has_ended_is_not_cancelled() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let call = place.call("cancel-job", &json!({"job_id": job_id})).ok();
    assert_eq!(
        (call.effect(), call.at("/job/state")),
        ("replayed", json!("succeeded"))
    );
    assert_eq!(call.at("/job/outcome"), "unverified");

    // Also where nobody here has seen its end yet.
    let unseen = place.launched("mender", &json!({"idempotency_key": "unseen"}));
    let state = place.run(&unseen).join("state");
    eventually("its end", || read(&state).contains(" state=succeeded "));
    let call = place.call("cancel-job", &json!({"job_id": unseen})).ok();
    assert_eq!(call.at("/job/state"), "succeeded");
    assert_eq!(call.at("/job/outcome"), "unverified");
}

#[test]
fn an_end_without_a_change_is_no_success() {
    let place = Workplace::here();
    place.agent("idle", "echo all is well");
    let job_id = place.launched("idle", &json!({}));
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["outcome"]),
        (&json!("succeeded"), &json!("no_effect"))
    );
    assert_eq!(job["diff_bytes"], 0);
    let call = place.call(
        "wait-job",
        &json!({"job_id": job_id, "require": "succeeded"}),
    );
    assert_eq!(call.error_code(), "requirement_unmet");
    assert_eq!(call.details()["outcome"], "no_effect");
    let call = place.call("check-diff", &json!({"job_id": job_id, "check": "true"}));
    assert_eq!((call.error_code(), call.effect()), ("diff_empty", "none"));
    let call = place.call("verify-fix", &json!({"job_id": job_id}));
    assert_eq!((call.error_code(), call.effect()), ("diff_empty", "none"));
}

#[test]
fn an_agent_whose_own_log_says_no_has_failed_whatever_it_exits_with() {
    let place = Workplace::here();
    let model = Model::start_refusing();
    let wrappers = place.world().path("wrappers");
    Agents::wrappers(place.world().testbed(), &model, &wrappers);
    // The exit status of the real program is hidden, as a wrapper around it may well do.
    let inner = wrappers.join("claude");
    let outer = place.world().path("claude-that-lies");
    fs::write(
        &outer,
        format!(
            "#!/bin/sh\n'{}' \"$@\"\necho x >made.txt\nexit 0\n",
            inner.display()
        ),
    )
    .expect("a wrapper");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&outer, mode).expect("its mode");
    place.world().configure(&format!(
        "[agents.claude]\nprogram = '{}'\n",
        outer.display()
    ));
    let job_id = place.launched("claude", &json!({}));
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["exit_code"]),
        (&json!("succeeded"), &json!(0))
    );
    assert_eq!(
        (&job["outcome"], &job["summary"]["succeeded"]),
        (&json!("failed"), &json!(false))
    );
    assert_eq!(job["summary"]["end"], "unauthenticated");
}

#[test]
fn waiting_holds_a_job_to_what_is_demanded() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let job_id = place.launched("waiter", &json!({}));
    let begun = Instant::now();
    let call = place.call("wait-job", &json!({"job_id": job_id, "wait_s": 1}));
    assert_eq!(
        (call.error_code(), call.kind()),
        ("wait_timed_out", "deadline_exceeded")
    );
    assert_eq!(call.details()["state"], "running");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(call.next()[0].primitive, "wait-job");
    for (primitive, input) in [
        ("check-diff", json!({"job_id": job_id, "check": "true"})),
        ("verify-fix", json!({"job_id": job_id})),
    ] {
        let call = place.call(primitive, &input);
        assert_eq!(
            (call.error_code(), call.effect()),
            ("job_not_ended", "none")
        );
    }
    place.release();
    let call = place
        .call(
            "wait-job",
            &json!({"job_id": job_id, "wait_s": 60, "require": "succeeded"}),
        )
        .ok();
    assert_eq!(call.at("/job/outcome"), "unverified");
    let suggested: Vec<&str> = call
        .next()
        .iter()
        .map(|next| next.primitive.as_str())
        .collect();
    assert_eq!(suggested, ["fetch-artifacts", "verify-fix"]);
    let call = place.call("wait-job", &json!({"job_id": job_id, "require": "fixed"}));
    assert_eq!(call.error_code(), "requirement_unmet");
    assert_eq!(call.details()["required"], "fixed");
    let call = place.call("wait-job", &json!({"job_id": "nobody"}));
    assert_eq!(call.error_code(), "job_not_found");
}

#[test]
fn a_real_agent_that_ends_well_is_summed_up() {
    let place = Workplace::here();
    let model = Model::start(
        Script::saying("Mended the greeting.")
            .read("{cwd}/greeting.txt")
            .edit("{cwd}/greeting.txt", "helo", "hello"),
    );
    let wrappers = place.world().path("wrappers");
    Agents::wrappers(place.world().testbed(), &model, &wrappers);
    place.world().configure(&format!(
        "[hosts.local]\npath = ['{}']\n",
        wrappers.display()
    ));
    let job_id = place.launched("claude", &json!({"max_turns": 9, "model": "scripted-1"}));
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["outcome"]),
        (&json!("succeeded"), &json!("unverified"))
    );
    let summary = &job["summary"];
    assert_eq!(
        (
            &summary["succeeded"],
            &summary["final_message"],
            &summary["turns"]
        ),
        (&json!(true), &json!("Mended the greeting."), &json!(3))
    );
    assert!(diff(&place, &job_id).contains("+hello"));
    assert!(model.has_read("The greeting is misspelt."));
    let events = place
        .call("tail-log", &json!({"job_id": job_id}))
        .ok()
        .at("/events");
    let told = events.as_array().map_or(0, Vec::len);
    assert!(told >= 6, "{events}");
    assert_ne!(events[0], Value::Null);
}
