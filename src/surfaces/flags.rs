//! Flags, read off the schema of an input.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, error::ContextKind};
use serde_json::{Map, Value};

use crate::contract::{Violation, Violations, validation};

/// The flag of every primitive that shows the answer to people.
const PRETTY: &str = "pretty";

/// What the arguments say.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The file of `--spec`.
    pub(super) spec: Option<String>,
    /// The text of `--json`.
    pub(super) json: Option<String>,
    /// Whether `--pretty` is there.
    pub(super) pretty: bool,
    /// The fields that flags set.
    pub(super) fields: Map<String, Value>,
}

/// How the value of a flag is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Boolean,
    Number,
    List,
    Json,
}

/// Builds the command line of a primitive.
pub(super) fn command(name: &'static str, schema: &Value) -> Command {
    let source = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .allow_hyphen_values(true)
            .value_parser(clap::value_parser!(OsString))
            .help(help)
    };
    command_of_fields(name, schema)
        .arg(source(
            "spec",
            "FILE",
            "Read the input from a JSON file, or - for standard input",
        ))
        .arg(source(
            "json",
            "JSON",
            "The input as JSON; wins over --spec, and flags win over it",
        ))
        .arg(
            Arg::new(PRETTY)
                .long(PRETTY)
                .action(ArgAction::SetTrue)
                .overrides_with(PRETTY)
                .help("Show the answer readably on standard error too"),
        )
}

/// Builds a command line that has one flag for each field and no other.
pub(super) fn command_of_fields(name: &'static str, schema: &Value) -> Command {
    let mut command = Command::new(name)
        .no_binary_name(true)
        .disable_help_subcommand(true);
    for (field, place) in fields(schema) {
        let flag = field.replace('_', "-");
        let mut arg = Arg::new(field.clone())
            .value_parser(clap::value_parser!(OsString))
            .allow_hyphen_values(true);
        if flag != *field {
            arg = arg.alias(field.clone());
        }
        arg = arg.long(flag);
        arg = match shape(place) {
            Shape::Boolean => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("true|false"),
            Shape::List => arg.action(ArgAction::Append).value_name("ITEM"),
            Shape::Number => arg.value_name("NUMBER"),
            Shape::Json => arg.value_name("JSON"),
            Shape::Text => arg.value_name("TEXT"),
        };
        command = command.arg(arg);
    }
    command
}

/// Reads the arguments after a primitive's name.
pub(super) fn parse(
    name: &'static str,
    schema: &Value,
    arguments: Vec<OsString>,
) -> Result<Parsed, Violations> {
    read(command(name, schema), schema, arguments)
}

/// Reads arguments that set fields and nothing else.
pub(super) fn parse_fields(
    name: &'static str,
    schema: &Value,
    arguments: Vec<OsString>,
) -> Result<Map<String, Value>, Violations> {
    read(command_of_fields(name, schema), schema, arguments).map(|parsed| parsed.fields)
}

fn read(command: Command, schema: &Value, arguments: Vec<OsString>) -> Result<Parsed, Violations> {
    let matches = command
        .disable_help_flag(true)
        .try_get_matches_from(arguments)
        .map_err(|error| Violations::from(flag_violation(&error, schema)))?;
    let mut violations = Violations::default();
    let mut text = |name: &str| -> Vec<String> {
        // A service has no --spec and no --json.
        matches
            .try_get_many::<OsString>(name)
            .ok()
            .flatten()
            .into_iter()
            .flatten()
            .filter_map(|value| {
                let text = value.to_str().map(str::to_owned);
                if text.is_none() {
                    violations.push(
                        Violation::new(format!("/{name}"), "utf8", "the value is not UTF-8")
                            .expecting("UTF-8 text"),
                    );
                }
                text
            })
            .collect()
    };
    let mut parsed = Parsed {
        spec: text("spec").pop(),
        json: text("json").pop(),
        // A service has no --pretty either.
        pretty: matches!(matches.try_get_one(PRETTY), Ok(Some(true))),
        fields: Map::new(),
    };
    for (field, place) in fields(schema) {
        let values = text(field);
        if let Some(value) = value(shape(place), values) {
            parsed.fields.insert(field.clone(), value);
        }
    }
    if violations.is_empty() {
        Ok(parsed)
    } else {
        Err(violations)
    }
}

