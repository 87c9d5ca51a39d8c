//! Primitives described as tools.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::tool_filter::ToolFilter;
use crate::{
    contract::{
        Description, Effects, Failure, Refusal, Success, by_chapter, publication::strip_formats,
    },
    registry::Entry,
};

/// Lists the chapters of what can be called here, with one line on each; with `chapter`, the primitives of that one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListInput {
    /// The chapter whose primitives to list.
    #[serde(default)]
    chapter: Option<String>,
}

/// What can be called here.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listing {
    /// The chapters; where one was asked for, that one alone.
    chapters: Vec<ListedChapter>,
}

/// A chapter of what can be called here.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ListedChapter {
    /// Its name.
    name: String,
    /// One line on it.
    about: String,
    /// How many of its primitives can be called here.
    count: usize,
    /// Those primitives; only where the chapter was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    primitives: Option<Vec<Listed>>,
}

/// A primitive that can be called here.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listed {
    /// Its name.
    name: String,
    /// One line on it.
    summary: String,
    /// Whether it changes nothing.
    read_only: bool,
}

/// Calls a primitive. The tool `list` names them by chapter; `describe` says what each takes and returns.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallInput {
    /// The primitive's name.
    pub(super) primitive: String,
    /// Its input.
    #[serde(default)]
    pub(super) input: Map<String, Value>,
}

/// Describes a primitive as a tool.
pub(super) fn of(entry: &Entry, frame: &Frame) -> Tool {
    let about = &entry.about;
    let mut input = (about.input_schema)().to_value();
    strip_formats(&mut input);
    let documentation = about.documentation(&input).to_owned();
    let mut input = object(input);
    // What stands there is the description of the tool.
    input.remove("description");
    Tool::new(about.name, documentation, Arc::new(input))
        .with_title(about.summary)
        .with_raw_output_schema(Arc::new(frame.around((about.output_schema)().to_value())))
        .with_annotations(annotations(about.effects))
}

/// Describes the tool that lists what there is.
pub(super) fn list(frame: &Frame) -> Tool {
    let schema = schema_for!(ListInput).to_value();
    Tool::new("list", comment(&schema), Arc::new(object(schema)))
        .with_title("List the primitives")
        .with_raw_output_schema(Arc::new(frame.around(schema_for!(Listing).to_value())))
        .with_annotations(annotations(Effects::READS))
}

/// Describes the tool that calls any primitive that is shown.
pub(super) fn call(filter: &ToolFilter, frame: &Frame) -> Tool {
    let schema = schema_for!(CallInput).to_value();
    Tool::new("call", comment(&schema), Arc::new(object(schema)))
        .with_title("Call a primitive")
        .with_raw_output_schema(Arc::new(frame.around(json!({}))))
        .with_annotations(annotations(filter.effects()))
}

/// Lists what can be called here, by chapter.
pub(super) fn listing(filter: &ToolFilter, input: &ListInput) -> Result<Listing, Failure> {
    let shown = filter.shown().map(|entry| &entry.about);
    let chapters = by_chapter(shown, input.chapter.as_deref())?;
    let listed = |about: &&Description| Listed {
        name: about.name.to_owned(),
        summary: about.summary.to_owned(),
        read_only: about.effects.read_only,
    };
    let chapters = chapters.iter().map(|(chapter, own)| ListedChapter {
        name: chapter.name.to_owned(),
        about: chapter.about.to_owned(),
        count: own.len(),
        primitives: input
            .chapter
            .is_some()
            .then(|| own.iter().map(listed).collect()),
    });
    Ok(Listing {
        chapters: chapters.collect(),
    })
}

fn comment(schema: &Value) -> String {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// All four are set, because what a client assumes of the ones left out differs from one to the next.
fn annotations(effects: Effects) -> ToolAnnotations {
    ToolAnnotations::new()
        .read_only(effects.read_only)
        .destructive(effects.destructive)
        .idempotent(effects.idempotent)
        .open_world(effects.open_world)
}

fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// The schema of an envelope without that of its data: what the output schemas of all tools have in common.
///
/// It is an object, as the protocol wants it, that is a success or a refusal.
pub(super) struct Frame {
    definitions: Map<String, Value>,
    properties: Map<String, Value>,
    cases: Vec<Value>,
}

impl Frame {
    /// Makes it.
    pub(super) fn new() -> Self {
        let mut definitions = Map::new();
        let mut properties = Map::new();
        let mut cases = Vec::new();
        for case in [
            schema_for!(Success).to_value(),
            schema_for!(Refusal).to_value(),
        ] {
            let mut case = object(case);
            let fields = case.remove("properties").map(object).unwrap_or_default();
            let ok = fields.get("ok").and_then(|ok| ok.get("const")).cloned();
            cases.push(json!({
                "properties": {"ok": {"const": ok}},
                "required": case.remove("required"),
            }));
            definitions.extend(case.remove("$defs").map(object).unwrap_or_default());
            properties.extend(fields);
        }
        properties.insert("ok".to_owned(), json!({"type": "boolean"}));
        definitions.remove("Code");
        properties.insert("error_code".to_owned(), any_code());
        for part in definitions.values_mut().chain(properties.values_mut()) {
            strip_comments(part);
            strip_formats(part);
        }
        Self {
            definitions,
            properties,
            cases,
        }
    }

    /// Makes the schema of an envelope whose data fits a schema.
    fn around(&self, mut data: Value) -> JsonObject {
        strip_formats(&mut data);
        move_references(&mut data);
        let mut data = object(data);
        let mut definitions = self.definitions.clone();
        let inner = data.remove("$defs").map(object).unwrap_or_default();
        definitions.extend(inner.into_iter().map(|(name, schema)| {
            let schema = if name == "Code" { any_code() } else { schema };
            (format!("data.{name}"), schema)
        }));
        data.remove("$schema");
        let mut properties = self.properties.clone();
        properties.insert("data".to_owned(), Value::Object(data));
        object(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "anyOf": self.cases,
            "$defs": definitions,
        }))
    }
}

/// The list of codes is long, and open anyway.
fn any_code() -> Value {
    json!({"type": "string"})
}

/// The comments of the envelope need not be repeated with every tool.
fn strip_comments(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("description").is_some_and(Value::is_string) {
                fields.remove("description");
            }
            fields.values_mut().for_each(strip_comments);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_comments),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Lets references point to definitions under names that do not meet those of the envelope.
fn move_references(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/$defs/data.{name}");
            }
            fields.values_mut().for_each(move_references);
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
