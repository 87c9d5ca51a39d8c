//! What `docs/integrations` shows is run: the retry loops do what envelopes say.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::support::{SYSTEM_PATH, World, schemas};

/// The loops, each with the program that runs it.
const LOOPS: &[(&str, &str)] = &[("python3", "call.py"), ("sh", "call.sh")];

/// A failure by which the same call is to be sent again after a moment; its message says otherwise.
fn busy() -> Value {
    json!({
        "ok": false, "v": 1, "primitive": "list-hosts", "error_code": "store_busy", "kind": "unavailable",
        "effect": "none", "retry_safe": true, "retry": {"mode": "after", "after_ms": 20},
        "message": "\"retry_safe\":false, \"after_ms\":900000", "remediation": "Send the same call again.",
        "details": {"path": "legwork.db", "reason": "locked", "backup": null}, "next": [],
        "meta": {"ms": 1, "round_trips": 0},
    })
}

/// Puts a `legwork` in front of the real one that fails some times before, and returns the PATH.
fn faltering(world: &World, failures: usize) -> String {
    let folder = world.path("faltering");
    fs::create_dir_all(&folder).expect("a folder");
    let tally = world.path("tally");
    fs::write(&tally, "").expect("the tally");
    fs::write(folder.join("answer"), format!("{}\n", busy())).expect("the answer");
    let program = folder.join("legwork");
    fs::write(
        &program,
        format!(
            "#!/bin/sh\necho >>'{tally}'\n[ $(wc -l <'{tally}') -gt {failures} ] && exec '{}' \"$@\"\ncat '{}'\nexit 2\n",
            env!("CARGO_BIN_EXE_legwork"),
            folder.join("answer").display(),
            tally = tally.display(),
        ),
    )
    .expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    format!("{}:{SYSTEM_PATH}", folder.display())
}

/// Runs a loop, and returns its status, its answer and how often it called.
fn run(
    world: &World,
    program: &str,
    file: &str,
    path: &str,
    call: &[&str],
) -> (bool, Value, usize) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/integrations")
        .join(file);
    let output = world
        .command(program)
        .arg(place)
        .args(call)
        .env("PATH", path)
        .output()
        .expect("the loop starts");
    let answer = serde_json::from_slice(&output.stdout).expect("an envelope");
    let calls = fs::read_to_string(world.path("tally")).expect("the tally");
    (output.status.success(), answer, calls.lines().count())
}

#[test]
fn the_loops_retry_what_may_be_retried_and_nothing_else() {
    assert_eq!(schemas::faults("envelope", &busy()), Vec::<String>::new());
    let world = World::new();
    for (program, file) in LOOPS {
        let path = faltering(&world, 2);
        let (passed, answer, calls) = run(&world, program, file, &path, &["list-hosts"]);
        assert!(passed, "{file}: {answer}");
        assert_eq!(answer["data"]["default_host"], "local", "{file}");
        assert_eq!(calls, 3, "{file}");

        // A failure that needs a person is not sent again.
        let path = faltering(&world, 0);
        let input = json!({"name": "it's not there \"retry_safe\":true"}).to_string();
        let call = ["show-profile", &input];
        let (passed, answer, calls) = run(&world, program, file, &path, &call);
        assert!(!passed, "{file}: {answer}");
        assert_eq!(answer["retry_safe"], false, "{file}: {answer}");
        assert_eq!(calls, 1, "{file}");

        // And nobody tries for ever.
        let path = faltering(&world, 100);
        let (passed, answer, calls) = run(&world, program, file, &path, &["list-hosts"]);
        assert!(!passed, "{file}: {answer}");
        assert_eq!(answer["error_code"], "store_busy");
        assert_eq!(calls, 5, "{file}");
    }
}

#[test]
fn the_page_shows_calls_that_work() {
    let page = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations/README.md"),
    )
    .expect("the page");
    let world = World::new();
    let path = faltering(&world, 0);
    let block = page
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a block");
    assert_eq!(block.lines().count(), LOOPS.len());
    for line in block.lines() {
        let output = world
            .command("sh")
            .args(["-c", line])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PATH", &path)
            .output()
            .expect("sh starts");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("an envelope");
        assert_eq!(answer["data"]["active"], 0, "{line}: {answer}");
    }
}
