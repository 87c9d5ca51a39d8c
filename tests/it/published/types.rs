//! Types made of the published schemas by the commands that the page shows take what the binary answers, and refuse damage.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use super::cases::CASES;
use crate::support::{Faults, SYSTEM_PATH, Workplace, World, data};

/// Returns the block of the page that is of a language and holds a word.
fn block(language: &str, word: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations/types.md");
    let page = fs::read_to_string(page).expect("the page");
    page.split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains(word))
        .expect("a block")
        .to_owned()
}

/// Prepares a folder as a user has it: the schemas, and what Node finds packages in.
fn project(world: &World) {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let copied = world
        .command("cp")
        .arg("-R")
        .arg(schemas)
        .arg(world.home())
        .status()
        .expect("cp starts");
    assert!(copied.success());
    let node_modules = world.testbed().path("checks/node/node_modules");
    symlink(node_modules, world.home().join("node_modules")).expect("the packages of Node");
}

fn path(world: &World) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_legwork"));
    let testbed = world.testbed();
    [
        program.parent().expect("its folder").to_owned(),
        testbed.path("checks/python/bin"),
        testbed.path("checks/node/node_modules/.bin"),
        testbed.programs(),
        SYSTEM_PATH.into(),
    ]
    .map(|folder| folder.display().to_string())
    .join(":")
}

#[track_caller]
fn run(world: &World, program: &str, arguments: &[&str]) -> Output {
    let output = command(world, program, arguments)
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn command(world: &World, program: &str, arguments: &[&str]) -> Command {
    // The programs are found by the same PATH that they are given.
    let mut command = world.command("/usr/bin/env");
    command
        .arg(program)
        .args(arguments)
        .env("PATH", path(world));
    command
}

/// Returns what the pages' programs are to print.
fn expected(job_id: &str) -> String {
    format!("{job_id} running\n")
}

/// Returns a workplace with a job that runs.
fn busy() -> (Workplace, String) {
    let place = Workplace::here();
    place.waiting_agent("waiter", "true");
    let job_id = place.launched("waiter", &json!({"host": "local"}));
    project(place.world());
    (place, job_id)
}

/// Fails where a type has no name of its own: generators number what they cannot tell apart.
fn assert_named(names: &BTreeSet<String>) {
    let faults = Faults::default();
    for name in names {
        faults.unless(!name.ends_with(|end: char| end.is_ascii_digit()), || {
            format!("{name} is a number, not a name")
        });
    }
    assert!(names.len() > 150, "only {names:?}");
    faults.none();
}

/// Gathers the names of types from generated files.
fn names(folder: &Path, keyword: &[&str], found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("generated files") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names(&path, keyword, found);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a generated file");
        for line in text.lines() {
            let rest = keyword
                .iter()
                .find_map(|keyword| line.strip_prefix(keyword));
            let name = rest.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            found.extend(name.map(str::to_owned));
        }
    }
}

#[test]
fn python_models_take_what_the_binary_answers_and_refuse_damage() {
    let (place, job_id) = busy();
    let world = place.world();
    run(world, "sh", &["-ec", &block("sh", "datamodel-codegen")]);
    let mut found = BTreeSet::new();
    names(&world.home().join("legwork_types"), &["class "], &mut found);
    assert_named(&found);

    let snippet = world.home().join("snippet.py");
    fs::write(&snippet, block("python", "import")).expect("the snippet");
    let output = run(world, "python", &["snippet.py"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected(&job_id));

    let cases = serde_json::to_string(&*CASES).expect("JSON");
    let file = world.path("cases.json");
    fs::write(&file, cases).expect("the cases");
    let output = command(
        world,
        "python",
        &[&data("integrations/models.py").display().to_string()],
    )
    .env("PYTHONPATH", world.home())
    .stdin(Stdio::from(fs::File::open(&file).expect("the cases")))
    .output()
    .expect("python starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let fits: Vec<bool> = serde_json::from_slice(&output.stdout).expect("verdicts");
    assert_eq!(fits.len(), CASES.len());
    let faults = Faults::default();
    for (case, fits) in CASES.iter().zip(fits) {
        faults.unless(case.fits == fits, || {
            format!("the model says {fits} of {} by {}", case.value, case.schema)
        });
    }
    faults.none();
}

#[test]
fn typescript_types_take_what_the_binary_answers_and_refuse_damage() {
    let (place, job_id) = busy();
    let world = place.world();
    run(world, "sh", &["-ec", &block("sh", "json2ts")]);
    let mut found = BTreeSet::new();
    let keywords = ["export interface ", "export type "];
    names(&world.home().join("types"), &keywords, &mut found);
    assert_named(&found);

    fs::write(world.home().join("snippet.ts"), block("ts", "import")).expect("the snippet");
    fs::write(world.home().join("cases.ts"), literals()).expect("the cases");
    let strict = ["--strict", "--module", "nodenext", "--types", "node"];
    run(
        world,
        "tsc",
        &[
            &strict[..],
            &["--outDir", "built", "snippet.ts", "cases.ts"],
        ]
        .concat(),
    );
    let output = run(world, "node", &["built/snippet.js"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected(&job_id));

    // And it would be noticed if a snippet used what is not there.
    let wrong = block("ts", "import").replace("job.state", "job.stat.length");
    fs::write(world.home().join("wrong.ts"), wrong).expect("a snippet that errs");
    let output = command(
        world,
        "tsc",
        &[&strict[..], &["--noEmit", "wrong.ts"]].concat(),
    )
    .output()
    .expect("tsc starts");
    assert!(!output.status.success());
}

/// Writes all cases as constants of their types; on a damaged one the compiler must err.
fn literals() -> String {
    let mut text = String::new();
    let mut imported = BTreeSet::new();
    for case in CASES.iter() {
        let title = title(&case.schema);
        if imported.insert(title.clone()) {
            let _infallible = writeln!(
                text,
                "import type {{ {title} }} from \"./types/{}\";",
                case.schema
            );
        }
    }
    for (number, case) in CASES.iter().enumerate() {
        if !case.fits {
            text.push_str("// @ts-expect-error\n");
        }
        let _infallible = writeln!(
            text,
            "export const case{number}: {} = {};",
            title(&case.schema),
            case.value
        );
    }
    text
}

fn title(schema: &str) -> String {
    let title: &Value = &crate::support::schemas::schema(schema)["title"];
    title.as_str().expect("a title").to_owned()
}
