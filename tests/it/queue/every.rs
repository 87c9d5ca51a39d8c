//! Tasks that come again.

use std::{thread, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Queue, with};

impl Queue {
    /// Returns the one task of a series that has not ended, by any of its tasks.
    fn following(&self, task_id: &str) -> String {
        self.show(task_id).text("/task/followed_by")
    }

    /// Claims and completes a task.
    fn do_it(&self, task_id: &str) {
        let held = self.hold(task_id, 60);
        self.call("complete-task", &held).ok();
    }

    /// Counts the tasks that have not ended.
    fn live(&self) -> usize {
        let input = json!({"states": ["waiting", "claimed", "paused", "held"], "limit": 500});
        let listed = self.call("list-tasks", &input).ok().at("/tasks");
        listed.as_array().map_or(0, Vec::len)
    }

    /// Returns a time of a task.
    fn time(&self, task_id: &str, pointer: &str) -> Timestamp {
        self.show(task_id).text(pointer).parse().expect("a time")
    }
}

fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).expect("a time")
}

#[test]
fn the_next_task_of_a_series_is_made_with_the_end_of_the_one_before() {
    let queue = Queue::new();
    let first = queue.one(&json!({
        "every": "1h", "labels": ["hourly"], "max_attempts": 2, "backoff": {"initial_s": 0}, "idempotency_key": "k",
    }));
    let shown = queue.show(&first);
    assert_eq!(
        (
            shown.at("/task/series"),
            shown.at("/task/occurrence"),
            shown.at("/task/followed_by")
        ),
        (json!(first), json!(1), Value::Null)
    );
    let begun = queue.time(&first, "/task/scheduled_at");
    queue.do_it(&first);
    let second = queue.following(&first);
    let shown = queue.show(&second);
    assert_eq!(shown.at("/task/series"), json!(first));
    assert_eq!(shown.at("/task/occurrence"), json!(2));
    assert_eq!(shown.at("/task/labels"), json!(["hourly"]));
    assert_eq!(shown.text("/task/readiness"), "not_yet");
    assert_eq!(shown.at("/task/attempts"), json!(0));
    let hour = SignedDuration::from_hours(1);
    assert_eq!(queue.time(&second, "/task/scheduled_at"), begun + hour);
    assert_eq!(queue.time(&second, "/spec/not_before"), begun + hour);
    assert_eq!(
        queue.claim("too-early").ok().text("/none/reason"),
        "not_yet"
    );

    // An end without success is one too; an attempt that failed and is tried again is none.
    let moved =
        json!({"task_id": second, "expected_version": 1, "not_before": "2020-01-01T00:00:00Z"});
    queue.call("edit-task", &moved).ok();
    let failed = with(&queue.hold(&second, 60), &json!({"error": "no"}));
    queue.call("fail-task", &failed).ok();
    assert_eq!(queue.show(&second).at("/task/followed_by"), Value::Null);
    let failed = with(&queue.hold(&second, 60), &json!({"error": "no"}));
    let call = queue.call("fail-task", &failed).ok();
    assert_eq!(call.text("/task/state"), "failed");
    let third = queue.following(&second);
    assert_eq!(queue.time(&third, "/task/scheduled_at"), begun + hour * 2);
    assert_eq!(queue.live(), 1);

    // Where the next one is, is said by whoever has ended.
    let refused = queue.call("retry-task", &json!({"task_id": second}));
    assert_eq!(refused.error_code(), "task_ended");
    assert_eq!(refused.next()[0].input["task_id"], json!(third));
    let refused = queue.call("cancel-task", &json!({"task_id": first}));
    assert_eq!(refused.error_code(), "task_ended");
    assert_eq!(refused.next()[0].input["task_id"], json!(third));
    queue.call("check-store", &json!({})).ok();
}

#[test]
fn one_task_is_made_for_all_times_that_were_missed() {
    let queue = Queue::new();
    let first = queue.one(&json!({"every": "1s"}));
    let held = queue.hold(&first, 60);
    let begun = queue.time(&first, "/task/scheduled_at");
    while now() < begun + SignedDuration::from_millis(2500) {
        thread::sleep(Duration::from_millis(50));
    }
    queue.call("complete-task", &held).ok();
    let second = queue.following(&first);
    assert_eq!(queue.live(), 1);
    let shown = queue.show(&second);
    assert_eq!(shown.text("/task/readiness"), "ready");
    let second_time = queue.time(&second, "/task/scheduled_at");
    assert!(second_time <= now(), "{second_time}");
    // Its attempt begins behind all of those, so that the next time is behind that.
    let held = queue.hold(&second, 60);
    let claimed: Timestamp = queue
        .show(&second)
        .text("/attempts/0/claimed_at")
        .parse()
        .expect("a time");
    queue.call("complete-task", &held).ok();
    let third = queue.following(&second);
    let third_time = queue.time(&third, "/task/scheduled_at");
    let second_s = SignedDuration::from_secs(1);
    assert!(
        claimed < third_time && third_time <= claimed + second_s,
        "{claimed} {third_time}"
    );
    let drift = third_time.duration_since(begun).as_millis() % 1000;
    assert_eq!(drift, 0);
}

