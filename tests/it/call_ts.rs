//! The retry loop in TypeScript: it compiles as strictly as can be, and does what envelopes say, whatever a call does.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Output,
    sync::LazyLock,
};

use serde_json::{Value, json};

use crate::support::{SYSTEM_PATH, World, schemas};

/// A world with the compiled loop, and a `legwork` that plays tricks before the real one answers.
struct Stage {
    world: World,
}

/// The loop, compiled as the page shows.
static COMPILED: LazyLock<String> = LazyLock::new(|| {
    let stage = Stage::bare();
    let output = stage.shell(&stage.shown()[0]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    fs::read_to_string(stage.world.home().join("build/call.js")).expect("the compiled loop")
});

impl Stage {
    /// Puts the compiled loop in place.
    fn new() -> Self {
        let stage = Self::bare();
        let folder = stage.world.home().join("build");
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("call.js"), &*COMPILED).expect("the compiled loop");
        stage
    }

    /// Prepares a project that has the pages, and the packages of Node.
    fn bare() -> Self {
        let world = World::new();
        let stage = Self { world };
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let home = stage.world.home();
        symlink(top.join("docs"), home.join("docs")).expect("the pages");
        let node_modules = stage.world.testbed().path("checks/node/node_modules");
        symlink(node_modules, home.join("node_modules")).expect("the packages of Node");
        stage.play(&[]);
        stage
    }

    /// Returns the lines of the page that compile and run the loop.
    fn shown(&self) -> Vec<String> {
        let page = fs::read_to_string(self.world.home().join("docs/integrations/README.md"));
        let page = page.expect("the page");
        let block = page
            .split("```sh\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .find(|block| block.contains("call.ts"))
            .expect("a block");
        block.lines().map(str::to_owned).collect()
    }

    fn folder(&self) -> PathBuf {
        self.world.path("stage")
    }

    /// Has the next calls do these things, in shell, and the later ones be real.
    fn play(&self, tricks: &[&str]) {
        let folder = self.folder();
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).expect("a folder");
        for (number, trick) in tricks.iter().enumerate() {
            fs::write(folder.join(format!("{}.sh", number + 1)), trick).expect("a trick");
        }
        let program = folder.join("legwork");
        let text = format!(
            "#!/bin/sh\ncd '{}'\necho \"$1\" >>calls\ntrick=$(($(wc -l <calls))).sh\n\
             [ -e \"$trick\" ] && exec sh \"./$trick\"\nexec '{}' \"$@\"\n",
            folder.display(),
            env!("CARGO_BIN_EXE_legwork"),
        );
        fs::write(&program, text).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    }

    fn shell(&self, line: &str) -> Output {
        let testbed = self.world.testbed();
        let path = format!(
            "{}:{}:{}:{SYSTEM_PATH}",
            self.folder().display(),
            testbed.path("checks/node/node_modules/.bin").display(),
            testbed.programs().display()
        );
        self.world
            .command("sh")
            .args(["-c", line])
            .env("PATH", path)
            .env("LEGWORK_TIMEOUT_S", "1")
            .env("LEGWORK_KILL_AFTER_S", "1")
            .output()
            .expect("sh starts")
    }

    /// Runs the loop; returns whether it succeeded, its answer, and which primitives were called.
    fn run(&self, call: &str) -> (bool, Value, Vec<String>) {
        let output = self.shell(&format!("node build/call.js {call}"));
        let calls = fs::read_to_string(self.folder().join("calls")).unwrap_or_default();
        let calls = calls.lines().map(str::to_owned).collect();
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.success(), answer, calls)
    }
}

/// Returns a failure with such a retry, as a shell prints it; its message says otherwise.
fn failing(retry: &Value, next: &Value) -> String {
    let mode = &retry["mode"];
    let answer = json!({
        "ok": false, "v": 1, "primitive": "list-hosts", "error_code": "a_later_code", "kind": "unavailable",
        "effect": "none", "retry_safe": mode == "same_call" || mode == "after", "retry": retry,
        "message": "\"mode\":\"never\"", "remediation": "Read on.", "details": {}, "next": next,
        "meta": {"ms": 1, "round_trips": 0},
    });
    assert_eq!(schemas::faults("envelope", &answer), Vec::<String>::new());
    format!("cat <<'EOF'\n{answer}\nEOF\nexit 2\n")
}

