//! `--pretty`: the same line, and an answer for eyes beside it.

use std::{collections::BTreeSet, fs, process::Stdio};

use legwork::registry::ALL;
use serde_json::{Value, json};

use crate::support::{
    Call, Workplace, World, assert_isolated, schemas,
    terminal::{Shown, obeyed, show, show_both, without_looks},
};

/// Reads a line without what differs from call to call.
fn steady(line: &str) -> Value {
    let mut value: Value = serde_json::from_str(line).expect("one line of JSON");
    value["meta"]["ms"] = json!(0);
    value
}

/// Shows a call on a terminal, and makes sure that its line is that of a call without the flag.
#[track_caller]
fn shown(world: &World, columns: u16, variables: &[(&str, &str)], arguments: &[&str]) -> Shown {
    let plain: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|word| *word != "--pretty")
        .collect();
    let plain = world.legwork_command(plain).output().expect("legwork");
    let shown = show(world, columns, variables, arguments);
    assert_eq!(shown.line.matches('\n').count(), 1, "{shown:?}");
    assert_eq!(
        steady(&shown.line),
        steady(&String::from_utf8_lossy(&plain.stdout))
    );
    assert_eq!(shown.status, plain.status.code());
    shown
}

#[test]
fn every_primitive_takes_the_flag_and_none_has_a_field_of_its_name() {
    assert_isolated();
    let world = World::new();
    for entry in ALL {
        let name = entry.about.name;
        let schema = schemas::schema(&format!("{name}.input"));
        for taken in ["pretty", "spec", "json", "help"] {
            assert!(schema["properties"].get(taken).is_none(), "{name}: {taken}");
        }
        // The flag is taken, so that what is wrong is only the other one.
        let call = world.legwork([name, "--pretty", "--no-such-flag"]);
        assert_eq!(call.error_code(), "spec_invalid");
        assert_eq!(
            call.details()["violations"].as_array().map(Vec::len),
            Some(1)
        );
        assert!(call.stderr().starts_with(name), "{}", call.stderr());
    }
}

#[test]
fn it_may_stand_anywhere_and_is_no_value_of_another_flag() {
    assert_isolated();
    let world = World::new();
    for arguments in [
        &["--pretty", "list-jobs", "--limit", "5"][..],
        &["list-jobs", "--pretty", "--limit", "5"],
        &["list-jobs", "--limit", "5", "--pretty"],
        &[
            "--pretty",
            "list-jobs",
            "--limit",
            "5",
            "--pretty",
            "--pretty",
        ],
    ] {
        let call = world.legwork(arguments).ok();
        assert!(call.stderr().starts_with("list-jobs  ok"), "{arguments:?}");
    }
    let call = world.legwork(["extract-repro", "--text", "--pretty"]).ok();
    assert_eq!(call.stderr(), "");
    let call = world.legwork(["lst-jobs", "--pretty"]);
    assert_eq!(call.error_code(), "unknown_primitive");
    assert!(
        call.stderr().contains("→ Did you mean list-jobs?"),
        "{}",
        call.stderr()
    );
}

