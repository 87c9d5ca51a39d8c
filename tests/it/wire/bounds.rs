//! Answers are small, whatever floods them: programs on hosts, and callers.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Instant};

use serde_json::{Value, json};

use crate::support::{Call, Workplace, World, schemas};

/// Puts a program in front of one of the same name, for scripts that run on this machine.
fn shim(place: &Workplace, name: &str, script: &str) {
    let path = place.world().path("shim").join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
}

/// A workplace whose host `local` looks into a folder of ours first.
fn place() -> Workplace {
    let place = Workplace::empty();
    let folder = place.world().path("shim");
    fs::create_dir(&folder).expect("a folder");
    place
        .world()
        .configure(&format!("[hosts.local]\npath = ['{}']\n", folder.display()));
    place.provision("local", &place.world().home());
    place
}

/// Holds a refusal against what its schema promises of stderr: the end of it, which holds the last of the flood and what
/// the shell said of it.
#[track_caller]
fn holds_the_end(call: &Call, last: &str) {
    let details = call.details();
    let stderr = details["stderr"].as_str().unwrap_or_default();
    assert!(
        stderr.chars().count() <= 4000,
        "{} characters",
        stderr.len()
    );
    assert!(stderr.contains(last), "{details:.300}");
    let faults = schemas::faults(&format!("error-details/{}", call.error_code()), details);
    assert!(faults.is_empty(), "{faults:?}");
    assert!(call.line().len() < 64 << 10, "{} bytes", call.line().len());
}

const FLOOD: &str =
    "i=0; while [ $i -lt 20000 ]; do echo \"complaint number $i\"; i=$((i+1)); done >&2";

#[test]
fn a_flood_on_stderr_leaves_its_end_in_the_details() {
    let place = place();
    place.agent("mender", crate::support::MEND);
    let job_id = place.launched("mender", &json!({}));
    place.ended(&job_id);

    shim(&place, "wc", &format!("{FLOOD}\necho no-number"));
    let call = place.call("tail-log", &json!({"job_id": job_id}));
    holds_the_end(&call, "complaint number 19999");
    fs::remove_file(place.world().path("shim/wc")).expect("the program");

    shim(&place, "mkdir", &format!("{FLOOD}\nexit 1"));
    let call = place.launch("mender", &json!({"message": "Another."}));
    assert_eq!(call.error_code(), "launch_failed", "{}", call.line());
    holds_the_end(&call, "complaint number 19999");
}

#[test]
fn the_answer_to_a_huge_refused_input_is_small() {
    let world = World::new();
    let stray: serde_json::Map<String, Value> = (0..200_000)
        .map(|index| (format!("unknown_field_number_{index}"), Value::from(index)))
        .collect();
    let wrong_items = json!({"job_ids": vec![7; 400_000]});
    let long = json!({"job_ids": ["x".repeat(6 << 20)]});
    let nul = json!({"job_ids": vec!["a\0b"; 100_000]});
    let deep = json!({ "x".repeat(4 << 20): 1 });
    for (what, primitive, input) in [
        ("unknown fields", "list-hosts", Value::Object(stray.clone())),
        (
            "unknown fields beside known ones",
            "poll-job",
            Value::Object(stray),
        ),
        ("wrong items", "poll-job", wrong_items),
        ("a long text", "poll-job", long),
        ("NUL", "poll-job", nul),
        ("a long name", "poll-job", deep),
    ] {
        let since = Instant::now();
        let call =
            world.legwork_with_input([primitive, "--spec", "-"], input.to_string().as_bytes());
        assert_eq!(call.error_code(), "spec_invalid", "{what}");
        assert!(
            call.line().len() <= 64 << 10,
            "{what}: {} bytes",
            call.line().len()
        );
        let details = call.details();
        let listed = details["violations"].as_array().map_or(0, Vec::len);
        assert!((1..=50).contains(&listed), "{what}: {listed} violations");
        let named = details["violations"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|violation| violation["pointer"] != "");
        assert!(named, "{what}: {details:.300}");
        assert!(
            since.elapsed().as_secs() < 20,
            "{what}: {:?}",
            since.elapsed()
        );
    }
}
