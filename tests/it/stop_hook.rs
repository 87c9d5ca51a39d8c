//! The Stop hook holds a conversation to its promise, and lets go whenever it is not sure.

use std::{fs, io::Write as _, path::Path, process::Stdio};

use serde_json::{Value, json};

use crate::support::Workplace;

/// A place with one job that waits, launched by a conversation whose transcript is `t.jsonl`.
fn place() -> (Workplace, String) {
    let place = Workplace::here();
    place.waiting_agent("waiter", "true");
    let launched = place.launch("waiter", &json!({})).ok();
    let job_id = launched.text("/job/job_id");
    let entry = |content: Value, kind: &str| {
        json!({"type": kind, "message": {"role": kind, "content": content}}).to_string()
    };
    let transcript = [
        entry(json!("launch it"), "user"),
        entry(
            json!([{"type": "tool_result", "content": launched.line()}]),
            "user",
        ),
        entry(json!([{"type": "text", "text": "Launched."}]), "assistant"),
    ];
    fs::write(place.world().path("t.jsonl"), transcript.join("\n")).expect("a transcript");
    (place, job_id)
}

/// Runs the hook on an input, and returns its decision.
fn decide(place: &Workplace, input: &Value, enabled: bool) -> Value {
    let world = place.world();
    let program = Path::new(env!("CARGO_BIN_EXE_legwork"));
    let path = format!(
        "{}:{}",
        program.parent().expect("its folder").display(),
        crate::support::SYSTEM_PATH
    );
    let mut child = world
        .command("sh")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("slash_commands/hooks/legwork-stop.sh"))
        .env("PATH", path)
        .env("LEGWORK_STOP_HOOK", if enabled { "1" } else { "" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the hook starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.to_string().as_bytes()).ok();
    drop(stdin);
    let output = child.wait_with_output().expect("the hook ends");
    assert!(output.status.success());
    if output.stdout.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&output.stdout).expect("a decision")
}

#[test]
fn it_holds_until_it_is_said_how_jobs_are_watched() {
    let (place, job_id) = place();
    let transcript = place.world().path("t.jsonl");
    let input = |said: &str| json!({"transcript_path": transcript, "hook_event_name": "Stop", "stop_hook_active": false, "last_assistant_message": said});
    let held = decide(&place, &input("Launched."), true);
    assert_eq!(held["decision"], "block");
    let reason = held["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(&job_id), "{reason}");
    // The name of the job alone says nothing of watching.
    assert_eq!(
        decide(&place, &input(&format!("Launched {job_id}.")), true)["decision"],
        "block"
    );
    let other = format!("Watching {job_id}0: I wait.");
    assert_eq!(decide(&place, &input(&other), true)["decision"], "block");
    let said = format!("Done.\n\nWatching `{job_id}`: I look again in ten minutes.");
    assert_eq!(decide(&place, &input(&said), true), Value::Null);

    // Older versions leave the last word to the transcript.
    let old = json!({"transcript_path": transcript, "stop_hook_active": false});
    assert_eq!(decide(&place, &old, true)["decision"], "block");

    // Never twice in a row, never without being asked for.
    let mut again = input("Launched.");
    again["stop_hook_active"] = json!(true);
    assert_eq!(decide(&place, &again, true), Value::Null);
    assert_eq!(decide(&place, &input("Launched."), false), Value::Null);

    // Once the job has ended there is nothing to watch.
    place.release();
    place.ended(&job_id);
    assert_eq!(decide(&place, &input("Launched."), true), Value::Null);
}

#[test]
fn it_lets_go_where_the_jobs_are_anothers_or_something_is_amiss() {
    let (place, job_id) = place();
    let world = place.world();
    let other = world.path("other.jsonl");
    // Another conversation only asked after the job.
    let listed = world.legwork(["list-jobs"]).ok();
    assert!(listed.line().contains(&job_id));
    let entry = json!({"type": "user", "message": {"content": [{"type": "tool_result", "content": listed.line()}]}});
    fs::write(&other, entry.to_string()).expect("a transcript");
    for input in [
        json!({"transcript_path": other, "stop_hook_active": false, "last_assistant_message": "Seen."}),
        json!({"transcript_path": "/nowhere", "stop_hook_active": false}),
        json!({"transcript_path": 7}),
        json!("garbage"),
    ] {
        assert_eq!(decide(&place, &input, true), Value::Null, "{input}");
    }
}
