//! One call of `check-harness` and its verdicts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};

use crate::support::{Call, World, schemas};

/// What was found: scenario by scenario, the faults.
pub(crate) type Found = BTreeMap<String, BTreeSet<String>>;

/// A harness that was checked.
pub(crate) struct Checked {
    /// The answer.
    pub(crate) call: Call,
    /// The faults of each scenario that failed.
    pub(crate) faults: Found,
}

/// Checks a harness in a world; `scenarios` empty for all.
pub(crate) fn check(world: &World, command: &str, scenarios: &[&str], limit_s: u64) -> Checked {
    let input = json!({"command": command, "scenarios": scenarios, "limit_s": limit_s});
    let call = world
        .legwork(["check-harness", "--json", &input.to_string()])
        .ok();
    let data = Value::Object(call.data().clone());
    assert_eq!(
        schemas::faults("check-harness.output", &data),
        Vec::<String>::new()
    );
    let mut faults = Found::new();
    for scenario in call.at("/scenarios").as_array().into_iter().flatten() {
        let found: BTreeSet<String> = scenario["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|finding| finding["fault"].as_str().expect("a fault").to_owned())
            .collect();
        assert_eq!(
            scenario["verdict"] == "failed",
            !found.is_empty(),
            "{scenario}"
        );
        if !found.is_empty() {
            let name = scenario["scenario"].as_str().expect("a scenario");
            faults.insert(name.to_owned(), found);
        }
    }
    Checked { call, faults }
}

/// Returns the text of one of our own loops.
pub(crate) fn reference(file: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/integrations")
        .join(file);
    fs::read_to_string(place).expect("a loop")
}

/// Lists the names of all scenarios, as the schema has them.
pub(crate) fn scenarios() -> Vec<String> {
    let schema = schemas::schema("check-harness.input");
    let names: Vec<String> = schema["properties"]["scenarios"]["items"]["oneOf"]
        .as_array()
        .expect("the scenarios")
        .iter()
        .map(|scenario| scenario["const"].as_str().expect("a name").to_owned())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    names
}
