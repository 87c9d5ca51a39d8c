//! Two validators agree on the schemas, and on what the binary answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    process::Command,
};

use legwork::surfaces::generate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cases::CASES;
use crate::{
    contract::frozen_map,
    support::{Faults, World, data, fed, json_lines, schemas},
};

fn published() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

/// What a validator says: how many schemas it took, and of each case whether it fits.
#[derive(Debug, Deserialize)]
struct Verdict {
    schemas: usize,
    fits: Vec<bool>,
}

/// Has a validator judge the published schemas and all cases.
#[track_caller]
fn judged(mut validator: Command) {
    let cases = serde_json::to_vec(&*CASES).expect("JSON");
    let output = fed(validator.arg(published()), cases);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    let verdict: Verdict = serde_json::from_slice(&output.stdout).expect("a verdict");
    assert_eq!(verdict.schemas, schemas::names().count());
    assert_eq!(verdict.fits.len(), CASES.len());
    let faults = Faults::default();
    for (case, fits) in CASES.iter().zip(&verdict.fits) {
        faults.unless(case.fits == *fits, || {
            format!("it says {fits} of {} by {}", case.value, case.schema)
        });
    }
    faults.none();
}

#[test]
fn the_python_validator_takes_schemas_and_answers_and_refuses_damage() {
    let world = World::new();
    let mut python = world.command(world.testbed().path("checks/python/bin/python"));
    python.arg(data("integrations/validate.py"));
    judged(python);
}

#[test]
fn the_javascript_validator_takes_schemas_and_answers_and_refuses_damage() {
    let world = World::with_testbed();
    let mut node = world.command("node");
    node.arg(data("integrations/validate.cjs")).env(
        "NODE_PATH",
        world.testbed().path("checks/node/node_modules"),
    );
    judged(node);
}

#[test]
fn validators_refuse_a_schema_that_is_none() {
    let world = World::with_testbed();
    let folder = world.path("schemas");
    std::fs::create_dir(&folder).expect("a folder");
    let broken = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:legwork:v1:broken",
        "type": "objekt",
    });
    std::fs::write(folder.join("broken.json"), broken.to_string()).expect("a file");
    let testbed = world.testbed();
    let mut python = world.command(testbed.path("checks/python/bin/python"));
    python.arg(data("integrations/validate.py"));
    let mut node = world.command("node");
    node.arg(data("integrations/validate.cjs"))
        .env("NODE_PATH", testbed.path("checks/node/node_modules"));
    for mut validator in [python, node] {
        let output = validator.arg(&folder).output().expect("it starts");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("broken"));
    }
}

#[test]
fn the_binary_shows_every_published_schema() {
    let world = World::new();
    let listed = world.legwork(["show-schema"]).ok().at("/schemas");
    let listed: BTreeMap<&str, &str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| Some((one["name"].as_str()?, one["title"].as_str()?)))
        .collect();
    let files: BTreeMap<String, Value> = generate::files()
        .into_keys()
        .filter_map(|path| {
            let name = path.strip_prefix("schemas/")?.strip_suffix(".json")?;
            let text = std::fs::read_to_string(published().join(format!("{name}.json"))).ok()?;
            Some((name.to_owned(), serde_json::from_str(&text).ok()?))
        })
        .collect();
    assert!(files.len() > 150, "{}", files.len());
    assert_eq!(
        listed.keys().copied().collect::<Vec<_>>(),
        files.keys().map(String::as_str).collect::<Vec<_>>()
    );

    let mut calls = String::new();
    for name in files.keys() {
        let call = json!({"id": name, "primitive": "show-schema", "input": {"name": name}});
        let _infallible = writeln!(calls, "{call}");
    }
    let output = fed(&mut world.legwork_command(["batch"]), calls);
    let mut shown = BTreeSet::new();
    for answer in json_lines(&output) {
        let name = answer["id"].as_str().expect("its id").to_owned();
        assert_eq!(answer["data"]["name"], name, "{answer}");
        assert_eq!(answer["data"]["schema"], files[&name], "{name}");
        if name != "index" {
            assert_eq!(files[&name]["title"], listed[name.as_str()], "{name}");
        }
        shown.insert(name);
    }
    assert_eq!(shown.len(), files.len());
}

#[test]
fn a_schema_that_does_not_exist_is_refused_with_the_nearest_name() {
    let world = World::new();
    let refused = world.legwork(["show-schema", "--name", "pol-job.output"]);
    assert_eq!(refused.error_code(), "schema_unknown");
    assert_eq!(refused.kind(), "not_found");
    assert_eq!(refused.details()["did_you_mean"], "poll-job.output");
}

#[test]
fn schema_ids_are_only_added() {
    let now = || -> BTreeMap<String, String> {
        schemas::names()
            .map(|name| {
                let id = schemas::schema(name)["$id"].as_str().unwrap_or_default();
                (name.to_owned(), id.to_owned())
            })
            .collect()
    };
    let kept = frozen_map("schemas.json", now());
    assert!(kept.len() > 150, "the kept ids were not found");
    let faults = Faults::default();
    let now = now();
    for (name, id) in &kept {
        faults.unless(now.get(name) == Some(id), || {
            format!("{name} was {id} and is {:?}", now.get(name))
        });
    }
    for name in now.keys() {
        faults.unless(kept.contains_key(name), || {
            format!("{name} is new: add it with UPDATE=1")
        });
    }
    let titles: BTreeSet<&str> = schemas::names()
        .filter_map(|name| schemas::schema(name)["title"].as_str())
        .collect();
    faults.unless(titles.len() == now.len(), || {
        "two schemas have one title".to_owned()
    });
    faults.none();
}
