//! Schemas, as tables that people and agents read.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::Value;

/// Whose side a schema is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::surfaces) enum Side {
    /// The side that writes what the schema describes: inputs, the configuration.
    Producer,
    /// The side that reads it: outputs, the envelope.
    Consumer,
}

/// Makes the first letter a capital.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Returns whether a schema names fields.
pub(super) fn has_fields(schema: &Value) -> bool {
    schema["properties"]
        .as_object()
        .is_some_and(|fields| !fields.is_empty())
}

/// Writes the fields of a schema, then those of the types they name, each type once.
pub(super) fn shape(text: &mut String, schema: &Value, side: Side) {
    if has_fields(schema) {
        table(text, schema, side);
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
            table(text, place, side);
        } else {
            values(text, place, side);
        }
    }
}

/// Writes the values an enumeration may have, or the form of a text.
fn values(text: &mut String, place: &Value, side: Side) {
    if let Some(options) = place["oneOf"].as_array() {
        for option in options {
            let _infallible = writeln!(
                text,
                "- {}: {}",
                kind(option, side),
                cell(option["description"].as_str().unwrap_or_default())
            );
        }
    } else {
        let _infallible = writeln!(text, "{}.", capitalised(&kind(place, side)));
    }
}

fn table(text: &mut String, schema: &Value, side: Side) {
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    text.push_str("| field | type | | meaning |\n|---|---|---|---|\n");
    rows(text, schema, &required, "", side);
}

/// Writes a row for each field, those of fields within fields included.
fn rows(text: &mut String, schema: &Value, required: &BTreeSet<&str>, above: &str, side: Side) {
    for (name, place) in schema["properties"].as_object().into_iter().flatten() {
        let mark = match (place.get("default"), required.contains(name.as_str())) {
            (None | Some(Value::Null), true) if side == Side::Producer => "required".to_owned(),
            (None | Some(Value::Null), false) if side == Side::Consumer => "not always".to_owned(),
            (None | Some(Value::Null | Value::Object(_)), _) => String::new(),
            (Some(default), _) => format!("default `{default}`"),
        };
        let _infallible = writeln!(
            text,
            "| `{above}{name}` | {} | {mark} | {} |",
            cell(&kind(place, side)),
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
                        side,
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
pub(super) fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// Says in words which values fit. A producer may leave out what may be null, so null is named for consumers only.
pub(in crate::surfaces) fn kind(place: &Value, side: Side) -> String {
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
    let mut kinds: Vec<String> = if let Some(values) = place["enum"].as_array() {
        values.iter().map(|value| format!("`{value}`")).collect()
    } else {
        options(place).map(|option| kind(option, side)).collect()
    };
    if kinds.is_empty() {
        let named = &place["type"];
        kinds = if let Some(one) = named.as_str() {
            vec![of_type(one, place, side)]
        } else if let Some(many) = named.as_array() {
            many.iter()
                .filter_map(Value::as_str)
                .map(|one| of_type(one, place, side))
                .collect()
        } else {
            vec!["any".to_owned()]
        };
    }
    let null = ["null", "`null`"];
    kinds.retain(|kind| {
        !kind.is_empty() && (side == Side::Consumer || !null.contains(&kind.as_str()))
    });
    kinds.join(" or ")
}

fn of_type(name: &str, place: &Value, side: Side) -> String {
    match name {
        "array" => format!("array of {}", kind(&place["items"], side)),
        "object" => {
            let by_pattern = place["patternProperties"].as_object();
            let values = by_pattern
                .and_then(|patterns| patterns.values().next())
                .or_else(|| place.get("additionalProperties"))
                .filter(|values| values.is_object());
            values.map_or_else(
                || name.to_owned(),
                |values| format!("map to {}", kind(values, side)),
            )
        }
        "integer" | "number" => match (place["minimum"].as_f64(), place["maximum"].as_f64()) {
            (Some(least), Some(most)) => format!("{name}, {least} to {most}"),
            (Some(least), None) if least != 0.0 => format!("{name}, at least {least}"),
            _ => name.to_owned(),
        },
        "string" => match (place["pattern"].as_str(), place["maxLength"].as_u64()) {
            (Some(pattern), _) => format!("string like `{pattern}`"),
            (None, Some(most)) => format!("string, at most {most} characters"),
            (None, None) => name.to_owned(),
        },
        _ => name.to_owned(),
    }
}
