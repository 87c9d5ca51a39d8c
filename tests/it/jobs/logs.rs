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

/// Configures Claude Code with a program in its place that prints a log, and returns what is summed up of it.
fn summary_of(place: &Workplace, log: &[Value]) -> Value {
    let file = place.world().path("log.jsonl");
    let lines: Vec<String> = log.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, lines.concat()).expect("a log");
    let program = place.world().path("scribe");
    std::fs::write(&program, format!("#!/bin/sh\ncat '{}'\n", file.display())).expect("a program");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("its mode");
    let job_id = place.launched("scribe", &json!({"idempotency_key": log.len().to_string()}));
    place.ended(&job_id)["summary"].clone()
}

#[test]
fn a_summary_counts_the_whole_log_however_long_its_lines_are() {
    let place = Workplace::here();
    place.world().configure(&format!(
        "[agents.scribe]\nadapter = 'claude'\nprogram = '{}'\n",
        place.world().path("scribe").display()
    ));
    let noise = "x\\\"\n\u{1F600}".repeat(2_000);
    let start = json!({"type": "system", "subtype": "init", "session_id": "s-1", "model": "m-1"});
    let end = |denials: Value| {
        json!({"type": "result", "subtype": "success", "is_error": false, "session_id": "s-1",
            "num_turns": 201, "total_cost_usd": 1.5, "result": "Done.",
            "usage": {"input_tokens": 10, "output_tokens": 5}, "permission_denials": denials})
    };
    let mut log = vec![start.clone()];
    for number in 0..200 {
        let id = format!("toolu_{number}");
        log.push(json!({"type": "assistant", "message": {"content": [
            {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": noise}}]}}));
        log.push(json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": id, "content": noise, "is_error": false}]}}));
    }
    // The last line is longer than what was once read of a log.
    log.push(end(json!([{"tool_name": "Write", "tool_use_id": "toolu_9", "tool_input": {"content": "y".repeat(200_000)}}])));
    let summary = summary_of(&place, &log);
    assert_eq!(
        (
            &summary["tool_calls"],
            &summary["lines"],
            &summary["unreadable_lines"],
            &summary["partial"]
        ),
        (&json!(200), &json!(402), &json!(0), &json!(false)),
        "{summary}"
    );
    assert_eq!(summary["denied"], json!(["Write"]));
    assert_eq!(
        (
            &summary["session_id"],
            &summary["model"],
            &summary["turns"],
            &summary["cost_usd"]
        ),
        (&json!("s-1"), &json!("m-1"), &json!(201), &json!(1.5)),
        "{summary}"
    );
    assert_eq!(
        (&summary["tokens_in"], &summary["end"]),
        (&json!(10), &json!("denied"))
    );

    // Where not all of it can come, it says so, and the ends are there all the same.
    let step = json!({"type": "assistant", "message": {"content": [
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "z".repeat(200)}}],
        "more": (0..40).map(|_| "w".repeat(200)).collect::<Vec<_>>()}});
    let mut log = vec![start];
    log.extend((0..900).map(|_| step.clone()));
    log.push(end(json!([])));
    let summary = summary_of(&place, &log);
    assert_eq!(summary["partial"], true);
    let calls = summary["tool_calls"].as_u64().expect("a count");
    assert!((100..900).contains(&calls), "{calls}");
    assert_eq!(
        (&summary["session_id"], &summary["end"]),
        (&json!("s-1"), &json!("completed"))
    );
}
