//! Logs: raw and decoded, from where one left off, with what was cut said.

use serde_json::{Value, json};

use crate::support::Workplace;

#[test]
fn a_long_log_shows_both_ends_and_says_what_was_cut() {
    let place = Workplace::here();
    place.agent(
        "talker",
        "i=0; while [ $i -lt 2000 ]; do echo \"line $i\"; i=$((i+1)); done; echo oops >&2",
    );
    let job_id = place.launched("talker", &json!({}));
    place.ended(&job_id);
    let lines: Vec<String> = (0..2000).map(|i| format!("line {i}\n")).collect();
    let whole = lines.concat();
    let call = place
        .call(
            "tail-log",
            &json!({"job_id": job_id, "format": "raw", "max_bytes": 1000}),
        )
        .ok();
    let (head, tail) = (call.text("/text"), call.text("/text_after_omission"));
    assert_eq!((head.len(), tail.len()), (250, 750));
    assert!(whole.starts_with(&head) && whole.ends_with(&tail));
    assert_eq!(
        call.at("/omitted_bytes").as_u64(),
        Some(whole.len() as u64 - 1000)
    );
    assert_eq!(call.at("/size_bytes").as_u64(), Some(whole.len() as u64));
    assert_eq!(call.at("/ended"), true);

    // Piece by piece it is the whole, in both formats.
    for format in ["raw", "events"] {
        let mut cursor = Value::Null;
        let mut text = String::new();
        loop {
            let call = place
                .call(
                    "tail-log",
                    &json!({"job_id": job_id, "format": format, "max_bytes": 5000, "cursor": cursor, "from_start": true}),
                )
                .ok();
            assert_eq!(call.at("/omitted_bytes"), 0);
            if format == "raw" {
                text += &call.text("/text");
            } else {
                for event in call.at("/events").as_array().expect("events") {
                    text += event["text"].as_str().expect("a text");
                    text.push('\n');
                }
            }
            assert_ne!(call.at("/next_cursor"), cursor, "it goes on");
            cursor = call.at("/next_cursor");
            if call.at("/ended") == true {
                break;
            }
        }
        assert_eq!(text, whole, "{format}");
    }

    let call = place
        .call(
            "tail-log",
            &json!({"job_id": job_id, "stream": "errors", "format": "raw"}),
        )
        .ok();
    assert_eq!(call.text("/text"), "oops\n");
    let call = place.call("tail-log", &json!({"job_id": "nobody"}));
    assert_eq!(call.error_code(), "job_not_found");
}

#[test]
fn a_log_that_grows_is_followed_by_whole_lines() {
    let place = Workplace::here();
    place.agent(
        "speaker",
        &format!(
            "printf 'first\\nsec'; while [ ! -e '{}' ]; do sleep 0.05; done; printf 'ond\\nthird'",
            place.world().path("released").display()
        ),
    );
    let job_id = place.launched("speaker", &json!({}));
    let mut call = place.call("tail-log", &json!({"job_id": job_id})).ok();
    crate::support::eventually("nine bytes", || {
        call = place.call("tail-log", &json!({"job_id": job_id})).ok();
        call.at("/size_bytes") == 9
    });
    assert_eq!(
        call.at("/events"),
        json!([{"kind": "text", "text": "first"}])
    );
    assert_eq!(call.at("/ended"), false);
    let poll = place.call("poll-job", &json!({})).ok().text("/next_cursor");
    for foreign in ["", "0", &poll] {
        let input = json!({"job_id": job_id, "cursor": foreign});
        let call = place.call("tail-log", &input);
        assert_eq!(call.error_code(), "cursor_invalid", "{foreign:?}");
    }
    place.release();
    place.ended(&job_id);
    let next = &call.next()[0];
    assert_eq!(next.primitive, "tail-log");
    let call = place.call(&next.primitive, &next.input).ok();
    assert_eq!(
        call.at("/events"),
        json!([{"kind": "text", "text": "second"}, {"kind": "text", "text": "third"}])
    );
    assert_eq!(call.at("/ended"), true);
}

#[test]
fn a_line_of_ten_megabytes_is_passed_by() {
    let place = Workplace::here();
    place.agent(
        "babbler",
        "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo the end",
    );
    let job_id = place.launched("babbler", &json!({}));
    place.ended(&job_id);
    let mut cursor = Value::Null;
    let mut calls = 0;
    let last = loop {
        let input =
            json!({"job_id": job_id, "cursor": cursor, "from_start": true, "max_bytes": 4_000_000});
        let call = place.call("tail-log", &input).ok();
        assert_ne!(call.at("/next_cursor"), cursor, "it goes on");
        cursor = call.at("/next_cursor");
        calls += 1;
        if call.at("/ended") == true {
            break call.at("/events");
        }
    };
    assert!(calls <= 4, "{calls}");
    let events = last.as_array().expect("events");
    assert_eq!(
        events.last(),
        Some(&json!({"kind": "text", "text": "the end"}))
    );
    let call = place
        .call("tail-log", &json!({"job_id": job_id, "max_bytes": 1000}))
        .ok();
    assert_eq!(call.at("/omitted_bytes"), 10_000_009 - 1000);
    assert_eq!(call.at("/events/0/text"), "the end");
}
