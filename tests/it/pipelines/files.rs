//! The files of the pipelines, as their forges see them.

use std::{fs, path::Path};

use super::pages::{page, text};
use crate::{
    slash_commands::judge,
    support::{Faults, World, data},
};

/// The files, the schema of each in the validator, and a change that spoils it.
const FILES: &[(&str, &str, (&str, &str))] = &[
    (
        "github-actions.yml",
        "vendor.github-workflows",
        ("timeout-minutes: 10", "timeout-minutes: soon"),
    ),
    (
        "gitlab-ci.yml",
        "vendor.gitlab-ci",
        ("interruptible: false", "interruptible: perhaps"),
    ),
];

#[test]
fn the_forges_own_schemas_take_the_files() {
    let world = World::new();
    let checker = world.testbed().path("checks/python/bin/check-jsonschema");
    let check = |schema: &str, file: &Path| {
        let mut command = world.command(&checker);
        command.args(["--builtin-schema", schema]).arg(file);
        command.output().expect("the validator starts")
    };
    for (name, schema, (found, spoiled)) in FILES {
        let output = check(schema, &page(name));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {told}");
        let copy = world.path(name);
        assert!(text(name).contains(found));
        fs::write(&copy, text(name).replace(found, spoiled)).expect("a copy");
        assert!(!check(schema, &copy).status.success(), "{name}");
    }
}

#[test]
fn the_workflow_is_clean_and_no_expression_stands_in_a_script() {
    let world = World::with_testbed();
    let lint = |file: &Path| -> Vec<String> {
        let output = world
            .command("node")
            .arg(data("integrations/lint_workflow.cjs"))
            .arg(file)
            .env(
                "NODE_PATH",
                world.testbed().path("checks/node/node_modules"),
            )
            .output()
            .expect("node starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).expect(&told)
    };
    assert_eq!(lint(&page("github-actions.yml")), Vec::<String>::new());
    let workflow = text("github-actions.yml");
    for (found, spoiled) in [
        ("steps.launch.outputs", "steps.lunch.outputs"),
        ("needs: investigate", "needs: nobody"),
        (
            "\"Fix issue $NUMBER\"",
            "\"${{ github.event.issue.title }}\"",
        ),
        (
            "\"Fix issue $NUMBER\"",
            "\"${{ github.event.issue.number }}\"",
        ),
    ] {
        assert!(workflow.contains(found), "{found}");
        let copy = world.path("spoiled.yml");
        fs::write(&copy, workflow.replacen(found, spoiled, 1)).expect("a copy");
        assert!(!lint(&copy).is_empty(), "{spoiled}");
    }
}

#[test]
fn every_call_in_a_pipeline_is_valid() {
    let world = World::new();
    let faults = Faults::default();
    for (name, ..) in FILES {
        let mut called = Vec::new();
        for line in text(name).lines() {
            let mut line = line.trim();
            for before in ["- ", "run: ", "until "] {
                line = line.strip_prefix(before).unwrap_or(line);
            }
            if !line.starts_with("legwork ") {
                continue;
            }
            let call = line.split(" >").next().unwrap_or_default();
            let call = call
                .replace("\"$RUNNER_TEMP/issue.json\"", "issue.json")
                .replace("/issue-$NUMBER", "/issue-1")
                .replace("/issue-$number", "/issue-1");
            let filled: String = call
                .split('"')
                .enumerate()
                .map(|(place, part)| if place % 2 == 1 { "some" } else { part })
                .collect();
            let filled = filled.replace(
                "--expect-sha256 some",
                &format!("--expect-sha256 {}", "0".repeat(64)),
            );
            let (primitive, wrong) = judge(&world, &filled);
            for fault in wrong {
                faults.note(format!("{name}: {fault}"));
            }
            called.push(primitive);
        }
        for primitive in [
            "provision-workspace",
            "launch-investigation",
            "wait-job",
            "fetch-artifacts",
            "verify-fix",
            "apply-diff",
        ] {
            faults.unless(called.iter().any(|name| name == primitive), || {
                format!("{name} does not call {primitive}")
            });
        }
        faults.unless(text("ci.md").contains(name), || {
            format!("{name} is not explained")
        });
    }
    faults.none();
}
