//! A kill at any named point, here or there: the same call again brings it to its end, and one agent ever ran.

use std::{fs, os::unix::process::CommandExt as _, process::Stdio, thread, time::Duration};

use serde_json::json;

use crate::support::{CHECK, Workplace, eventually, kill};

fn jobs(place: &Workplace) -> usize {
    let jobs = place.call("list-jobs", &json!({})).ok().at("/jobs");
    jobs.as_array().map_or(0, Vec::len)
}

/// Launches through a kill at each point, and sees one agent and nothing lost.
fn launches(place: &Workplace, host: &str) {
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let points = [
        ("launch.recorded", "applied"),
        ("launch.sent", "replayed"),
        ("launch.saved", "replayed"),
    ];
    for (number, (point, effect)) in points.into_iter().enumerate() {
        let order = json!({"host": host, "idempotency_key": point});
        place.killed(
            point,
            "launch-investigation",
            &Workplace::order("waiter", &order),
        );
        assert_eq!(jobs(place), number + 1, "{point}");
        let call = place.launch("waiter", &order).ok();
        assert_eq!(
            (call.effect(), call.at("/job/state")),
            (effect, json!("running")),
            "{point}"
        );
        assert_eq!(
            place.launch("waiter", &order).ok().effect(),
            "replayed",
            "{point}"
        );
        assert_eq!(
            (jobs(place), place.tally()),
            (number + 1, number + 1),
            "{point}"
        );
    }
    place.release();
    for (point, _) in points {
        let job_id = place.launched("waiter", &json!({"host": host, "idempotency_key": point}));
        assert_eq!(place.ended(&job_id)["outcome"], "unverified", "{point}");
    }
    assert_eq!(place.started(points.len()), points.len());
}

#[test]
fn a_launch_killed_anywhere_is_taken_up_on_this_machine() {
    launches(&Workplace::here(), "local");
}

#[test]
fn a_launch_killed_anywhere_is_taken_up_over_ssh() {
    let (place, host) = Workplace::over_ssh("box");
    launches(&place, host.alias());
}

#[test]
fn a_launch_killed_at_any_moment_with_all_it_started_is_taken_up() {
    let place = Workplace::here();
    for number in 1..=16_u32 {
        let order = json!({"idempotency_key": format!("after {number}")});
        let mut child = place
            .world()
            .legwork_command(["launch-investigation", "--json"])
            .arg(Workplace::order("mender", &order).to_string())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("legwork starts");
        thread::sleep(Duration::from_millis(u64::from(number * number)));
        let group = format!("-{}", child.id());
        let killed = place
            .world()
            .command("kill")
            .args(["-9", "--", &group])
            .stderr(Stdio::null())
            .status();
        killed.expect("kill starts");
        child.wait().expect("its end");
        let job_id = place.launched("mender", &order);
        let job = place.ended(&job_id);
        assert_eq!(
            (&job["state"], &job["outcome"]),
            (&json!("succeeded"), &json!("unverified")),
            "{number}"
        );
        assert_eq!(place.started(number as usize), number as usize, "{number}");
    }
}

#[test]
fn a_poll_sees_what_a_killed_launch_left() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    place.killed(
        "launch.sent",
        "launch-investigation",
        &Workplace::order("waiter", &json!({})),
    );
    let listed = place.call("list-jobs", &json!({})).ok();
    let job_id = listed.text("/jobs/0/job_id");
    assert_eq!(listed.at("/jobs/0/state"), "launching");
    assert_eq!(place.poll(&job_id)["state"], "running");
    place.release();
    assert_eq!(place.ended(&job_id)["state"], "succeeded");
    assert_eq!(place.started(1), 1);
}