/// Returns whether a flag, named without its dashes, takes the word behind it for its value.
pub(super) fn takes_value(schema: &Value, flag: &str) -> bool {
    fields(schema).any(|(field, place)| {
        let is_it = flag == field || flag == field.replace('_', "-");
        is_it && shape(place) != Shape::Boolean
    })
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// A value that does not read as its type stays text, so that the schema reports it beside everything else.
fn value(shape: Shape, mut values: Vec<String>) -> Option<Value> {
    if shape == Shape::List {
        return match values.as_slice() {
            [] => None,
            [only] if only.trim_start().starts_with('[') => Some(json_or_text(only.clone())),
            _ => Some(values.into_iter().map(Value::String).collect()),
        };
    }
    let text = values.pop()?;
    Some(match shape {
        Shape::Text | Shape::List => Value::String(text),
        Shape::Boolean | Shape::Number | Shape::Json => json_or_text(text),
    })
}

fn json_or_text(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn shape(place: &Value) -> Shape {
    let types: Vec<&str> = match place.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let options: Vec<&Value> = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|keyword| place.get(keyword).and_then(Value::as_array))
        .flatten()
        .filter(|option| option.get("type").and_then(Value::as_str) != Some("null"))
        .collect();
    match types.iter().find(|name| **name != "null") {
        Some(&"boolean") => Shape::Boolean,
        Some(&"integer" | &"number") => Shape::Number,
        Some(&"array") => Shape::List,
        Some(&"object") => Shape::Json,
        Some(_) => Shape::Text,
        None => {
            let shapes: Vec<Shape> = options.iter().map(|option| shape(option)).collect();
            match shapes.first() {
                Some(first) if shapes.iter().all(|other| other == first) => *first,
                Some(_) => Shape::Json,
                None => Shape::Text,
            }
        }
    }
}

fn flag_violation(error: &clap::Error, schema: &Value) -> Violation {
    let text = |kind| {
        let value = error.get(kind)?;
        Some(if let clap::error::ContextValue::String(one) = value {
            one.clone()
        } else {
            value.to_string()
        })
    };
    let given = text(ContextKind::InvalidArg).unwrap_or_default();
    let name = given
        .trim_start_matches('-')
        .split([' ', '='])
        .next()
        .unwrap_or_default()
        .to_owned();
    let expected = text(ContextKind::SuggestedArg).or_else(|| {
        let known = fields(schema).map(|(field, _)| field.as_str());
        validation::nearest(&name, known).map(|near| format!("--{}", near.replace('_', "-")))
    });
    let message = error.kind().as_str().unwrap_or("the flags cannot be read");
    Violation::new(
        if name.is_empty() {
            String::new()
        } else {
            format!("/{}", name.replace('-', "_"))
        },
        "flag",
        if given.is_empty() {
            message.to_owned()
        } else {
            format!("{given}: {message}")
        },
    )
    .maybe_expecting(expected)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn values_keep_their_types_and_dashes() {
        let schema = json!({"properties": {
            "message": {"type": ["string", "null"]},
            "max_wall_s": {"type": "integer"},
            "dry_run": {"type": "boolean"},
            "job_ids": {"type": "array", "items": {"type": "string"}},
        }});
        let arguments = [
            "--message",
            "-rf $(x)",
            "--max-wall-s=9",
            "--dry-run",
            "--job-ids",
            "a",
            "--job_ids",
            "b",
        ];
        let parsed =
            parse("p", &schema, arguments.iter().map(Into::into).collect()).expect("good flags");
        assert_eq!(
            serde_json::Value::Object(parsed.fields),
            json!({"message": "-rf $(x)", "max_wall_s": 9, "dry_run": true, "job_ids": ["a", "b"]})
        );
        let wrong = parse("p", &schema, vec!["--mesage".into(), "x".into()]).expect_err("mistyped");
        let first = wrong.first().expect("a violation");
        assert_eq!(first.expected(), Some("--message"));
    }
}
