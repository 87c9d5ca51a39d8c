//! A call as it is typed in a shell.

use serde_json::{Map, Value};

use super::flags;
use crate::{
    contract::text::{escape, is_safe, json as escape_json},
    registry::Entry,
    system::quote::quote,
};

/// Writes a call that can be pasted into a shell: with flags where they say it all, else with `--json`.
///
/// It is one line that a terminal shows and never obeys, and reads back as the very same input.
pub(super) fn pasteable(name: &str, input: &Value) -> String {
    let name = escape(name);
    let words = Entry::find(&name).and_then(|entry| flagged(entry, input));
    match words {
        Some(words) if words.is_empty() => format!("legwork {name}"),
        Some(words) => format!("legwork {name} {}", words.join(" ")),
        None => format!(
            "legwork {name} --json {}",
            quote(&escape_json(input.to_string()))
        ),
    }
}

/// Leaves out what is so by default, for examples.
pub(super) fn without_defaults(entry: &Entry, input: &Value) -> Value {
    let schema = (entry.about.input_schema)();
    let default = |field: &str| &schema.as_value()["properties"][field]["default"];
    let fields = input.as_object().into_iter().flatten();
    fields
        .filter(|(field, value)| !value.is_null() && default(field) != *value)
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

/// Returns the flags that say the same, if the program reads them as the same.
fn flagged(entry: &Entry, input: &Value) -> Option<Vec<String>> {
    let mut shown = Vec::new();
    let mut arguments = Vec::new();
    for (field, value) in input.as_object()? {
        let flag = format!("--{}", field.replace('_', "-"));
        let texts = match value {
            Value::Bool(true) => {
                shown.push(flag.clone());
                arguments.push(flag.into());
                continue;
            }
            Value::Bool(false) => {
                let word = format!("{flag}=false");
                shown.push(word.clone());
                arguments.push(word.into());
                continue;
            }
            Value::Number(number) => vec![number.to_string()],
            Value::String(text) => vec![text.clone()],
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<String>>>()?,
            Value::Null | Value::Object(_) => return None,
        };
        for text in texts {
            shown.push(flag.clone());
            shown.push(word(&text)?);
            arguments.push(flag.clone().into());
            arguments.push(text.into());
        }
    }
    let schema = (entry.about.input_schema)();
    let read = flags::parse(entry.about.name, schema.as_value(), arguments).ok()?;
    (Value::Object(read.fields) == *input).then_some(shown)
}

/// Writes a text as one word of a shell, if it can be shown as it is.
fn word(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if text.chars().all(plain) && !text.is_empty() {
        return Some(text.to_owned());
    }
    text.chars().all(is_safe).then(|| quote(text))
}

#[cfg(test)]
mod tests {
    use super::{pasteable, without_defaults};
    use crate::registry::{ALL, Entry};
    use serde_json::json;

    #[test]
    fn flags_where_they_say_it_all() {
        for (name, input, line) in [
            ("list-jobs", json!({}), "legwork list-jobs"),
            (
                "poll-job",
                json!({"job_ids": ["a", "b"], "wait_s": 5}),
                "legwork poll-job --job-ids a --job-ids b --wait-s 5",
            ),
            (
                "launch-investigation",
                json!({"repository": "w", "message": "it's $HOME", "dry_run": true}),
                r"legwork launch-investigation --repository w --message 'it'\''s $HOME' --dry-run",
            ),
            (
                "poll-job",
                json!({"job_ids": ["[1]"]}),
                r#"legwork poll-job --json '{"job_ids":["[1]"]}'"#,
            ),
            (
                "fetch-issue",
                json!({"issue": "a\u{1b}[2J\n\u{202e}\u{9b}\u{e0001}"}),
                r#"legwork fetch-issue --json '{"issue":"a\u001b[2J\n\u202e\u009b\udb40\udc01"}'"#,
            ),
            (
                "nobody",
                json!({"x": null}),
                r#"legwork nobody --json '{"x":null}'"#,
            ),
        ] {
            assert_eq!(pasteable(name, &input), line);
        }
    }

    #[test]
    fn examples_are_told_without_what_is_so_by_default() {
        let entry = Entry::find("wait-job").expect("a primitive");
        let input = json!({"job_id": "a", "wait_s": 600, "require": "fixed", "timeout_s": 61});
        assert_eq!(
            without_defaults(entry, &input),
            json!({"job_id": "a", "require": "fixed", "timeout_s": 61})
        );
        for entry in ALL {
            for example in (entry.about.examples)() {
                assert!(
                    entry
                        .about
                        .violations(without_defaults(entry, &example))
                        .is_empty()
                );
            }
        }
    }
}