#[test]
fn services_do_not_take_it() {
    assert_isolated();
    let world = World::new();
    for service in ["batch", "serve-mcp"] {
        for arguments in [[service, "--pretty"], ["--pretty", service]] {
            let call = world.legwork(arguments);
            assert_eq!(call.error_code(), "spec_invalid", "{arguments:?}");
            assert_eq!(call.details()["violations"][0]["pointer"], "/pretty");
        }
    }
    let line = json!({"id": 1, "primitive": "list-jobs", "input": {"pretty": true}}).to_string();
    let file = world.path("calls");
    fs::write(&file, format!("{line}\n")).expect("a call");
    let output = world
        .legwork_command(["batch"])
        .stdin(fs::File::open(&file).expect("the call"))
        .output()
        .expect("legwork");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert_eq!(answer["error_code"], "spec_invalid");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    assert_isolated();
    let world = World::new();
    let arguments = ["preflight", "--pretty", "--url", "/nowhere"];
    let coloured = show(&world, 100, &[], &arguments);
    let (plain, looks) = without_looks(&coloured.screen);
    assert!(
        looks.contains("\u{1b}[32m") && looks.contains("\u{1b}[1m"),
        "{looks:?}"
    );
    assert_eq!(obeyed(&plain), BTreeSet::new());
    for variables in [
        &[("NO_COLOR", "1")][..],
        &[("TERM", "dumb")],
        &[("NO_COLOR", "0"), ("TERM", "xterm-256color")],
    ] {
        let shown = show(&world, 100, variables, &arguments);
        assert_eq!(obeyed(&shown.screen), BTreeSet::new(), "{variables:?}");
        assert!(shown.screen.contains("git_identity"), "{variables:?}");
    }
    let empty = show(&world, 100, &[("NO_COLOR", "")], &arguments);
    assert!(empty.screen.contains("\u{1b}["));
    // Off a terminal it is shown as well, plain, whatever the terminal would be.
    let output = world
        .legwork_command(arguments)
        .env("TERM", "xterm")
        .output()
        .expect("legwork");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        text.contains("git_identity") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn tables_fit_the_terminal() {
    assert_isolated();
    let place = Workplace::here();
    let jobs: Vec<String> = ["one", "two"]
        .map(|message| place.launched("mender", &json!({"message": message})))
        .into();
    for job in &jobs {
        place.ended(job);
    }
    let world = place.world();
    for columns in [60, 80, 100, 160] {
        let list = shown(
            world,
            columns,
            &[("NO_COLOR", "1")],
            &["list-jobs", "--pretty"],
        );
        let widest = list
            .screen
            .lines()
            .filter(|line| !line.contains("no room for"));
        let widest = widest.map(|line| line.trim_end().chars().count()).max();
        assert!(
            widest <= Some(usize::from(columns)),
            "{widest:?}: {}",
            list.screen
        );
        assert!(list.screen.contains("jobs (2)"), "{}", list.screen);
        for job in &jobs {
            assert!(list.screen.contains(job.as_str()), "{}", list.screen);
        }
        // What there is no room for is named, and only that.
        let left_out = list
            .screen
            .lines()
            .find(|line| line.contains("no room for"));
        let left_out = left_out.expect("some fields are too many");
        assert!(
            !left_out.contains("job_id") && left_out.contains("summary"),
            "{left_out}"
        );
    }
    let events = shown(
        world,
        100,
        &[("NO_COLOR", "1")],
        &["--pretty", "list-events"],
    );
    assert!(events.screen.contains("launched"), "{}", events.screen);
    let one = shown(
        world,
        100,
        &[("NO_COLOR", "1")],
        &["wait-job", "--job-id", &jobs[0], "--pretty"],
    );
    let next = format!("  legwork fetch-artifacts --job-id {}", jobs[0]);
    assert!(
        one.screen.lines().any(|line| line.trim_end() == next),
        "{}",
        one.screen
    );
    let words = one.screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(" state succeeded ended true "), "{words}");
}

#[test]
fn a_diff_is_shown_in_its_colours() {
    assert_isolated();
    let world = World::new();
    let project = world.path("project");
    fs::create_dir(&project).expect("a folder");
    fs::write(project.join("AGENTS.md"), "# Ours\n").expect("a file");
    let arguments = [
        "install-assets",
        "--target",
        "agents-md",
        "--directory",
        project.to_str().expect("UTF-8"),
        "--dry-run",
        "--pretty",
    ];
    let target = schemas::schema("install-assets.input")["properties"]["target"].to_string();
    let arguments = arguments.map(|word| {
        if word == "agents-md" && !target.contains("\"agents-md\"") {
            "agents_md"
        } else {
            word
        }
    });
    let diff = shown(&world, 120, &[], &arguments);
    for look in ["\u{1b}[36m@@ -", "\u{1b}[32m+", "\u{1b}[1m+++ "] {
        assert!(diff.screen.contains(look), "{look:?}: {}", diff.screen);
    }
}

