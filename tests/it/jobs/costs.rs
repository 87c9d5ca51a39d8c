//! What calls cost, in commands sent to other hosts.

use serde_json::json;

use crate::support::Workplace;

#[test]
fn a_launch_is_one_round_trip_and_fifty_jobs_are_polled_in_one() {
    let (place, host) = Workplace::over_ssh("box");
    place.waiting_agent("waiter", "echo hello >greeting.txt");
    let launched: Vec<(String, u64)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..5)
            .map(|worker| {
                let (place, host) = (&place, &host);
                scope.spawn(move || {
                    let launch = |number: u32| {
                        let key = format!("job {worker} {number}");
                        let call = place
                            .launch(
                                "waiter",
                                &json!({"host": host.alias(), "idempotency_key": key}),
                            )
                            .ok();
                        (call.text("/job/job_id"), call.round_trips())
                    };
                    (0..10).map(launch).collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("ten launches"))
            .collect()
    });
    assert!(
        launched.iter().all(|(_, trips)| *trips == 1),
        "{launched:?}"
    );
    let ids: Vec<&String> = launched.iter().map(|(id, _)| id).collect();
    let call = place.call("poll-job", &json!({"job_ids": ids})).ok();
    assert_eq!((call.round_trips(), call.at("/active")), (1, json!(50)));
    let call = place.call("poll-job", &json!({})).ok();
    assert_eq!((call.round_trips(), call.at("/active")), (1, json!(50)));
    let call = place
        .launch(
            "waiter",
            &json!({"host": host.alias(), "idempotency_key": "job 0 0"}),
        )
        .ok();
    assert_eq!((call.effect(), call.round_trips()), ("replayed", 0));

    place.release();
    crate::support::eventually("the end of all fifty", || {
        place.call("poll-job", &json!({})).ok().at("/active") == 0
    });
    let call = place.call("poll-job", &json!({"job_ids": ids})).ok();
    assert_eq!((call.round_trips(), call.at("/active")), (0, json!(0)));
    let jobs = call.at("/jobs");
    let jobs = jobs.as_array().expect("jobs");
    assert!(
        jobs.iter().all(|job| job["outcome"] == "unverified"),
        "{jobs:?}"
    );
    assert_eq!(place.started(50), 50);
}
