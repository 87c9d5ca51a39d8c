//! Watching: where jobs stand, one by one, many at once, and as they change.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Sshd, Workplace, eventually, kill, masters};

fn ids(call: &crate::support::Call) -> Vec<String> {
    let jobs = call.at("/jobs");
    let jobs = jobs.as_array().expect("a list of jobs");
    jobs.iter()
        .map(|job| job["job_id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_poll_tells_what_changed_since_a_cursor() {
    let place = Workplace::here();
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let jobs: Vec<String> = ["one", "two"]
        .map(|message| place.launched("waiter", &json!({"message": message})))
        .into();
    let call = place.call("poll-job", &json!({})).ok();
    let mut all = ids(&call);
    all.reverse();
    assert_eq!((&all, call.at("/active")), (&jobs, json!(2)));
    let cursor = call.at("/next_cursor");

    let quiet = place.call("poll-job", &json!({"cursor": cursor})).ok();
    assert_eq!((ids(&quiet), quiet.at("/active")), (Vec::new(), json!(2)));

    let cancelled = place
        .call("cancel-job", &json!({"job_id": jobs[0], "grace_s": 0}))
        .ok();
    assert_eq!(cancelled.at("/job/state"), "cancelled");
    let news = place
        .call("poll-job", &json!({"job_ids": jobs, "cursor": cursor}))
        .ok();
    assert_eq!(
        (ids(&news), news.at("/active")),
        (vec![jobs[0].clone()], json!(1))
    );
    let quiet = place
        .call(
            "poll-job",
            &json!({"job_ids": jobs, "cursor": news.at("/next_cursor")}),
        )
        .ok();
    assert_eq!(ids(&quiet), Vec::<String>::new());
    place.release();
    place.ended(&jobs[1]);
}

#[test]
fn a_poll_that_waits_returns_as_soon_as_something_changes() {
    let (place, host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let job_id = place.launched("waiter", &json!({"host": host.alias()}));
    place.poll(&job_id);
    let begun = Instant::now();
    let call = thread::scope(|scope| {
        scope.spawn(|| {
            eventually("the call waits on the host", || host.is_waited_on());
            place.release();
        });
        place.call("poll-job", &json!({"job_ids": [job_id], "wait_s": 40}))
    });
    let call = call.ok();
    assert_eq!(call.at("/jobs/0/state"), "succeeded");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    // One that waits, and one that reads the end of the log for the outcome.
    assert_eq!(call.round_trips(), 2);

    // Nothing can change any more, so nothing is waited for.
    let begun = Instant::now();
    let call = place
        .call("poll-job", &json!({"job_ids": [job_id], "wait_s": 40}))
        .ok();
    assert_eq!(call.round_trips(), 0);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn unknown_ids_are_named_and_the_others_can_be_asked_for() {
    let place = Workplace::here();
    let job_id = place.launched("mender", &json!({}));
    let call = place.call(
        "poll-job",
        &json!({"job_ids": ["no-such-1", job_id, "no-such-2"]}),
    );
    assert_eq!(
        (call.error_code(), call.effect()),
        ("partial_failure", "none")
    );
    let items = call.details()["items"].as_array().expect("items");
    let named: Vec<&Value> = items.iter().map(|item| &item["id"]).collect();
    assert_eq!(named, ["no-such-1", "no-such-2"]);
    assert!(
        items
            .iter()
            .all(|item| item["error_code"] == "job_not_found")
    );
    let next = &call.next()[0];
    assert_eq!(next.primitive, "poll-job");
    let others = place.call(&next.primitive, &next.input).ok();
    assert_eq!(ids(&others), [job_id]);
    let only = place.call("poll-job", &json!({"job_ids": ["no-such-1"]}));
    assert_eq!(
        (only.error_code(), only.kind()),
        ("job_not_found", "not_found")
    );
}

#[test]
fn a_host_that_is_down_makes_only_its_own_jobs_unreachable() {
    let (place, mut down) = Workplace::over_ssh("down");
    let up = Sshd::start(place.world(), "up");
    place.provision("up", &up.home());
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let there = place.launched("waiter", &json!({"host": "down"}));
    let other = place.launched("waiter", &json!({"host": "up"}));
    let seen = place
        .launch("waiter", &json!({"host": "down"}))
        .ok()
        .at("/job/last_evidence_at");
    assert!(seen.is_string());
    down.stop();
    let call = place
        .call("poll-job", &json!({"job_ids": [there, other]}))
        .ok();
    let (lost, fine) = (call.at("/jobs/0"), call.at("/jobs/1"));
    assert_eq!(
        (&lost["state"], &lost["ended"]),
        (&json!("running"), &json!(false))
    );
    assert!(lost["unreachable"]["error_code"].is_string(), "{lost}");
    assert!(lost["last_evidence_at"].as_str() >= seen.as_str(), "{lost}");
    assert_eq!(
        (&fine["state"], &fine["unreachable"]),
        (&json!("running"), &Value::Null)
    );
    assert_eq!(call.at("/active"), 2);
    let checkout = place.world().path("widgets");
    for (primitive, input) in [
        ("wait-job", json!({"job_id": there, "wait_s": 0})),
        ("check-diff", json!({"job_id": there, "check": "true"})),
        ("verify-fix", json!({"job_id": there})),
        ("apply-diff", json!({"job_id": there, "checkout": checkout})),
    ] {
        let call = place.call(primitive, &input);
        assert_eq!(
            (call.error_code(), call.kind(), call.effect()),
            ("job_unreachable", "unavailable", "none"),
            "{primitive}"
        );
    }
    // Nor is a host forgotten while nobody knows what became of its jobs.
    let removed = place.call("remove-host", &json!({"name": "down"}));
    assert_eq!(
        (removed.error_code(), removed.effect()),
        ("host_in_use", "none")
    );
    assert_eq!(removed.details()["items"][0]["id"], json!(there));
    place.release();
    assert_eq!(place.ended(&other)["state"], "succeeded");
    // Nobody can know that it has ended too.
    assert_eq!(place.poll(&there)["state"], "running");
    down.start_again();
    assert_eq!(place.ended(&there)["state"], "succeeded");
}

#[test]
fn a_host_that_talks_nonsense_makes_only_its_own_jobs_unreachable() {
    let (place, odd) = Workplace::over_ssh("odd");
    place.provision("local", &place.world().home());
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let there = place.launched("waiter", &json!({"host": odd.alias()}));
    let here = place.launched("waiter", &json!({"host": "local"}));
    let seen = place
        .launch("waiter", &json!({"host": odd.alias()}))
        .ok()
        .at("/job/last_evidence_at");
    let tools = place.world().path("tools");
    fs::create_dir(&tools).expect("a folder");
    for tool in ["date", "cat", "head"] {
        fs::write(tools.join(tool), "#!/bin/sh\necho Have a nice day\n").expect("a program");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(tools.join(tool), mode).expect("its mode");
    }
    let with_tools = format!("[hosts.odd]\npath = ['{}']\n", tools.display());
    place.world().configure(&with_tools);
    let call = place
        .call("poll-job", &json!({"job_ids": [there, here]}))
        .ok();
    let (lost, fine) = (call.at("/jobs/0"), call.at("/jobs/1"));
    assert_eq!(
        (&lost["state"], &lost["last_evidence_at"]),
        (&json!("running"), &seen)
    );
    assert_eq!(lost["unreachable"]["error_code"], "host_script_failed");
    assert_eq!(
        (&fine["state"], &fine["unreachable"]),
        (&json!("running"), &Value::Null)
    );
    place.world().configure("[hosts.odd]\npath = []\n");
    place.release();
    assert_eq!(place.ended(&there)["state"], "succeeded");
    assert_eq!(place.ended(&here)["state"], "succeeded");
}

#[test]
fn lists_are_bounded_and_filtered_and_events_tell_the_story() {
    let place = Workplace::here();
    place.agent("breaker", "exit 3");
    let mended: Vec<String> = ["a", "b", "c"]
        .map(|message| place.launched("mender", &json!({"message": message})))
        .into();
    let broken = place.launched("breaker", &json!({}));
    for job in mended.iter().chain([&broken]) {
        place.ended(job);
    }
    let page = place.call("list-jobs", &json!({"limit": 3})).ok();
    assert_eq!(
        (page.round_trips(), ids(&page)[0].as_str()),
        (0, broken.as_str())
    );
    let rest = place
        .call(
            "list-jobs",
            &json!({"limit": 3, "cursor": page.at("/next_cursor")}),
        )
        .ok();
    assert_eq!(
        (ids(&rest), rest.at("/next_cursor")),
        (vec![mended[0].clone()], Value::Null)
    );
    let failed = place.call("list-jobs", &json!({"states": ["failed"]})).ok();
    assert_eq!(ids(&failed), [broken.as_str()]);
    assert_eq!(failed.at("/jobs/0/exit_code"), 3);
    assert_eq!(failed.at("/jobs/0/outcome"), "failed");
    assert_eq!(
        ids(&place.call("list-jobs", &json!({"agent": "mender"})).ok()).len(),
        3
    );
    assert!(ids(&place.call("list-jobs", &json!({"active": true})).ok()).is_empty());
    assert!(ids(&place.call("list-jobs", &json!({"host": "elsewhere"})).ok()).is_empty());

    let told = place.call("list-events", &json!({"job_id": broken})).ok();
    let events = told.at("/events");
    let kinds: Vec<&str> = events
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["kind"].as_str())
        .collect();
    assert_eq!(kinds.first(), Some(&"recorded"));
    assert_eq!(kinds.last(), Some(&"outcome"));
    assert!(
        kinds.contains(&"launched") && kinds.contains(&"state"),
        "{kinds:?}"
    );
    let first = place.call("list-events", &json!({"limit": 2})).ok();
    let next = place
        .call(
            "list-events",
            &json!({"limit": 1000, "cursor": first.at("/next_cursor")}),
        )
        .ok();
    assert_eq!(next.at("/next_cursor"), Value::Null);
    let last = first.at("/events/1/number");
    let after = place
        .call("list-events", &json!({"limit": 1000, "after": last}))
        .ok();
    assert_eq!(after.at("/events"), next.at("/events"));
    assert_eq!(
        place
            .call("list-events", &json!({"job_id": "nobody"}))
            .error_code(),
        "job_not_found"
    );
}

#[test]
fn a_job_on_a_host_that_nobody_knows_any_more_is_unreachable() {
    // A label of DNS has at most 63 characters, so no server needs to be asked for its address.
    let alias = "x".repeat(64);
    let (place, mut host) = Workplace::over_ssh(&alias);
    place.waiting_agent("waiter", "true");
    let job = place.launched("waiter", &json!({"message": "x", "host": alias}));
    host.stop();
    for master in masters(place.world()) {
        kill(master);
    }
    fs::write(place.world().ssh_config(), "").expect("an empty configuration of ssh");
    let polled = place.call("poll-job", &json!({"job_ids": [job]})).ok();
    let unreachable = polled.at("/jobs/0/unreachable/error_code");
    assert_eq!(unreachable, "host_unknown", "{}", polled.line());
    assert_eq!(polled.at("/jobs/0/ended"), false);
}
