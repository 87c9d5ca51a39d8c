//! The schemas as they are published: in `schemas/`, and by the program itself.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Code, Description, Effects, Envelope, Failure, Kind, Retry, VERSION,
    configuration::Configuration, details, validation,
};

/// A document that is published: a schema, or the index of all of them.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its name, which is its path below `schemas/` without `.json`: `envelope`, `poll-job.input`, `error-details/disk_full`.
    pub name: String,
    /// Its title, which is how generators of types name the type they make from it.
    pub title: String,
    subject: Subject,
}

/// What a published document is about.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Index,
    IndexSchema,
    Envelope,
    Configuration,
    Input(&'static Description),
    Output(&'static Description),
    Details(Code),
}

/// All published schemas, with what a program must know to choose among them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    /// The contract version.
    pub v: u32,
    /// The schema of the one line that answers every call; paths are relative to the index.
    pub envelope: String,
    /// The schema of the configuration file.
    pub configuration: String,
    /// The primitives by name.
    pub primitives: BTreeMap<String, IndexedPrimitive>,
    /// The failure codes by name.
    pub codes: BTreeMap<String, IndexedCode>,
}

/// A primitive in the index.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct IndexedPrimitive {
    /// The chapter of the reference it stands in.
    pub chapter: String,
    /// One line on it.
    pub summary: String,
    /// What a call may change.
    pub effects: Effects,
    /// The schema of its input.
    pub input: String,
    /// The schema of its output.
    pub output: String,
    /// The codes it may fail with, besides the universal ones.
    pub codes: Vec<Code>,
}

/// A failure code in the index.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct IndexedCode {
    /// Its closed class.
    pub kind: Kind,
    /// The exit code of a call that fails with it; of one ended by a signal, that of SIGINT.
    pub exit_code: u8,
    /// When to try again, unless the failure itself says otherwise.
    pub retry: Retry,
    /// Whether any call may fail with it.
    pub universal: bool,
    /// The schema of its details.
    pub details: String,
}

