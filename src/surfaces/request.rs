//! The input of a call: a file, an argument and flags put together.

use std::{ffi::OsString, fmt::Display, time::Duration};

use serde_json::{Map, Value};

use super::flags::{self, Parsed};
use crate::{
    contract::{Code, Failure, MAX_INPUT_BYTES, Violation, details},
    registry::Entry,
    system::{Context, input},
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
    // Where the flags cannot be parsed, `--pretty` counts even if it may have been the value of another flag.
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
        Some(path) => spec(context, path, timeout(&parsed.fields))?,
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

/// How long an input that comes through a pipe may take, where no `--timeout-s` says.
const INPUT_LIMIT: Duration = Duration::from_secs(60);

/// Returns the time that a flag allows for the call, which is also all that its input may take.
fn timeout(fields: &Map<String, Value>) -> Option<Duration> {
    let seconds = fields.get("timeout_s")?.as_u64()?;
    Some(Duration::from_secs(seconds))
}

fn spec(
    context: &Context,
    path: &str,
    limit: Option<Duration>,
) -> Result<Map<String, Value>, Failure> {
    let read = if path == "-" {
        input::read_stdin(MAX_INPUT_BYTES.into(), limit)
    } else {
        let path = context.environment().path(path);
        input::read_file(&path, MAX_INPUT_BYTES.into(), limit.unwrap_or(INPUT_LIMIT))
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(input::Error::Unreadable(error)) => return Err(unreadable(path, &error)),
        Err(input::Error::TooSlow(limit)) => {
            let failure = Failure::new(
                Code::DeadlineExceeded,
                format!(
                    "the input from {path:?} did not come to its end within {} s",
                    limit.as_secs()
                ),
                "Give --spec what comes to an end, or allow more time by --timeout-s.",
            );
            let allowed_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            let waited = details::Wait::new(allowed_ms, "the end of the input");
            return Err(failure.with_details(waited.into()));
        }
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(path, &error))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(unreadable(path, &"it is JSON and not an object")),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &str, reason: &dyn Display) -> Failure {
    Failure::new(
        Code::SpecUnreadable,
        format!("cannot read the input from {path:?}: {reason}"),
        "Give --spec a readable file that holds one JSON object in UTF-8, or - for standard input.",
    )
    .with_details(details::File::new(path, reason.to_string()).into())
}
