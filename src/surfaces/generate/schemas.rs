//! Schemas, as files that programs read.

use std::collections::BTreeMap;

use schemars::schema_for;
use serde_json::{Map, Value, json};

use crate::{
    contract::{Code, Envelope, VERSION, configuration::Configuration},
    registry::ALL,
};

/// Makes a schema for each input, each output, the details of each code, the envelope and the configuration.
pub(super) fn schemas() -> BTreeMap<String, String> {
    let mut schemas = BTreeMap::new();
    let mut add = |name: &str, title: &str, schema: Value| {
        schemas.insert(
            format!("schemas/{name}.json"),
            pretty(&published(name, title, schema)),
        );
    };
    add(
        "envelope",
        "The one line that answers every call",
        schema_for!(Envelope).to_value(),
    );
    add(
        "configuration",
        "The configuration file",
        schema_for!(Configuration).to_value(),
    );
    for entry in ALL {
        let about = &entry.about;
        let name = about.name;
        add(
            &format!("{name}.input"),
            &format!("Input of {name}"),
            (about.input_schema)().to_value(),
        );
        add(
            &format!("{name}.output"),
            &format!("Output of {name}"),
            (about.output_schema)().to_value(),
        );
    }
    for code in Code::ALL {
        let name = code.name();
        add(
            &format!("error-details/{name}"),
            &format!("Details of {name}"),
            code.shape().schema().to_value(),
        );
    }
    schemas.insert("schemas/index.json".to_owned(), pretty(&contents()));
    schemas
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}

/// Puts name and title of a published schema in front of it.
fn published(name: &str, title: &str, schema: Value) -> Value {
    let mut fields = Map::new();
    fields.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    fields.insert(
        "$id".to_owned(),
        json!(format!("urn:legwork:v{VERSION}:{name}")),
    );
    fields.insert("title".to_owned(), json!(title));
    if let Value::Object(rest) = schema {
        fields.extend(
            rest.into_iter()
                .filter(|(keyword, _)| !matches!(keyword.as_str(), "$schema" | "title")),
        );
    }
    Value::Object(fields)
}

/// Lists all schemas with what a program must know to choose among them.
fn contents() -> Value {
    let primitives: Map<String, Value> = ALL
        .iter()
        .map(|entry| {
            let about = &entry.about;
            let name = about.name;
            let entry = json!({
                "chapter": about.chapter(),
                "summary": about.summary,
                "effects": about.effects,
                "input": format!("{name}.input.json"),
                "output": format!("{name}.output.json"),
                "codes": about.codes,
            });
            (name.to_owned(), entry)
        })
        .collect();
    let codes: Map<String, Value> = Code::ALL
        .iter()
        .map(|code| {
            let name = code.name();
            let entry = json!({
                "kind": code.kind(),
                "exit_status": code.kind().exit_status(None),
                "retry": code.retry(),
                "universal": code.is_universal(),
                "details": format!("error-details/{name}.json"),
            });
            (name, entry)
        })
        .collect();
    json!({
        "v": VERSION,
        "envelope": "envelope.json",
        "configuration": "configuration.json",
        "primitives": primitives,
        "codes": codes,
    })
}