#[test]
fn a_cancel_killed_anywhere_is_taken_up() {
    let (place, host) = Workplace::over_ssh("box");
    place.agent("sleeper", "echo half >greeting.txt; sleep 300");
    for (number, point) in ["cancel.before", "cancel.sent", "cancel.saved", "poll.noted"]
        .into_iter()
        .enumerate()
    {
        let order = json!({"host": host.alias(), "idempotency_key": point});
        let job_id = place.launched("sleeper", &order);
        let cancel = json!({"job_id": job_id, "grace_s": 1});
        if point == "poll.noted" {
            place.killed(point, "poll-job", &json!({"job_ids": [job_id]}));
        } else {
            place.killed(point, "cancel-job", &cancel);
        }
        let call = place.call("cancel-job", &cancel).ok();
        assert_eq!(call.at("/job/state"), "cancelled", "{point}");
        let job = place.poll(&job_id);
        assert_eq!(
            (&job["outcome"], &job["changes"]),
            (&json!("failed"), &json!("ok")),
            "{point}"
        );
        let diff = fs::read_to_string(place.run(&job_id).join("changes.diff")).expect("the diff");
        assert!(diff.contains("+half"), "{point}");
        let replay = place.launch("sleeper", &order).ok();
        assert_eq!(
            (replay.effect(), replay.at("/job/state")),
            ("replayed", json!("cancelled"))
        );
        assert_eq!(place.started(number + 1), number + 1, "{point}");
    }
}

#[test]
fn a_cancel_before_anything_was_sent_means_that_nothing_ever_runs() {
    let place = Workplace::here();
    place.killed(
        "launch.recorded",
        "launch-investigation",
        &Workplace::order("mender", &json!({})),
    );
    let listed = place.call("list-jobs", &json!({})).ok();
    let job_id = listed.text("/jobs/0/job_id");
    let call = place
        .call("cancel-job", &json!({"job_id": job_id, "grace_s": 0}))
        .ok();
    assert_eq!(
        (call.effect(), call.at("/job/state")),
        ("applied", json!("cancelled"))
    );
    let again = place.launch("mender", &json!({})).ok();
    assert_eq!(
        (again.effect(), again.at("/job/state")),
        ("replayed", json!("cancelled"))
    );
    assert_eq!(place.tally(), 0);
}

#[test]
fn a_verification_killed_on_the_way_is_made_once() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);
    let checks = place.world().path("checks");
    let check = format!("echo x >>'{}'; sleep 0.3; {CHECK}", checks.display());
    let input = json!({"job_id": job_id, "check": check, "reds": 1, "greens": 1});
    place.killed("verify.started", "check-diff", &input);
    let call = place.call("check-diff", &input).ok();
    assert_eq!(call.at("/verdict"), "fixed");
    let made = fs::read_to_string(&checks).expect("the checks");
    assert_eq!(
        made.lines().count(),
        2,
        "one without the diff and one with it"
    );
}

#[test]
fn a_supervisor_killed_anywhere_is_replaced() {
    let mut place = Workplace::here();
    for (number, point) in [
        "claimed",
        "before_agent",
        "after_agent_start",
        "before_diff",
        "after_diff",
        "before_state",
    ]
    .into_iter()
    .enumerate()
    {
        let order = json!({"idempotency_key": point});
        place.world_mut().set("LEGWORK_POINT", point);
        let first = place.launch("mender", &order);
        place.world_mut().unset("LEGWORK_POINT");
        if !first.is_ok() {
            assert!(
                matches!(first.effect(), "unknown" | "partial"),
                "{}",
                first.line()
            );
        }
        let call = place.launch("mender", &order).ok();
        let job_id = call.text("/job/job_id");
        let job = place.ended(&job_id);
        assert_eq!(
            (&job["state"], &job["outcome"], &job["changes"]),
            (&json!("succeeded"), &json!("unverified"), &json!("ok")),
            "{point}"
        );
        // The first point comes before the first supervisor has put down its name.
        let reached = if point == "claimed" {
            !first.is_ok()
        } else {
            place.run(&job_id).join("claim/owner.2").exists()
        };
        assert!(reached, "{point} was not reached");
        assert_eq!(place.started(number + 1), number + 1, "{point}");
    }
}

#[test]
fn a_supervisor_killed_while_the_agent_lives_is_replaced_and_the_end_is_true() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt; exit 3");
    let job_id = place.launched("waiter", &json!({}));
    let first = place.state_field(&job_id, "sup");
    kill(first.parse().expect("a process"));
    // Gone is only the one who watches, so this is no end.
    let job = place.poll(&job_id);
    assert_eq!(
        (&job["state"], &job["ended"]),
        (&json!("running"), &json!(false))
    );
    eventually("another supervisor", || {
        place.poll(&job_id)["state"] == "running" && place.state_field(&job_id, "sup") != first
    });
    place.release();
    let job = place.ended(&job_id);
    assert_eq!(
        (&job["state"], &job["exit_code"], &job["changes"]),
        (&json!("failed"), &json!(3), &json!("ok"))
    );
    assert_eq!(place.started(1), 1);
}