#[test]
fn a_failure_says_what_to_do() {
    assert_isolated();
    let world = World::new();
    let refused = shown(
        &world,
        100,
        &[("NO_COLOR", "1")],
        &[
            "launch-investigation",
            "--repository",
            "w",
            "--message",
            "x",
            "--pretty",
        ],
    );
    let answer: Value = serde_json::from_str(&refused.line).expect("JSON");
    let screen = refused.screen.replace("\r\n", "\n");
    for part in [
        "workspace_not_found (not_found), retry after_fix",
        answer["message"].as_str().expect("a message"),
        &format!(
            "→ {}",
            answer["remediation"].as_str().expect("a remediation")
        ),
        "\n  legwork provision-workspace --host local --repository w\n",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
}

#[test]
fn a_line_and_its_rendering_on_one_terminal_are_the_line_first() {
    assert_isolated();
    let world = World::new();
    let screen = show_both(&world, &["list-jobs", "--pretty"]);
    let (line, rest) = screen.split_once("\r\n").expect("a line");
    assert!(serde_json::from_str::<Value>(line).expect("JSON")["ok"] == true);
    assert!(without_looks(rest).0.starts_with("list-jobs  ok"), "{rest}");
}

#[test]
fn what_strangers_write_is_never_obeyed() {
    assert_isolated();
    let world = World::new();
    let hostile =
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\u{200b}\u{feff}\u{7f}\r\u{8}";
    let issue = world.path("issue.md");
    fs::write(
        &issue,
        format!("# Title {hostile}\n\nBody {hostile}\n\n```sh\necho '{hostile}'\n```\n"),
    )
    .expect("an issue");
    let issue = issue.to_str().expect("UTF-8");
    let name = format!("no{hostile}");
    for arguments in [
        &["fetch-issue", "--issue", issue, "--pretty"][..],
        &["extract-repro", "--issue", issue, "--pretty"],
        &["render-prompt", "--issue", issue, "--pretty"],
        &["describe", "--primitive", &name, "--pretty"],
        &["fetch-issue", "--issue", &name, "--pretty"],
        &[
            "check-input",
            "--primitive",
            "list-jobs",
            "--input",
            &json!({&name: 1}).to_string(),
            "--pretty",
        ],
        &[
            "show-profile",
            "--json",
            &json!({&name: 1}).to_string(),
            "--pretty",
        ],
        &[&name, "--pretty"],
    ] {
        let shown = show(&world, 100, &[("LEGWORK_LOG", "trace")], arguments);
        let (plain, looks) = without_looks(&shown.screen);
        assert!(plain.lines().count() > 2, "{arguments:?}: {plain}");
        assert_eq!(obeyed(&plain), BTreeSet::new(), "{arguments:?}: {plain:?}");
        assert!(
            looks.iter().all(|look| [
                "\u{1b}[0m",
                "\u{1b}[1m",
                "\u{1b}[2m",
                "\u{1b}[31m",
                "\u{1b}[32m",
                "\u{1b}[33m",
                "\u{1b}[36m"
            ]
            .contains(&look.as_str())),
            "{arguments:?}: {looks:?}"
        );
    }
    let shown = show(
        &world,
        100,
        &[],
        &["fetch-issue", "--issue", issue, "--pretty"],
    );
    assert!(shown.screen.contains(r"\u{1b}[2J"), "{}", shown.screen);
}

#[test]
fn whoever_does_not_look_changes_nothing() {
    assert_isolated();
    let world = World::new();
    for (stderr, arguments) in [
        (">&-", "list-jobs --pretty"),
        (">/dev/full", "list-jobs --pretty"),
        (">&-", "wait-job --job-id x --pretty"),
        (">/dev/full", "wait-job --job-id x --pretty"),
    ] {
        let program = format!(
            "exec '{}' {arguments} 2{stderr}",
            env!("CARGO_BIN_EXE_legwork")
        );
        let output = world
            .command("sh")
            .args(["-c", &program])
            .output()
            .expect("sh");
        let call = Call::read(&output);
        assert_eq!(call.is_ok(), arguments.starts_with("list"), "{program}");
    }
    // One who listens and goes away.
    let mut child = world
        .legwork_command(["capabilities", "--full", "--pretty"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("legwork");
    drop(child.stderr.take());
    let output = child.wait_with_output().expect("legwork ends");
    Call::read(&output).ok();
}