#[test]
fn the_loop_in_typescript_does_what_envelopes_say() {
    let stage = Stage::new();
    let after = failing(&json!({"mode": "after", "after_ms": 20}), &json!([]));
    let same = failing(&json!({"mode": "same_call"}), &json!([]));
    let fix = failing(&json!({"mode": "after_fix"}), &json!([]));
    let never = failing(&json!({"mode": "never"}), &json!([]));
    let later = failing(&json!({"mode": "after", "after_ms": 1500}), &json!([]));
    let hosts = ["list-hosts"; 5];

    // What may be sent again is, and nobody tries for ever.
    stage.play(&[&after, &same]);
    let (passed, answer, calls) = stage.run("list-hosts");
    assert!(passed && calls == hosts[..3], "{calls:?} {answer}");
    assert_eq!(answer["data"]["default_host"], "local");
    stage.play(&[after.as_str(); 9]);
    let (passed, answer, calls) = stage.run("list-hosts");
    assert!(!passed && calls == hosts, "{calls:?} {answer}");
    assert_eq!(answer["error_code"], "a_later_code");

    // What a person must mend is not.
    for trick in [&fix, &never] {
        stage.play(&[trick]);
        let (passed, answer, calls) = stage.run("list-hosts");
        assert!(!passed && calls == hosts[..1], "{calls:?} {answer}");
    }

    // It waits as long as it is told.
    stage.play(&[&later]);
    let begun = std::time::Instant::now();
    assert!(stage.run("list-hosts").0);
    assert!(begun.elapsed().as_millis() >= 1500);

    // The call in `next` comes first.
    for mode in ["sequence", "reconcile_first"] {
        let next = json!([{"primitive": "list-jobs", "input": {"limit": 1}, "why": "find out"}]);
        stage.play(&[&failing(&json!({"mode": mode}), &next)]);
        let (passed, answer, calls) = stage.run("list-hosts");
        assert!(passed, "{answer}");
        assert_eq!(calls, ["list-hosts", "list-jobs", "list-hosts"], "{mode}");
    }
    let astray = json!([{"primitive": "no-such", "input": {}, "why": "find out"}]);
    stage.play(&[&failing(&json!({"mode": "reconcile_first"}), &astray)]);
    let (passed, answer, calls) = stage.run("list-hosts");
    assert!(
        !passed && answer["error_code"] == "a_later_code",
        "{answer}"
    );
    assert_eq!(calls, ["list-hosts", "no-such"]);
}

#[test]
fn the_loop_in_typescript_survives_what_processes_do() {
    let stage = Stage::new();
    let whole = "{\"ok\":true,\"v\":1,\"data\":{\"is\":\"this\"},\"next\":[]}";
    for (what, trick, tries) in [
        ("killed", "kill -9 $$".to_owned(), 2),
        ("cut off", format!("printf '%s' '{whole}'"), 2),
        ("no JSON", "echo no".to_owned(), 2),
        ("nothing", "exit 0".to_owned(), 2),
        ("hanging", "exec sleep 60".to_owned(), 2),
        (
            "deaf",
            "trap '' TERM; while :; do sleep 0.1; done".to_owned(),
            2,
        ),
        (
            "in parts",
            format!("printf '{{'; sleep 0.2; echo '{}'", &whole[1..]),
            1,
        ),
        ("another status", format!("echo '{whole}'; exit 3"), 1),
        ("late to end", format!("echo '{whole}'; sleep 0.5"), 1),
        (
            "a flood",
            format!("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo '{whole}'"),
            1,
        ),
    ] {
        stage.play(&[&trick]);
        let (passed, answer, calls) = stage.run("list-hosts");
        assert!(passed, "{what}: {answer}");
        assert_eq!(calls.len(), tries, "{what}: {answer}");
        let is_whole = answer["data"]["is"] == "this";
        assert_eq!(is_whole, tries == 1, "{what}: {answer}");
    }
    // Input larger than a pipe holds reaches the call, and one that does not read it is no harm.
    let long = format!("'{{\"name\": \"{}\"}}'", "x".repeat(100_000));
    stage.play(&[
        "exec <&-; sleep 0.1; echo '{\"ok\":false,\"retry\":{\"mode\":\"never\"},\"next\":[]}'",
    ]);
    let (passed, answer, _) = stage.run(&format!("show-schema {long}"));
    assert!(!passed && answer["retry"]["mode"] == "never", "{answer}");
    stage.play(&[]);
    let (_, answer, _) = stage.run(&format!("show-schema {long}"));
    assert_eq!(answer["error_code"], "spec_invalid");
    assert_eq!(answer["details"]["violations"][0]["pointer"], "/name");
}

#[test]
fn the_page_shows_how_to_compile_and_run_it() {
    let stage = Stage::new();
    let lines = stage.shown();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let output = stage.shell(&lines[1]);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("an envelope");
    assert_eq!(answer["data"]["active"], 0, "{answer}");
    // Node that reads TypeScript takes it as it is: nothing in it must be compiled away.
    let strictest = "tsc --strict --module nodenext --types node --noEmit --erasableSyntaxOnly \
        --noUncheckedIndexedAccess --exactOptionalPropertyTypes docs/integrations/call.ts";
    let output = stage.shell(strictest);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
}

#[test]
fn the_loop_in_typescript_passes_the_conformance_kit() {
    let stage = Stage::new();
    let checked = stage
        .world
        .legwork([
            "check-harness",
            "--command",
            "node build/call.js",
            "--require",
            "passed",
        ])
        .ok();
    assert_eq!(checked.at("/verdict"), "passed", "{}", checked.line());
    assert_eq!(checked.at("/failed"), 0);
}
