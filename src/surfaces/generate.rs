//! Files made from the registry: schemas and reference pages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use schemars::schema_for;
use serde_json::{Map, Value, json};

use crate::{
    contract::{Code, Effects, Envelope, VERSION, configuration::Configuration},
    registry::{ALL, Entry},
};

/// Makes all generated files: their paths below the top folder, and their content.
pub fn files() -> BTreeMap<String, String> {
    let mut files = schemas();
    for entry in ALL {
        let path = format!(
            "docs/reference/{}/{}.md",
            entry.about.chapter(),
            entry.about.name
        );
        files.insert(path, page(entry));
    }
    files.insert("docs/reference/README.md".to_owned(), index());
    files.insert("docs/reference/envelope.md".to_owned(), envelope());
    files.insert(
        "docs/reference/configuration.md".to_owned(),
        configuration(),
    );
    files.insert("docs/reference/errors.md".to_owned(), errors());
    files
}

fn schemas() -> BTreeMap<String, String> {
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

/// Says that a page is not to be edited.
const GENERATED: &str = "<!-- Made from the types by `UPDATE=1 cargo test generated`; edit those, not this page. -->\n\n";

fn index() -> String {
    let mut text = format!(
        "{GENERATED}# Reference\n\nOne page for each primitive. Beside them: [the envelope](envelope.md) that answers every call, \
         [the failure codes](errors.md), [the configuration file](configuration.md), and all [schemas](../../schemas/index.json).\n",
    );
    let mut chapter = "";
    for entry in ALL {
        let about = &entry.about;
        if about.chapter() != chapter {
            chapter = about.chapter();
            // Writing to a String cannot fail, here and below.
            let _infallible = write!(text, "\n## {}\n\n", capitalised(chapter));
            text.push_str("| primitive | | effects |\n|---|---|---|\n");
        }
        let _infallible = writeln!(
            text,
            "| [`{name}`]({chapter}/{name}.md) | {} | {} |",
            about.summary,
            marks(about.effects),
            name = about.name,
        );
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn marks(effects: Effects) -> &'static str {
    match (effects.read_only, effects.destructive, effects.open_world) {
        (true, _, false) => "looks",
        (true, _, true) => "looks, elsewhere too",
        (false, false, false) => "changes",
        (false, false, true) => "changes, elsewhere too",
        (false, true, false) => "removes",
        (false, true, true) => "removes, elsewhere too",
    }
}

fn page(entry: &Entry) -> String {
    let about = &entry.about;
    let name = about.name;
    let mut text = format!(
        "{GENERATED}# {name}\n\n{}.\n\n{}\n\n*{}*\n\n## Input\n\n",
        about.summary,
        about.documentation(),
        effects(about.effects)
    );
    let input = (about.input_schema)().to_value();
    if has_fields(&input) {
        text.push_str("Each field is a flag too: `max_wall_s` is `--max-wall-s`.\n\n");
    }
    shape(&mut text, &input, "");
    text.push_str("\n## Output\n\n");
    shape(&mut text, &(about.output_schema)().to_value(), "");
    text.push_str("\n## Failures\n\n");
    if about.codes.is_empty() {
        text.push_str("Only [those of every call](../errors.md#every-call).\n");
    } else {
        text.push_str(
            "Besides [those of every call](../errors.md#every-call):\n\n| code | kind | retry | |\n|---|---|---|---|\n",
        );
    }
    for code in about.codes {
        let name = code.name();
        let _infallible = writeln!(
            text,
            "| [`{name}`](../errors.md#{name}) | {} | {} | {} |",
            word(&json!(code.kind())),
            word(&json!(code.retry().mode)),
            cell(&meaning(*code).0)
        );
    }
    text.push_str("\n## Examples\n");
    for example in (about.examples)() {
        let _infallible = write!(text, "\n```sh\n{}\n```\n", command(name, &example));
    }
    let _infallible = write!(
        text,
        "\nSchemas: [input](../../../schemas/{name}.input.json), [output](../../../schemas/{name}.output.json).\n",
    );
    text
}

/// Writes a call as it is typed in a shell.
fn command(name: &str, input: &Value) -> String {
    if input.as_object().is_some_and(Map::is_empty) {
        return format!("legwork {name}");
    }
    format!(
        "legwork {name} --json '{}'",
        input.to_string().replace('\'', "'\\''")
    )
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

fn has_fields(schema: &Value) -> bool {
    schema["properties"]
        .as_object()
        .is_some_and(|fields| !fields.is_empty())
}

/// Writes the fields of a schema, then those of the types they name, each type once.
fn shape(text: &mut String, schema: &Value, heading: &str) {
    text.push_str(heading);
    if has_fields(schema) {
        table(text, schema);
    } else {
        text.push_str("No fields.\n");
    }
    let types = schema["$defs"].as_object();
    for (name, place) in types.into_iter().flatten() {
        // The codes have a page of their own.
        if name == "Code" {
            continue;
        }
        let _infallible = write!(text, "\n### {name}\n\n");
        if let Some(about) = place["description"].as_str() {
            let _infallible = write!(text, "{about}\n\n");
        }
        if has_fields(place) {
            table(text, place);
        } else {
            values(text, place);
        }
    }
}

/// Writes the values an enumeration may have, or the form of a text.
fn values(text: &mut String, place: &Value) {
    if let Some(options) = place["oneOf"].as_array() {
        for option in options {
            let _infallible = writeln!(
                text,
                "- {}: {}",
                kind(option),
                cell(option["description"].as_str().unwrap_or_default())
            );
        }
    } else {
        let _infallible = writeln!(text, "{}.", capitalised(&kind(place)));
    }
}

fn table(text: &mut String, schema: &Value) {
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    text.push_str("| field | type | | |\n|---|---|---|---|\n");
    rows(text, schema, &required, "");
}

/// Writes a row for each field, those of fields within fields included.
fn rows(text: &mut String, schema: &Value, required: &BTreeSet<&str>, above: &str) {
    for (name, place) in schema["properties"].as_object().into_iter().flatten() {
        let mark = match (place.get("default"), required.contains(name.as_str())) {
            (None | Some(Value::Null), true) => "always".to_owned(),
            (None | Some(Value::Null), false) => String::new(),
            (Some(default), _) if default.to_string().len() > 40 => String::new(),
            (Some(default), _) => format!("default `{default}`"),
        };
        let _infallible = writeln!(
            text,
            "| `{above}{name}` | {} | {mark} | {} |",
            cell(&kind(place)),
            cell(place["description"].as_str().unwrap_or_default())
        );
        // Options of which one is an object show its fields; `null` is no other shape.
        for inner in [Some(place), place.get("items")].into_iter().flatten() {
            let below = if inner == place { "." } else { "[]." };
            for option in std::iter::once(inner).chain(options(inner)) {
                if has_fields(option) {
                    rows(
                        text,
                        option,
                        &BTreeSet::new(),
                        &format!("{above}{name}{below}"),
                    );
                }
            }
        }
    }
}

fn options(place: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|keyword| place[keyword].as_array())
        .flatten()
}

/// Makes a text fit into a cell of a table.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn word(value: &Value) -> String {
    format!("`{}`", value.as_str().unwrap_or_default())
}

/// Says in words which values fit.
fn kind(place: &Value) -> String {
    if let Some(reference) = place["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return if name == "Code" {
            "a failure code".to_owned()
        } else {
            format!("[{name}](#{})", name.to_lowercase())
        };
    }
    if let Some(only) = place.get("const") {
        return format!("`{only}`");
    }
    if let Some(values) = place["enum"].as_array() {
        return values
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let kinds: Vec<String> = options(place)
        .map(kind)
        .filter(|kind| kind != "null")
        .collect();
    if !kinds.is_empty() {
        return kinds.join(" or ");
    }
    let name = match &place["type"] {
        Value::String(one) => one.clone(),
        Value::Array(many) => many
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect::<Vec<_>>()
            .join(" or "),
        _ => return "any".to_owned(),
    };
    match name.as_str() {
        "array" => format!("array of {}", kind(&place["items"])),
        "object" => match &place["additionalProperties"] {
            values @ Value::Object(_) => format!("map to {}", kind(values)),
            _ => name,
        },
        "integer" | "number" => match (place["minimum"].as_i64(), place["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("{name}, {least} to {most}"),
            (Some(least), None) if least != 0 => format!("{name}, at least {least}"),
            _ => name,
        },
        "string" => match (place["pattern"].as_str(), place["maxLength"].as_u64()) {
            (Some(pattern), _) => format!("string like `{pattern}`"),
            (None, Some(most)) => format!("string, at most {most} characters"),
            (None, None) => name,
        },
        _ => name,
    }
}

fn envelope() -> String {
    let schema = schema_for!(Envelope).to_value();
    let mut text = format!(
        "{GENERATED}# The envelope\n\nEvery call prints one line of JSON: a success where `ok` is true, a refusal where it is false. \
         Readers ignore fields they do not know. [Schema](../../schemas/envelope.json).\n"
    );
    shape(&mut text, &json!({"$defs": schema["$defs"]}), "");
    text.replace("No fields.\n", "")
}

fn configuration() -> String {
    let mut text = format!(
        "{GENERATED}# The configuration file\n\nTOML, at `$LEGWORK_CONFIG`, else `$XDG_CONFIG_HOME/legwork/config.toml`, else \
         `~/.config/legwork/config.toml`. There need not be one. A key that is not listed here is an error, and \
         [`check-config`](discovery/check-config.md) shows all of them with the nearest known name. \
         [Schema](../../schemas/configuration.json).\n\n"
    );
    shape(&mut text, &schema_for!(Configuration).to_value(), "");
    text
}

/// Reads meaning and cure off the comment of a code.
pub fn meaning(code: Code) -> (String, String) {
    let schema = schema_for!(Code).to_value();
    let name = code.name();
    let comment = schema["anyOf"][0]["oneOf"]
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
    let mut text = format!(
        "{GENERATED}# Failure codes\n\n`error_code` is open: codes are only ever added, and a caller that does not know one falls back \
         on its `kind`, which is closed. What retry modes and kinds mean stands in [the contract](../contract.md).\n\n\
         ## Every call\n\nAny call may fail with these: ",
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
        let _infallible = write!(
            text,
            "\n## {name}\n\n{meaning}\n\n{cure}\n\nKind {}, exit status {}, retry {}. [Details](../../schemas/error-details/{name}.json)",
            word(&json!(code.kind())),
            code.kind().exit_status(None),
            word(&json!(code.retry().mode)),
        );
        let details = code.shape().schema().to_value();
        let fields: Vec<String> = details["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !fields.is_empty() {
            let _infallible = write!(text, ": {}", fields.join(", "));
        }
        let callers: Vec<String> = ALL
            .iter()
            .filter(|entry| entry.about.codes.contains(code))
            .map(|entry| {
                let about = &entry.about;
                format!("[`{0}`]({1}/{0}.md)", about.name, about.chapter())
            })
            .collect();
        text.push('.');
        if !callers.is_empty() {
            let _infallible = write!(text, " From {}.", callers.join(", "));
        }
        text.push('\n');
    }
    text
}
