//! What happens to tasks, in one order, and waiting for it.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Queue, with};
use crate::support::{Call, at_once};

impl Queue {
    fn events(&self, more: &Value) -> Call {
        let input = with(&json!({"of": "tasks"}), more);
        self.call("list-events", &input).ok()
    }
}

fn kinds(call: &Call) -> Vec<String> {
    let events = call.at("/task_events");
    let kinds = events.as_array().into_iter().flatten();
    kinds
        .map(|event| event["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

#[test]
fn events_of_tasks_are_listed_in_one_order_by_task_and_kind() {
    let queue = Queue::new();
    let one = queue.one(&json!({"title": "one"}));
    let other = queue.one(&json!({"title": "other"}));
    let held = queue.hold(&one, 60);
    queue.call("complete-task", &held).ok();
    queue.call("cancel-task", &json!({"task_id": other})).ok();

    let all = queue.events(&json!({}));
    assert_eq!(
        kinds(&all),
        ["enqueued", "enqueued", "claimed", "succeeded", "cancelled"]
    );
    let numbers: Vec<i64> = (0..5)
        .map(|place| {
            all.at(&format!("/task_events/{place}/number"))
                .as_i64()
                .expect("a number")
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(
        (all.at("/last_number"), all.at("/next_cursor")),
        (json!(5), Value::Null)
    );
    assert_eq!(all.at("/events"), json!([]));

    let of_one = queue.call("list-events", &json!({"task_id": one})).ok();
    assert_eq!(kinds(&of_one), ["enqueued", "claimed", "succeeded"]);
    assert_eq!(of_one.at("/task_events/2/event"), json!(3));
    let ends = queue.events(&json!({"kinds": ["cancelled", "succeeded"]}));
    assert_eq!(kinds(&ends), ["succeeded", "cancelled"]);
    let ends = queue.events(&json!({"kinds": ["cancelled", "succeeded"], "task_id": other}));
    assert_eq!(kinds(&ends), ["cancelled"]);
    // Where nothing is of those kinds, all the same one knows how far it was looked.
    let none = queue.events(&json!({"kinds": ["paused"]}));
    assert_eq!((kinds(&none).len(), none.at("/last_number")), (0, json!(5)));

    let mut paged = Vec::new();
    let mut input = json!({"kinds": ["enqueued", "claimed", "cancelled"], "limit": 1, "after": 1});
    loop {
        let part = queue.events(&input);
        assert_eq!(part.at("/last_number"), part.at("/task_events/0/number"));
        paged.extend(kinds(&part));
        if part.at("/next_cursor").is_null() {
            break;
        }
        input["cursor"] = part.at("/next_cursor");
    }
    assert_eq!(paged, ["enqueued", "claimed", "cancelled"]);

    // Without the word the events are those of jobs, as ever.
    let jobs = queue.call("list-events", &json!({})).ok();
    assert_eq!(
        (jobs.at("/events"), jobs.at("/task_events")),
        (json!([]), json!([]))
    );
    for (bad, pointer) in [
        (json!({"of": "jobs", "task_id": one}), "/task_id"),
        (json!({"of": "tasks", "job_id": "job"}), "/job_id"),
        (json!({"of": "tasks", "kinds": ["launched"]}), "/kinds/0"),
        (json!({"kinds": ["enqueued"]}), "/kinds/0"),
    ] {
        let call = queue.call("list-events", &bad);
        assert_eq!(call.error_code(), "spec_invalid", "{bad}");
        assert_eq!(call.details()["violations"][0]["pointer"], pointer, "{bad}");
    }
    let unknown = queue.call("list-events", &json!({"task_id": "task-9-00000000"}));
    assert_eq!(unknown.error_code(), "task_not_found");
    queue.call("check-store", &json!({})).ok();
}

#[test]
fn a_wait_ends_with_the_first_event_that_fits_or_with_its_time() {
    let queue = Queue::new();
    let task_id = queue.one(&json!({}));
    let after = queue.events(&json!({})).at("/last_number");
    let begun = Instant::now();
    let none = queue.events(&json!({"after": after, "wait_s": 1}));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        (kinds(&none).len(), none.at("/last_number")),
        (0, after.clone())
    );

    let input = json!({"of": "tasks", "after": after, "kinds": ["succeeded"], "wait_s": 60});
    let begun = Instant::now();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| queue.call("list-events", &input).ok());
        thread::sleep(Duration::from_millis(300));
        let held = queue.hold(&task_id, 60);
        queue.call("complete-task", &held).ok();
        let told = waiting.join().expect("an answer");
        assert_eq!(kinds(&told), ["succeeded"]);
        assert_eq!(told.at("/task_events/0/task_id"), json!(task_id));
    });
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn whoever_follows_misses_nothing_that_many_write_at_once() {
    let queue = Queue::new();
    let (rounds, each) = (4, 5);
    let mut seen = Vec::new();
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for round in 0..rounds {
                let calls = (0..each).map(|n| {
                    let task = super::task(&json!({"title": format!("{round}.{n}")}));
                    let input = json!({"tasks": [task]}).to_string();
                    queue
                        .world
                        .legwork_command(["enqueue-tasks", "--json", &input])
                });
                for call in at_once(calls) {
                    call.ok();
                }
            }
        });
        let mut after = json!(0);
        while seen.len() < rounds * each {
            let told = queue.events(&json!({"after": after, "wait_s": 30, "limit": 3}));
            let events = told.at("/task_events");
            seen.extend(
                events
                    .as_array()
                    .expect("events")
                    .iter()
                    .map(|event| event["number"].as_i64().expect("a number")),
            );
            assert!(!kinds(&told).is_empty(), "nothing came: {}", told.line());
            after = told.at("/last_number");
        }
        writing.join().expect("the writers");
    });
    let expected: Vec<i64> = (1..=i64::try_from(rounds * each).expect("a few")).collect();
    assert_eq!(seen, expected);
}
