//! The input of a call: a file, an argument and flags put together.

use std::{ffi::OsString, io};

use serde_json::{Map, Value};

use super::flags::{self, Parsed};
use crate::{
    contract::{Code, Failure, MAX_INPUT_BYTES, Violation, details},
    registry::Entry,
    system::{Context, files},
};

/// What the arguments after a primitive's name come to.
#[derive(Debug)]
pub(super) struct Request {
    /// The input, or why there is none.
    pub(super) input: Result<Value, Failure>,
    /// Whether the answer is to be shown to people too.
    pub(super) pretty: bool,
}

/// Reads the arguments after the primitive's name, by the schema of its input.
pub(super) fn read(
    context: &Context,
    entry: &Entry,
    schema: &Value,
    arguments: Vec<OsString>,
) -> Request {
    // Where flags cannot be read, nobody can say of which one `--pretty` would have been the value.
    let named = arguments.iter().any(|word| word == "--pretty");
    match flags::parse(entry.about.name, schema, arguments) {
        Ok(parsed) => Request {
            pretty: parsed.pretty,
            input: put_together(context, entry, parsed),
        },
        Err(violations) => Request {
            pretty: named,
            input: Err(entry.about.refuse(violations)),
        },
    }
}

/// Puts the input together: flags win over `--json`, which wins over `--spec`.
fn put_together(context: &Context, entry: &Entry, parsed: Parsed) -> Result<Value, Failure> {
    let mut input = match &parsed.spec {
        Some(path) => spec(context, path)?,
        None => Map::new(),
    };
    if let Some(text) = parsed.json {
        match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => input.extend(fields),
            Ok(_) => return Err(entry.about.refuse(vec![not_an_object()])),
            Err(error) => {
                return Err(entry.about.refuse(vec![
                    Violation::new("", "json", format!("--json is not JSON: {error}"))
                        .expecting("object"),
                ]));
            }
        }
    }
    input.extend(parsed.fields);
    Ok(Value::Object(input))
}

fn not_an_object() -> Violation {
    Violation::new("", "type", "--json is not an object").expecting("object")
}

fn spec(context: &Context, path: &str) -> Result<Map<String, Value>, Failure> {
    let read = if path == "-" {
        files::read_stdin(MAX_INPUT_BYTES.into())
    } else {
        files::read(&context.environment().path(path), MAX_INPUT_BYTES.into())
    };
    let parsed = read.and_then(|bytes| {
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is JSON and not an object",
            )),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    });
    parsed.map_err(|error| {
        Failure::new(
            Code::SpecUnreadable,
            format!("cannot read the input from {path:?}: {error}"),
            "Give --spec a readable file that holds one JSON object in UTF-8, or - for standard input.",
        )
        .with_details(
            details::File::new(path, error.to_string())
            .into(),
        )
    })
}
