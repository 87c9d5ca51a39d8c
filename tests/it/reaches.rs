//! What the fields of inputs reach: declared for every field of which a caller chooses the text.

use legwork::{contract::Reach, registry::ALL};
use serde_json::Value;

use crate::support::Faults;

/// Patterns of identifiers: what fits them is a name that legwork looks up among those it knows.
const IDENTIFIERS: [&str; 2] = [
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$",
];

/// Returns whether a schema takes a text of the caller's own choosing anywhere.
fn takes_text(schema: &Value) -> bool {
    let within = |name: &str| match &schema[name] {
        Value::Array(items) => items.iter().any(takes_text),
        Value::Object(fields) if name == "properties" => fields.values().any(takes_text),
        Value::Object(_) => takes_text(&schema[name]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    let is = |kind: &str| match schema["type"].as_array() {
        Some(kinds) => kinds.iter().any(|one| one == kind),
        None => schema["type"] == kind,
    };
    let is_fixed = schema.get("enum").is_some()
        || schema.get("const").is_some()
        || IDENTIFIERS.iter().any(|known| schema["pattern"] == *known);
    let is_open_object = is("object") && schema.get("properties").is_none();
    is("string") && !is_fixed
        || is_open_object
        || [
            "anyOf",
            "oneOf",
            "allOf",
            "items",
            "prefixItems",
            "properties",
            "additionalProperties",
        ]
        .iter()
        .any(|name| within(name))
}

fn takes_switch(schema: &Value) -> bool {
    schema.to_string().contains("\"boolean\"")
}

#[test]
fn every_field_of_which_a_caller_chooses_the_text_says_what_it_reaches() {
    let faults = Faults::default();
    for entry in ALL {
        let about = &entry.about;
        let schema = (about.input_schema)().to_value();
        let fields = schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let declared = |name: &str| about.reaches.iter().any(|(field, _)| *field == name);
        for (field, schema) in &fields {
            let must = takes_text(schema)
                || about.effects.read_only && takes_switch(schema)
                // A host that is not listed is left to the ssh client, which may connect anywhere.
                || field == "host" && about.effects.open_world;
            faults.unless(!must || declared(field), || {
                format!("{}: {field} does not say what it reaches", about.name)
            });
        }
        for (field, _) in about.reaches {
            faults.unless(fields.contains_key(*field), || {
                format!("{} has no field {field}", about.name)
            });
        }
    }
    faults.none();
}

#[test]
fn what_runs_installs_or_connects_is_for_a_person_to_allow() {
    for (reach, needs) in [
        (Reach::Data, false),
        (Reach::File, false),
        (Reach::Issue, false),
        (Reach::Checkout, false),
        (Reach::Command, true),
        (Reach::Task, true),
        (Reach::Package, true),
        (Reach::Address, true),
        (Reach::Host, true),
        (Reach::Place, true),
        (Reach::Switch, true),
    ] {
        assert_eq!(reach.needs_a_person(), needs, "{reach:?}");
    }
}