impl Publication {
    /// Lists all of them; nothing is made yet.
    pub fn all(known: &[&'static Description]) -> Vec<Self> {
        let mut all = vec![
            Self::of("index", Subject::Index),
            Self::of("index.schema", Subject::IndexSchema),
            Self::of("envelope", Subject::Envelope),
            Self::of("configuration", Subject::Configuration),
        ];
        for about in known.iter().copied() {
            let name = about.name;
            all.push(Self::of(&format!("{name}.input"), Subject::Input(about)));
            all.push(Self::of(&format!("{name}.output"), Subject::Output(about)));
        }
        for code in Code::ALL {
            let name = format!("error-details/{}", code.name());
            all.push(Self::of(&name, Subject::Details(*code)));
        }
        all
    }

    /// Finds one by name.
    pub fn find(name: &str, known: &[&'static Description]) -> Result<Self, Failure> {
        let mut all = Self::all(known);
        if let Some(index) = all.iter().position(|one| one.name == name) {
            return Ok(all.swap_remove(index));
        }
        let names = || all.iter().map(|one| one.name.as_str());
        let near = validation::nearest(name, names());
        let remediation = near.as_ref().map_or_else(
            || "Call show-schema without a name for the list.".to_owned(),
            |near| format!("Did you mean {near}?"),
        );
        let failure = Failure::new(
            Code::SchemaUnknown,
            format!("there is no schema {name:?}"),
            remediation,
        );
        let unknown = details::Unknown::new("schema", name).nearest(near);
        Err(failure.with_details(unknown.known(names()).into()))
    }

    fn of(name: &str, subject: Subject) -> Self {
        Self {
            name: name.to_owned(),
            title: title(name),
            subject,
        }
    }

    /// Makes the document.
    pub fn document(&self, known: &[&'static Description]) -> Value {
        let schema = match self.subject {
            Subject::Index => {
                return serde_json::to_value(Index::of(known)).unwrap_or_default();
            }
            Subject::IndexSchema => schema_for!(Index),
            Subject::Envelope => schema_for!(Envelope),
            Subject::Configuration => schema_for!(Configuration),
            Subject::Input(about) => (about.input_schema)(),
            Subject::Output(about) => (about.output_schema)(),
            Subject::Details(code) => code.shape().schema(),
        };
        self.published(schema)
    }

    /// Puts the name and the title in front of a schema.
    fn published(&self, schema: Schema) -> Value {
        let mut fields = Map::new();
        let id = format!("urn:legwork:v{VERSION}:{}", self.name);
        for (keyword, value) in [
            ("$schema", "https://json-schema.org/draft/2020-12/schema"),
            ("$id", id.as_str()),
            ("title", self.title.as_str()),
        ] {
            fields.insert(keyword.to_owned(), json!(value));
        }
        if let Value::Object(rest) = schema.to_value() {
            fields.extend(
                rest.into_iter()
                    .filter(|(keyword, _)| !matches!(keyword.as_str(), "$schema" | "title")),
            );
        }
        for (name, place) in fields
            .get_mut("$defs")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            name_variants(name, place);
        }
        let mut schema = Value::Object(fields);
        strip_formats(&mut schema);
        part_references(&mut schema);
        schema
    }
}

impl Index {
    fn of(known: &[&'static Description]) -> Self {
        let primitives = known.iter().map(|about| {
            let name = about.name;
            let entry = IndexedPrimitive {
                chapter: about.chapter.name.to_owned(),
                summary: about.summary.to_owned(),
                effects: about.effects,
                input: format!("{name}.input.json"),
                output: format!("{name}.output.json"),
                codes: (about.codes)(),
            };
            (name.to_owned(), entry)
        });
        let codes = Code::ALL.iter().map(|code| {
            let name = code.name();
            let entry = IndexedCode {
                kind: code.kind(),
                exit_code: code.kind().exit_code(None),
                retry: code.retry(),
                universal: code.is_universal(),
                details: format!("error-details/{name}.json"),
            };
            (name.to_owned(), entry)
        });
        Self {
            v: VERSION,
            envelope: "envelope.json".to_owned(),
            configuration: "configuration.json".to_owned(),
            primitives: primitives.collect(),
            codes: codes.collect(),
        }
    }
}

/// Makes the name of a type from the name of a schema: `PollJobInput`, `DiskFullDetails`.
fn title(name: &str) -> String {
    let name = name.trim_end_matches(".schema");
    name.strip_prefix("error-details/").map_or_else(
        || in_capitals(name),
        |code| format!("{}Details", in_capitals(code)),
    )
}

/// Joins words, each with a capital.
fn in_capitals(words: &str) -> String {
    words
        .split(['-', '_', '.'])
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// Gives each variant of a type with a tag a title, so that generators need not number them.
fn name_variants(name: &str, place: &mut Value) {
    let options = place.get_mut("oneOf").and_then(Value::as_array_mut);
    for option in options.into_iter().flatten() {
        let tag = option["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .find_map(|(_, field)| field["const"].as_str().map(in_capitals));
        if let (Some(tag), Some(keywords)) = (tag, option.as_object_mut()) {
            keywords.insert("title".to_owned(), json!(format!("{name}{tag}")));
        }
    }
}

/// Sets a reference apart from the keywords beside it: some generators make a second type of the two together.
fn part_references(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(part_references);
            if fields.len() > 1
                && let Some(reference) = fields.remove("$ref")
            {
                fields.insert("allOf".to_owned(), json!([{"$ref": reference}]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(part_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What `format` may say by draft 2020-12.
const FORMATS: &[&str] = &[
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uuid",
    "regex",
];

/// Takes out formats that are our own, such as how wide a number is or that a text is a path: strict readers refuse
/// them, and some take a path for one on their own machine.
pub fn strip_formats(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let format = fields.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| !FORMATS.contains(&format)) {
                fields.remove("format");
            }
            fields.values_mut().for_each(strip_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_formats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Bounds integers by how wide they are, and lists the fields of a schema without any: a number that is too large is a
/// violation that names its field, and strict readers want `properties`.
pub fn bound_integers(schema: &mut Schema) {
    if schema.get("type").is_some_and(|kind| kind == "object") && schema.get("properties").is_none()
    {
        schema.insert("properties".to_owned(), json!({}));
    }
    if let Some(fields) = schema.as_object_mut() {
        for place in fields.values_mut() {
            bound(place);
        }
    }
}

fn bound(place: &mut Value) {
    match place {
        Value::Object(fields) => {
            let maximum = match fields.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u64::from(u8::MAX)),
                Some("uint16") => Some(u64::from(u16::MAX)),
                Some("uint32") => Some(u64::from(u32::MAX)),
                // The largest integer that every reader of JSON can hold (RFC 7493).
                Some("uint64" | "uint" | "int64" | "int") => Some((1 << 53) - 1),
                _ => None,
            };
            if let Some(maximum) = maximum {
                fields.entry("maximum").or_insert_with(|| maximum.into());
            }
            fields.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn titles_are_names_of_types() {
        for (name, expected) in [
            ("envelope", "Envelope"),
            ("index.schema", "Index"),
            ("poll-job.input", "PollJobInput"),
            ("error-details/disk_full", "DiskFullDetails"),
        ] {
            assert_eq!(title(name), expected);
        }
    }
}
