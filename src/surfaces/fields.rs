//! The fields of an input, in words for people; read off its schema, like its flags.

use clap::ValueHint;
use serde_json::Value;

use super::generate::{Side, kind};

/// A field of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its schema.
    place: &'a Value,
    /// Whether an input without it is refused.
    pub(super) required: bool,
}

/// Lists the fields of an input, in the order of its schema.
pub(super) fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required = |name: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|other| other == name))
    };
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, place)| Field {
            name,
            place,
            required: required(name),
        })
        .collect()
}

impl Field<'_> {
    /// Returns what its comment says, each paragraph in one line.
    pub(super) fn about(&self) -> String {
        flowing(self.place["description"].as_str().unwrap_or_default())
    }

    /// Returns the first paragraph of its comment, and what it is where it is left out.
    pub(super) fn summary(&self) -> String {
        let about = self.about();
        let first = about.split("\n\n").next().unwrap_or_default();
        match self.place.get("default") {
            None | Some(Value::Null) => first.to_owned(),
            Some(default) => format!("{first} [default: {default}]"),
        }
    }

    /// Says which values fit, in which unit, and what it is where it is left out.
    pub(super) fn values(&self) -> String {
        let kind = kind(self.place, Side::Producer).replace(['`', '"'], "");
        let unit = self
            .unit()
            .map_or_else(String::new, |unit| format!(" ({unit})"));
        let default = match self.place.get("default") {
            _ if self.required => "; required".to_owned(),
            None | Some(Value::Null) => String::new(),
            Some(Value::Array(items)) if items.is_empty() => "; none by default".to_owned(),
            Some(default) => format!("; by default {}", default.to_string().replace('"', "")),
        };
        format!("{kind}{unit}{default}")
    }

    /// Names of fields end with the unit they are in.
    fn unit(&self) -> Option<&'static str> {
        match self.name.rsplit('_').next()? {
            _ if !self.name.contains('_') => None,
            "s" => Some("seconds"),
            "ms" => Some("milliseconds"),
            "bytes" => Some("bytes"),
            "usd" => Some("US dollars"),
            _ => None,
        }
    }

    /// Returns whether it is true or false.
    pub(super) fn is_boolean(&self) -> bool {
        let named = &self.place["type"];
        named == "boolean"
            || named
                .as_array()
                .is_some_and(|many| many.iter().any(|one| one == "boolean"))
    }

    /// Lists the only texts that fit, each with what it means; none where others fit too.
    pub(super) fn choices(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        gather(self.place, "", &mut found);
        if found.is_empty() {
            gather(&self.place["items"], "", &mut found);
        }
        found
    }

    /// Says whether it names a file or folder of this machine, as the `format` of its schema tells, or a host.
    pub(super) fn hint(&self) -> ValueHint {
        match self.place["format"].as_str() {
            Some("file-path") => ValueHint::FilePath,
            Some("directory-path") => ValueHint::DirPath,
            Some("path") => ValueHint::AnyPath,
            _ if self.name == "host" => ValueHint::Hostname,
            _ => ValueHint::Other,
        }
    }
}

fn gather(place: &Value, about: &str, found: &mut Vec<(String, String)>) {
    let about = place["description"].as_str().unwrap_or(about);
    let meaning = || flowing(about);
    if let Some(only) = place["const"].as_str() {
        found.push((only.to_owned(), meaning()));
    }
    for value in place["enum"].as_array().into_iter().flatten() {
        found.extend(
            value
                .as_str()
                .map(|value| (value.to_owned(), String::new())),
        );
    }
    for keyword in ["oneOf", "anyOf"] {
        for option in place[keyword].as_array().into_iter().flatten() {
            gather(option, "", found);
        }
    }
}

/// Puts each paragraph of a comment in one line; clap and roff break lines themselves.
pub(super) fn flowing(text: &str) -> String {
    let mut flowing = String::with_capacity(text.len());
    for line in text.lines() {
        let begins = line.is_empty() || line.starts_with(['-', '|', '#', ' ']);
        let open = !flowing.is_empty() && !flowing.ends_with('\n');
        if begins && open {
            flowing.push('\n');
        } else if open {
            flowing.push(' ');
        }
        flowing.push_str(line);
        if line.is_empty() {
            flowing.push('\n');
        }
    }
    flowing
}

#[cfg(test)]
mod tests {
    use super::{fields, flowing};
    use serde_json::json;

    #[test]
    fn paragraphs_flow_and_lists_stand() {
        assert_eq!(
            flowing("One\ntwo.\n\nThree\n- a\n- b"),
            "One two.\n\nThree\n- a\n- b"
        );
    }

    #[test]
    fn a_field_says_what_fits() {
        let schema = json!({
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "wait_s": {"type": "integer", "minimum": 0, "maximum": 9, "default": 5},
                "which": {"anyOf": [{"oneOf": [{"const": "a", "description": "The\nfirst."}, {"const": "b"}]}, {"type": "null"}], "default": null},
                "states": {"type": "array", "items": {"type": "string", "enum": ["on", "off"]}, "default": []},
            }
        });
        let shown: Vec<String> = fields(&schema).iter().map(super::Field::values).collect();
        assert_eq!(
            shown,
            [
                "string; required",
                "integer, 0 to 9 (seconds); by default 5",
                "a or b",
                "array of on or off; none by default",
            ]
        );
        let choices: Vec<Vec<(String, String)>> =
            fields(&schema).iter().map(super::Field::choices).collect();
        assert_eq!(choices[2][0], ("a".to_owned(), "The first.".to_owned()));
        assert_eq!(choices[3][1].0, "off");
        assert!(choices[0].is_empty());
    }
}
