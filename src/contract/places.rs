//! Where a text stands in an answer, by the schema of the answer.
//!
//! A secret may be an ordinary word: `POSTGRES_PASSWORD=postgres`, beside a repository of that name. Masked wherever it
//! occurs, it would take states, ids and the names of fields out of answers that programs act on. So the schema decides:
//! what it fixes (a declared field, an `enum`, a `pattern`) is legwork's own word and stays; all else is free text.

use serde_json::{Map, Value};

use super::identifier;

/// Fields whose whole content is legwork's own documentation: schemas, examples and the contents of the reference.
const DOCUMENTS: &[&str] = &[
    "chapters",
    "primitives",
    "schema",
    "input_schema",
    "output_schema",
    "skeleton",
    "examples",
];

/// Fields that hold what was recorded of a step: the names in it are legwork's own, though no schema lists them.
const RECORDS: &[&str] = &["data"];

/// Fields that hold an id or a path that a caller goes on with, also where no pattern could hold it.
const HANDLES: &[&str] = &[
    "agent",
    "agents",
    "base",
    "branch",
    "chapter",
    "checkout",
    "cursor",
    "default_agent",
    "destination",
    "environment",
    "folder",
    "home",
    "host",
    "hosts",
    "issue",
    "job_id",
    "job_ids",
    "kind",
    "known",
    "language",
    "missing_step",
    "name",
    "next_cursor",
    "onto",
    "path",
    "primitive",
    "profile",
    "reference",
    "report",
    "repository",
    "results",
    "root",
    "seed",
    "url",
    "verification",
];

/// How deeply references and alternatives are followed at one place.
const MAX_DEPTH: usize = 16;

/// What a text is, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word that the schema fixes: of an `enum`, or of a `pattern` as names and ids have one.
    Own,
    /// A path or an id that a caller goes on with, of no fixed form.
    Handle,
    /// Text that may say anything.
    Free,
}

/// A place in a document: the parts of its schema that speak of it.
#[derive(Clone, Debug)]
pub(crate) struct Place<'s> {
    root: &'s Value,
    parts: Vec<&'s Map<String, Value>>,
    is_document: bool,
    is_record: bool,
    is_handle: bool,
}

impl<'s> Place<'s> {
    /// Returns the place of a whole document.
    pub(crate) fn root(schema: &'s Value) -> Self {
        Self::of(schema, [schema])
    }

    fn of(root: &'s Value, schemas: impl IntoIterator<Item = &'s Value>) -> Self {
        let mut parts = Vec::new();
        for schema in schemas {
            expand(root, schema, MAX_DEPTH, &mut parts);
        }
        Self {
            root,
            parts,
            is_document: false,
            is_record: false,
            is_handle: false,
        }
    }

    /// Returns the place of a field of the object here, where its name is one of legwork's own; `None` where anybody may have chosen it.
    pub(crate) fn declared_field(&self, name: &str) -> Option<Self> {
        if self.is_document || self.is_record {
            return Some(self.clone());
        }
        let declared: Vec<&Value> = self
            .parts
            .iter()
            .filter_map(|part| part.get("properties")?.get(name))
            .collect();
        if !declared.is_empty() {
            return Some(Self {
                is_document: DOCUMENTS.contains(&name),
                is_record: RECORDS.contains(&name),
                is_handle: HANDLES.contains(&name) || RECORDS.contains(&name),
                ..Self::of(self.root, declared)
            });
        }
        // Keys that a pattern holds are names, as those of hosts and repositories in the configuration.
        let named: Vec<&Value> = self
            .parts
            .iter()
            .filter_map(|part| part.get("patternProperties")?.as_object())
            .filter(|_| identifier::is_name(name))
            .flat_map(Map::values)
            .collect();
        (!named.is_empty()).then(|| Self::of(self.root, named))
    }

    /// Returns the place of a field whose name anybody may have chosen.
    pub(crate) fn other_field(&self) -> Self {
        let others: Vec<&Value> = self
            .parts
            .iter()
            .filter_map(|part| part.get("additionalProperties"))
            .collect();
        Self::of(self.root, others)
    }