#[test]
fn a_series_is_enqueued_once_and_ends_when_its_task_is_cancelled() {
    let queue = Queue::new();
    queue.world.configure("[authorization]\nrequire = []\n");
    let spec = json!({"every": "@daily", "time_zone": "America/New_York", "not_before": "2020-01-01T00:00:00Z"});
    let first = queue.one(&spec);
    let scheduled = queue.time(&first, "/task/scheduled_at");
    let local = scheduled.to_string();
    assert!(
        local.ends_with("T05:00:00Z") || local.ends_with("T04:00:00Z"),
        "{local}"
    );
    let move_up = |task_id: &str| {
        let version = queue.show(task_id).at("/task/version");
        let input = json!({"task_id": task_id, "expected_version": version, "not_before": "2020-01-01T00:00:00Z"});
        queue.call("edit-task", &input).ok();
    };
    move_up(&first);
    queue.do_it(&first);
    let second = queue.following(&first);
    // The key is that of the series, and stays so when its first task is gone.
    assert_eq!(queue.one(&spec), second);
    let removed = queue
        .call("collect-tasks", &json!({"older_than_s": 0}))
        .ok();
    assert_eq!(removed.at("/removed_tasks/0/task_id"), json!(first));
    assert_eq!(queue.one(&spec), second);
    assert_eq!(queue.live(), 1);
    let keyed = json!({"every": "5m", "idempotency_key": "mine"});
    let mine = queue.one(&keyed);
    let other =
        json!({"tasks": [{"command": ["other"], "every": "5m", "idempotency_key": "mine"}]});
    assert_eq!(
        queue.call("enqueue-tasks", &other).error_code(),
        "idempotency_key_reused"
    );
    queue.call("cancel-task", &json!({"task_id": mine})).ok();

    // A holder that is asked to stop and has just done its work ends the series all the same.
    move_up(&second);
    let held = queue.hold(&second, 60);
    queue.call("cancel-task", &json!({"task_id": second})).ok();
    queue.call("complete-task", &held).ok();
    let shown = queue.show(&second);
    assert_eq!(shown.text("/task/state"), "succeeded");
    assert_eq!(shown.at("/task/followed_by"), Value::Null);
    assert_eq!(shown.text("/events/0/kind"), "series_ended");
    assert_eq!(queue.live(), 0);

    // The last task of a series that was ended brings it back, and no second one of it lives beside.
    let retried = queue.call("retry-task", &json!({"task_id": mine})).ok();
    assert_eq!(retried.text("/task/state"), "waiting");
    assert_eq!(queue.one(&keyed), mine);
    queue.do_it(&mine);
    assert_eq!(queue.one(&keyed), queue.following(&mine));
    assert_eq!(
        queue
            .call("collect-tasks", &json!({"older_than_s": 0}))
            .ok()
            .at("/removed_tasks")
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    queue.call("check-store", &json!({})).ok();
}

#[test]
fn an_edit_changes_what_follows_and_can_make_a_task_the_last() {
    let queue = Queue::new();
    let plain = queue.one(&json!({"title": "plain"}));
    let edit = json!({"task_id": plain, "expected_version": 1, "every": "2h", "labels": ["again"]});
    assert_eq!(
        queue.call("edit-task", &edit).ok().text("/task/every"),
        "2h"
    );
    queue.do_it(&plain);
    let second = queue.following(&plain);
    assert_eq!(queue.show(&second).at("/task/labels"), json!(["again"]));
    let pause = queue.call("pause-task", &json!({"task_id": second})).ok();
    assert_eq!(pause.text("/task/state"), "paused");
    queue.call("resume-task", &json!({"task_id": second})).ok();
    let version = queue.show(&second).at("/task/version");
    let last = json!({
        "task_id": second, "expected_version": version, "clear": ["every"], "not_before": "2020-01-01T00:00:00Z",
    });
    queue.call("edit-task", &last).ok();
    queue.do_it(&second);
    assert_eq!(queue.show(&second).at("/task/followed_by"), Value::Null);

    // A deadline is one for the series: what would come later is not made.
    let until = now() + SignedDuration::from_mins(90);
    let short = queue.one(&json!({"every": "2h", "deadline": until.to_string()}));
    queue.do_it(&short);
    let shown = queue.show(&short);
    assert_eq!(shown.at("/events/0/data/reason"), json!("deadline_passed"));
    assert_eq!(queue.live(), 0);
}

#[test]
fn what_names_no_time_is_refused_with_the_field_and_the_reason() {
    let queue = Queue::new();
    for (more, field) in [
        (json!({"every": "61 * * * *"}), "/tasks/0/every"),
        (json!({"every": "0 0 30 2 *"}), "/tasks/0/every"),
        (json!({"every": "soon"}), "/tasks/0/every"),
        (
            json!({"every": "0 9 * * *", "time_zone": "Mars/Base"}),
            "/tasks/0/time_zone",
        ),
        (json!({"time_zone": "Europe/Berlin"}), "/tasks/0/time_zone"),
        (
            json!({"every": "@daily", "depends_on": ["task-1-00000001"]}),
            "/tasks/0/depends_on",
        ),
    ] {
        let call = queue.call("enqueue-tasks", &json!({"tasks": [super::task(&more)]}));
        assert_eq!(call.error_code(), "spec_invalid", "{more}");
        assert_eq!(
            call.details()["violations"][0]["pointer"],
            field,
            "{}",
            call.line()
        );
    }
    assert_eq!(queue.live(), 0);
}

#[test]
fn a_kill_makes_no_second_task_and_loses_none() {
    let queue = Queue::new();
    let mut task_id = queue.one(&json!({"every": "1h"}));
    for (point, effect) in [
        ("queue.changed", "applied"),
        ("queue.committed", "replayed"),
    ] {
        let held = queue.hold(&task_id, 60);
        queue
            .world
            .killed(point, ["complete-task", "--json", &held.to_string()]);
        assert_eq!(
            queue.call("complete-task", &held).ok().effect(),
            effect,
            "{point}"
        );
        assert_eq!(queue.live(), 1, "{point}");
        task_id = queue.following(&task_id);
        let moved = json!({"task_id": task_id, "expected_version": 1, "not_before": "2020-01-01T00:00:00Z"});
        queue.call("edit-task", &moved).ok();
    }
    queue.call("check-store", &json!({})).ok();
}
