//! Files made from the registry: schemas and reference pages.

use std::{collections::BTreeMap, fmt::Write as _};

use schemars::schema_for;
use serde_json::{Value, json};

use crate::{
    contract::{Code, Effects, Envelope, configuration::Configuration},
    registry::{ALL, Entry},
};

/// Makes all generated files: their paths below the top folder, and their content.
pub fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut schema = |name: String, schema: Value| {
        let mut fields = serde_json::Map::new();
        fields.insert("$id".to_owned(), json!(format!("urn:legwork:v1:{name}")));
        if let Value::Object(rest) = schema {
            fields.extend(rest);
        }
        let text = serde_json::to_string_pretty(&Value::Object(fields)).unwrap_or_default();
        files.insert(format!("schemas/{name}.json"), format!("{text}\n"));
    };
    schema("envelope".to_owned(), schema_for!(Envelope).to_value());
    schema(
        "configuration".to_owned(),
        schema_for!(Configuration).to_value(),
    );
    for entry in ALL {
        let about = &entry.about;
        schema(
            format!("{}.input", about.name),
            (about.input_schema)().to_value(),
        );
        schema(
            format!("{}.output", about.name),
            (about.output_schema)().to_value(),
        );
    }
    for code in Code::ALL {
        let details = code.shape().schema().to_value();
        schema(format!("error-details/{}", code.name()), details);
    }
    for entry in ALL {
        let path = format!(
            "docs/reference/{}/{}.md",
            entry.about.chapter(),
            entry.about.name
        );
        files.insert(path, page(entry));
    }
    files.insert("docs/reference/errors.md".to_owned(), errors());
    files.insert("docs/reference/README.md".to_owned(), index());
    files
}

fn index() -> String {
    let mut text = String::from(
        "# Reference\n\nGenerated from the registry. One page for each primitive, and [all failure codes](errors.md).\n",
    );
    let mut chapter = "";
    for entry in ALL {
        let about = &entry.about;
        if about.chapter() != chapter {
            chapter = about.chapter();
            // Writing to a String cannot fail, here and below.
            let _infallible = write!(text, "\n## {chapter}\n\n");
        }
        let _infallible = writeln!(
            text,
            "- [`{name}`]({chapter}/{name}.md): {summary}",
            name = about.name,
            summary = about.summary
        );
    }
    text
}

fn page(entry: &Entry) -> String {
    let about = &entry.about;
    let mut text = format!(
        "# {}\n\n{}.\n\n{}\n\n{}\n",
        about.name,
        about.summary,
        about.documentation(),
        effects(about.effects)
    );
    text.push_str("\n## Input\n\n");
    table(&mut text, (about.input_schema)().as_value());
    text.push_str("\n## Output\n\n");
    table(&mut text, (about.output_schema)().as_value());
    text.push_str("\n## Failures\n\nBesides [those of every call](../errors.md#every-call):\n\n");
    if about.codes.is_empty() {
        text.push_str("none.\n");
    }
    for code in about.codes {
        let name = code.name();
        let _infallible = writeln!(
            text,
            "- [`{name}`](../errors.md#{name}): {}",
            meaning(*code).0
        );
    }
    text.push_str("\n## Examples\n");
    for example in (about.examples)() {
        let _infallible = write!(
            text,
            "\n```sh\nlegwork {} --json '{}'\n```\n",
            about.name,
            example.to_string().replace('\'', "'\\''")
        );
    }
    let _infallible = write!(
        text,
        "\nSchemas: [input](../../../schemas/{name}.input.json), [output](../../../schemas/{name}.output.json).\n",
        name = about.name
    );
    text
}

fn effects(effects: Effects) -> String {
    let mut parts = vec![match (effects.read_only, effects.destructive) {
        (true, _) => "Only looks.",
        (false, true) => "May end or remove something.",
        (false, false) => "Changes something.",
    }];
    if !effects.read_only {
        parts.push(if effects.idempotent {
            "The same call again adds nothing."
        } else {
            "The same call again does it again."
        });
    }
    parts.push(if effects.open_world {
        "Talks to other machines."
    } else {
        "Stays on this machine."
    });
    parts.join(" ")
}

fn table(text: &mut String, schema: &Value) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let Some(fields) = schema["properties"]
        .as_object()
        .filter(|fields| !fields.is_empty())
    else {
        text.push_str("No fields.\n");
        return;
    };
    text.push_str("| field | type | | |\n|---|---|---|---|\n");
    for (name, place) in fields {
        let mark = match (&place["default"], required.contains(&name.as_str())) {
            (Value::Null, true) => "required".to_owned(),
            (Value::Null, false) => String::new(),
            (default, _) => format!("default `{default}`"),
        };
        let _infallible = writeln!(
            text,
            "| `{name}` | {} | {mark} | {} |",
            kind(place),
            place["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ")
                .replace('|', "\\|")
        );
    }
}

fn kind(place: &Value) -> String {
    if let Some(reference) = place["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(options) = place["enum"].as_array() {
        return options
            .iter()
            .map(|option| format!("`{option}`"))
            .collect::<Vec<_>>()
            .join(" ");
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(options) = place[keyword].as_array() {
            let kinds: Vec<String> = options
                .iter()
                .map(|option| match option["const"].as_str() {
                    Some(only) => format!("`{only}`"),
                    None => kind(option),
                })
                .filter(|kind| kind != "null")
                .collect();
            return kinds.join(" or ");
        }
    }
    match &place["type"] {
        Value::String(one) if one == "array" => format!("array of {}", kind(&place["items"])),
        Value::String(one) => one.clone(),
        Value::Array(many) => many
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "any".to_owned(),
    }
}

/// Reads meaning and cure off the comment of a code.
pub fn meaning(code: Code) -> (String, String) {
    let schema = schema_for!(Code).to_value();
    let name = code.name();
    let comment = schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|option| option["const"] == json!(name))
        .and_then(|option| option["description"].as_str())
        .unwrap_or_default()
        .to_owned();
    let (meaning, cure) = comment
        .split_once("## Resolution")
        .unwrap_or((comment.as_str(), ""));
    (meaning.trim().to_owned(), cure.trim().to_owned())
}

fn errors() -> String {
    let mut text = String::from(
        "# Failure codes\n\nGenerated from the codes themselves. `error_code` is open: codes are only ever added, and a caller that does \
         not know one falls back on its `kind`, which is closed.\n\n## Every call\n\nAny call may fail with these: ",
    );
    let every: Vec<String> = Code::UNIVERSAL
        .iter()
        .map(|code| format!("[`{name}`](#{name})", name = code.name()))
        .collect();
    text.push_str(&every.join(", "));
    text.push_str(".\n");
    for code in Code::ALL {
        let name = code.name();
        let (meaning, cure) = meaning(*code);
        let kind = json!(code.kind());
        let retry = json!(code.retry().mode);
        let _infallible = write!(
            text,
            "\n## {name}\n\n{meaning}\n\nkind {kind}, exit status {}, retry {retry}; details: [schema](../../schemas/error-details/{name}.json).\n\n{cure}\n",
            code.kind().exit_status(None)
        );
    }
    text
}