    /// Returns the place of the items of the list here.
    pub(crate) fn items(&self) -> Self {
        let items: Vec<&Value> = self
            .parts
            .iter()
            .filter_map(|part| part.get("items"))
            .collect();
        Self {
            is_document: self.is_document,
            is_record: self.is_record,
            is_handle: self.is_handle,
            ..Self::of(self.root, items)
        }
    }

    /// Tells what a text here is.
    pub(crate) fn kind(&self, text: &str) -> Kind {
        let is_path =
            |part: &Map<String, Value>| part.get("format").is_some_and(|format| format == "path");
        let is_own = |part: &Map<String, Value>| {
            part.get("const").and_then(Value::as_str) == Some(text)
                || part
                    .get("enum")
                    .and_then(Value::as_array)
                    .is_some_and(|words| words.iter().any(|word| word == text))
                || part.contains_key("pattern")
        };
        if self.is_document || self.parts.iter().any(|part| is_own(part)) {
            Kind::Own
        } else if self.is_handle || self.parts.iter().any(|part| is_path(part)) {
            Kind::Handle
        } else {
            Kind::Free
        }
    }
}

/// Adds the parts of a schema: itself, what it refers to and its alternatives.
fn expand<'s>(
    root: &'s Value,
    schema: &'s Value,
    depth: usize,
    parts: &mut Vec<&'s Map<String, Value>>,
) {
    let Value::Object(part) = schema else { return };
    if depth == 0 {
        return;
    }
    parts.push(part);
    let referred = part
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    let alternatives = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|keyword| part.get(*keyword)?.as_array())
        .flatten();
    for schema in referred.into_iter().chain(alternatives) {
        expand(root, schema, depth - 1, parts);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::{JsonSchema, schema_for};
    use serde_json::Value;

    use super::{Kind, Place};
    use crate::contract::{Effect, Name};

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "its schema alone is looked at")]
    struct Output {
        effect: Option<Effect>,
        name: Name,
        title: String,
        folder: String,
        #[schemars(extend("format" = "path"))]
        left_in: String,
        variables: BTreeMap<String, String>,
        hosts: BTreeMap<Name, Option<Inner>>,
        skeleton: Value,
        data: Value,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "its schema alone is looked at")]
    struct Inner {
        names: Vec<Name>,
        words: Vec<String>,
    }

    #[test]
    fn the_schema_tells_own_words_from_free_text() {
        let schema = schema_for!(Output).to_value();
        let root = Place::root(&schema);
        let field = |place: &Place<'_>, name: &str| place.declared_field(name).is_some();
        let at = |name: &str| root.declared_field(name).unwrap();
        assert_eq!(at("effect").kind("applied"), Kind::Own);
        assert_eq!(at("effect").kind("postgres"), Kind::Free);
        assert_eq!(at("name").kind("postgres"), Kind::Own);
        assert_eq!(at("title").kind("postgres"), Kind::Free);
        assert_eq!(at("folder").kind("/home/postgres"), Kind::Handle);
        assert_eq!(at("left_in").kind("/home/postgres"), Kind::Handle);
        assert!(!field(&root, "postgres"));
        assert!(!field(&at("variables"), "postgres"));
        assert_eq!(at("variables").other_field().kind("x"), Kind::Free);
        let host = at("hosts").declared_field("postgres").unwrap();
        assert!(!field(&at("hosts"), "not a name"));
        let names = host.declared_field("names").unwrap().items();
        assert_eq!(names.kind("postgres"), Kind::Own);
        let words = host.declared_field("words").unwrap().items();
        assert_eq!(words.kind("postgres"), Kind::Free);
        let skeleton = at("skeleton").declared_field("anything").unwrap();
        assert_eq!(skeleton.items().kind("postgres"), Kind::Own);
        let recorded = at("data").declared_field("state").unwrap();
        assert_eq!(recorded.kind("postgres"), Kind::Handle);
    }
}
