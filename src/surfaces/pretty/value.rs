//! Values: one field a line, lists of objects as tables, texts as they are.

use serde_json::{Map, Value};

use super::{
    diff, table,
    writer::{Style, Writer},
};

/// More lines of one text than this are not shown.
const MOST_LINES: usize = 2000;

/// A list of words longer than this is shown one word a line.
const LONGEST_LIST: usize = 200;

/// Names wider than this do not push all values to the right.
const WIDEST_NAME: usize = 24;

/// What is deeper inside than this is shown as JSON.
const DEEPEST: usize = 12;

/// Writes the fields of an object, those that are null left out.
pub(super) fn object(writer: &mut Writer, indent: usize, fields: &Map<String, Value>) {
    let width = fields
        .iter()
        .filter(|(_, value)| !value.is_null() && word(value).is_some())
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(WIDEST_NAME);
    for (name, value) in fields {
        if !value.is_null() {
            field(writer, indent, name, width, value);
        }
    }
}

fn field(writer: &mut Writer, indent: usize, name: &str, width: usize, value: &Value) {
    if let Some(word) = word(value) {
        let padding = " ".repeat(width.saturating_sub(name.chars().count()) + 2);
        let style = style(name, &word);
        writer.line(
            indent,
            &[
                (Style::Faint, name),
                (Style::Plain, &padding),
                (style, &word),
            ],
        );
        return;
    }
    // What takes several lines stands apart where it is not inside of something.
    if indent == 0 {
        writer.gap();
    }
    match value {
        Value::Array(items) => {
            let heading = format!("{name} ({})", items.len());
            writer.line(indent, &[(Style::Heading, &heading)]);
            list(writer, indent + 2, items);
        }
        Value::Object(fields) => {
            writer.line(indent, &[(Style::Heading, name)]);
            if indent / 2 < DEEPEST {
                object(writer, indent + 2, fields);
            } else {
                writer.line(indent + 2, &[(Style::Plain, &value.to_string())]);
            }
        }
        Value::String(long) => {
            writer.line(indent, &[(Style::Heading, name)]);
            text(writer, indent + 2, long);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    if indent == 0 {
        writer.gap();
    }
}

/// Writes a list: a table where all of it are objects.
fn list(writer: &mut Writer, indent: usize, items: &[Value]) {
    let objects: Option<Vec<&Map<String, Value>>> = items.iter().map(Value::as_object).collect();
    if let Some(objects) = objects {
        table::table(writer, indent, &objects);
        return;
    }
    for item in items {
        match (item, word(item)) {
            (_, Some(word)) => writer.line(indent, &[(Style::Plain, &word)]),
            (Value::String(long), None) => text(writer, indent, long),
            (other, None) => writer.line(indent, &[(Style::Plain, &other.to_string())]),
        }
    }
}

/// Writes a text of several lines, a diff in its colours.
pub(super) fn text(writer: &mut Writer, indent: usize, text: &str) {
    let is_diff = diff::is_diff(text);
    for line in text.lines().take(MOST_LINES) {
        if is_diff {
            diff::line(writer, indent, line);
        } else {
            writer.line(indent, &[(Style::Plain, line)]);
        }
    }
    let more = text.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        let note = format!("… {more} more lines, which the JSON line has");
        writer.line(indent, &[(Style::Faint, &note)]);
    }
}

/// Writes a value in one line; nothing where that takes more.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            let text = text.trim_end_matches('\n');
            (!text.contains('\n')).then(|| text.to_owned())
        }
        Value::Array(items) => {
            let words: Vec<String> = items
                .iter()
                .map(|item| {
                    (!item.is_array() && !item.is_object())
                        .then(|| word(item))
                        .flatten()
                })
                .collect::<Option<_>>()?;
            let line = words.join(", ");
            match line.len() {
                0 => Some("none".to_owned()),
                long if long > LONGEST_LIST => None,
                _ => Some(line),
            }
        }
        Value::Object(fields) => fields.is_empty().then(|| "none".to_owned()),
    }
}

/// Says how a word is set off, by the few names that say how something went.
fn style(name: &str, word: &str) -> Style {
    match (name, word) {
        ("state" | "status" | "outcome" | "verdict" | "ready" | "complete" | "healthy", word) => {
            match word {
                "succeeded" | "fixed" | "pass" | "true" | "done" | "ran" | "ready" => Style::Good,
                "failed" | "fail" | "not_fixed" | "timed_out" | "lost" | "refused" => Style::Bad,
                "false" | "unknown" | "warn" | "cancelled" | "no_effect" | "not_reproduced" => {
                    Style::Doubtful
                }
                _ => Style::Plain,
            }
        }
        ("unreachable" | "stalled" | "missing", "true") => Style::Doubtful,
        _ => Style::Plain,
    }
}
