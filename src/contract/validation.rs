//! Inputs against schemas: every violation at once, with the nearest known name.
//!
//! The `jsonschema` crate decides what fits. Three things are added by hand. The pattern of names is checked without a
//! regular expression, since compiling one costs more than all the rest of a check (as an override of the keyword
//! `pattern`, so that the schema stays the published one). NUL is refused in every text, because no program takes an
//! argument with one. And the answer to an input that is wrong in millions of places is small: only
//! [`MAX_VIOLATIONS`](super::violation::MAX_VIOLATIONS) are worded, and only the beginning of a huge list or object is
//! searched for them.

use std::collections::HashSet;

use jsonschema::{
    Draft, Keyword, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value};

use super::{Violation, Violations, identifier};

/// A list or an object with more entries than this is searched for violations at its beginning only.
const CROWD: usize = 1000;

/// Checks a value against a JSON Schema and returns every violation.
///
/// A schema that does not compile is reported as one violation of the whole; a test keeps that from happening.
pub fn violations(schema: &Value, instance: &Value) -> Violations {
    Checker::new(schema.clone()).violations(instance)
}

/// A compiled schema, to check many values against.
#[derive(Debug)]
pub struct Checker {
    schema: Value,
    validator: Result<Validator, Violation>,
}

impl Checker {
    /// Compiles a schema.
    pub fn new(schema: Value) -> Self {
        Self {
            validator: compile(&schema),
            schema,
        }
    }

    /// Returns every violation, as [`violations`] does.
    pub fn violations(&self, instance: &Value) -> Violations {
        let validator = match &self.validator {
            Ok(validator) => validator,
            Err(broken) => return broken.clone().into(),
        };
        let mut found = Violations::default();
        if validator.is_valid(instance) {
            return found;
        }
        if is_crowded(instance) {
            let fewer = thinned(&self.schema, &[&self.schema], instance, &mut found);
            self.gather(validator.iter_errors(&fewer), &fewer, &mut found);
        } else {
            self.gather(validator.iter_errors(instance), instance, &mut found);
        }
        // What is wrong may stand beyond the part that was searched.
        if found.is_empty() {
            self.gather(validator.validate(instance).err(), instance, &mut found);
        }
        found
    }

    /// Adds what the validator found wrong.
    fn gather<'i>(
        &self,
        errors: impl IntoIterator<Item = ValidationError<'i>>,
        instance: &Value,
        found: &mut Violations,
    ) {
        let mut closed = HashSet::new();
        for error in errors {
            let pointer = error.instance_path().to_string();
            // A schema without any field is reported as one that nothing fits, once for each field.
            if matches!(error.kind(), ValidationErrorKind::FalseSchema) {
                if closed.insert(pointer.clone()) {
                    let fields = instance.pointer(&pointer).and_then(Value::as_object);
                    let names = fields.into_iter().flat_map(Map::keys);
                    self.note_strays(instance, &pointer, names, found);
                }
            } else if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
                self.note_strays(instance, &pointer, unexpected, found);
            } else {
                found.push_with(|| {
                    // The value itself stays out: it may be long, hostile or a secret.
                    let message = error.masked_with("the value").to_string();
                    Violation::new(pointer, error.kind().keyword(), message)
                        .maybe_expecting(expected(&self.schema, &error))
                });
            }
        }
    }

    /// Adds a violation for each field that is not known at a pointer.
    fn note_strays<'n>(
        &self,
        instance: &Value,
        pointer: &str,
        names: impl IntoIterator<Item = &'n String>,
        found: &mut Violations,
    ) {
        let known = known_fields(&self.schema, instance, pointer);
        for name in names {
            found.push_with(|| stray(pointer, name, &known));
        }
    }
}

fn compile(schema: &Value) -> Result<Validator, Violation> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_keyword("pattern", |_parent, pattern, _place| pattern_check(pattern))
        .build(schema)
        .map_err(|error| Violation::new("", "schema", error.to_string()))
}

/// Makes the check of a `pattern`: that of names by hand, any other by a regular expression.
fn pattern_check<'a>(
    pattern: &'a Value,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    if pattern == identifier::PATTERN {
        return Ok(Box::new(OfNames));
    }
    let schema = Value::Object(Map::from_iter([("pattern".to_owned(), pattern.clone())]));
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .build(&schema)
        .map(|regex| {
            let check: Box<dyn for<'i> Keyword<'i>> = Box::new(ByRegex {
                pattern: pattern.as_str().unwrap_or_default().to_owned(),
                regex,
            });
            check
        })
        .map_err(|error| ValidationError::custom(error.to_string()))
}

/// The pattern of names.
struct OfNames;

impl<'i> Keyword<'i> for OfNames {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if Keyword::is_valid(self, instance) {
            Ok(())
        } else {
            Err(ValidationError::custom(format!(
                "the text is no name: {}",
                identifier::RULE
            )))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        instance.as_str().is_none_or(identifier::is_name)
    }
}

/// Any other pattern.
struct ByRegex {
    pattern: String,
    regex: Validator,
}

impl<'i> Keyword<'i> for ByRegex {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if Keyword::is_valid(self, instance) {
            Ok(())
        } else {
            Err(ValidationError::custom(format!(
                "the text does not match {}",
                self.pattern
            )))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.regex.is_valid(instance)
    }
}

fn is_crowded(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.len() > CROWD || items.iter().any(is_crowded),
        Value::Object(fields) => fields.len() > CROWD || fields.values().any(is_crowded),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Copies a value with the beginning of each crowd in it alone; fields that the schema knows stay.
///
/// Counts the fields that are left out where the schema takes no unknown ones.
fn thinned(root: &Value, places: &[&Value], value: &Value, found: &mut Violations) -> Value {
    match value {
        Value::Array(items) => {
            let below = places_below(root, places, None);
            items
                .iter()
                .take(CROWD)
                .map(|item| thinned(root, &below, item, found))
                .collect()
        }
        Value::Object(fields) => {
            let known: HashSet<&str> = properties(root, places).collect();
            let closed = places
                .iter()
                .flat_map(|place| variants(root, place))
                .any(|place| place.get("additionalProperties") == Some(&Value::Bool(false)));
            let mut left = CROWD;
            let mut kept = Map::new();
            for (name, field) in fields {
                let is_known = known.contains(name.as_str());
                if is_known || left > 0 {
                    left = left.saturating_sub(usize::from(!is_known));
                    let below = places_below(root, places, Some(name));
                    kept.insert(name.clone(), thinned(root, &below, field, found));
                } else if closed {
                    found.omit(1);
                }
            }
            Value::Object(kept)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Adds a violation for each text of an input that holds a NUL, certain fields aside.
pub fn find_nul(input: &Value, except: &[&str], found: &mut Violations) {
    for (name, field) in input.as_object().into_iter().flatten() {
        // Hardly any input holds one, so places are written down only where one does.
        if !except.contains(&name.as_str()) && holds_nul(field) {
            seek_nul(field, &mut format!("/{}", escape(name)), found);
        }
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.values().any(holds_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn seek_nul(value: &Value, pointer: &mut String, found: &mut Violations) {
    let mut below = |name: &str, value: &Value, found: &mut Violations| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(name);
        seek_nul(value, pointer, found);
        pointer.truncate(length);
    };
    match value {
        Value::String(text) if text.contains('\0') => found.push_with(|| {
            Violation::new(&*pointer, "nul", "the text holds a NUL character")
                .expecting("text without NUL")
        }),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(&index.to_string(), item, found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                below(&escape(name), field, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn stray(pointer: &str, name: &str, known: &[String]) -> Violation {
    let shown: String = name.chars().take(80).collect();
    Violation::new(
        format!("{pointer}/{}", escape(name)),
        "additionalProperties",
        format!("there is no field {shown:?} here"),
    )
    .maybe_expecting(nearest(name, known.iter().map(String::as_str)))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's list of keywords grows, and most of them expect nothing that can be named"
)]
fn expected(schema: &Value, error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        ValidationErrorKind::Type { kind } => Some(type_names(kind)),
        ValidationErrorKind::Enum { options } => Some(options.to_string()),
        ValidationErrorKind::Required { property } => property.as_str().map(str::to_owned),
        ValidationErrorKind::Minimum { limit } | ValidationErrorKind::Maximum { limit } => {
            Some(limit.to_string())
        }
        // Of the keywords that are checked here, the schema says what they expect.
        ValidationErrorKind::Custom { .. } => schema
            .pointer(&error.schema_path().to_string())
            .and_then(Value::as_str)
            .map(str::to_owned),
        _ => None,
    }
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(many) => {
            let names: Vec<String> = many.iter().map(|one| one.to_string()).collect();
            names.join(" or ")
        }
    }
}

/// Writes a name as a part of a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Takes a JSON pointer apart into names.
pub(crate) fn parts(pointer: &str) -> Vec<String> {
    let parts = pointer.split('/').skip(1);
    parts
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Lists the field names a schema knows at a pointer, following references and options as far as the value tells.
fn known_fields(schema: &Value, instance: &Value, pointer: &str) -> Vec<String> {
    let mut places = vec![schema];
    let mut at = instance;
    for name in parts(pointer) {
        let field = at.is_object().then_some(name.as_str());
        places = places_below(schema, &places, field);
        let item = || at.as_array()?.get(name.parse::<usize>().ok()?);
        at = at.get(&name).or_else(item).unwrap_or(&Value::Null);
    }
    properties(schema, &places).map(str::to_owned).collect()
}

/// Lists the names of the fields that schemas know.
fn properties<'a>(root: &'a Value, places: &[&'a Value]) -> impl Iterator<Item = &'a str> {
    places
        .iter()
        .flat_map(move |place| variants(root, place))
        .filter_map(|place| place.get("properties").and_then(Value::as_object))
        .flat_map(|fields| fields.keys().map(String::as_str))
}

/// Returns the schemas of a field, or where no field is named, of the items of a list.
fn places_below<'a>(root: &'a Value, places: &[&'a Value], field: Option<&str>) -> Vec<&'a Value> {
    places
        .iter()
        .flat_map(|place| variants(root, place))
        .filter_map(|place| {
            let Some(name) = field else {
                return place.get("items");
            };
            let others = || {
                place
                    .get("additionalProperties")
                    .filter(|more| more.is_object())
            };
            let by_pattern = || {
                let patterns = place.get("patternProperties").and_then(Value::as_object);
                patterns.and_then(|patterns| patterns.values().next())
            };
            let fields = place.get("properties");
            fields
                .and_then(|fields| fields.get(name))
                .or_else(others)
                .or_else(by_pattern)
        })
        .collect()
}

/// Returns what a reference within the schema stands for.
fn referred<'a>(root: &'a Value, place: &Value) -> Option<&'a Value> {
    let reference = place.get("$ref")?.as_str()?;
    root.pointer(reference.strip_prefix('#')?)
}

fn variants<'a>(root: &'a Value, place: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![place];
    if let Some(target) = referred(root, place) {
        found.extend(variants(root, target));
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        for option in place
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            found.extend(variants(root, option));
        }
    }
    found
}

/// Returns the known name nearest to a mistyped one, if any is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Comparing takes time with the length of the text, and no name is that long.
    if name.len() > 100 {
        return None;
    }
    let wanted = name.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|candidate| {
            let likeness =
                strsim::jaro_winkler(&wanted, &candidate.to_lowercase().replace('_', "-"));
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{nearest, violations};
    use crate::contract::configuration::Configuration;

    #[test]
    fn a_mistyped_key_deep_inside_gets_its_nearest_name() {
        let schema = schemars::schema_for!(Configuration).to_value();
        let wrong = serde_json::json!({"hosts": {"box": {"destinaton": "x"}}, "agent": {}});
        let found = violations(&schema, &wrong);
        let by_pointer = |pointer: &str| {
            found
                .iter()
                .find(|violation| violation.pointer() == pointer)
                .unwrap_or_else(|| panic!("{pointer} in {found:?}"))
        };
        assert_eq!(
            by_pointer("/hosts/box/destinaton").expected(),
            Some("destination")
        );
        assert_eq!(by_pointer("/agent").expected(), Some("agents"));
    }

    #[test]
    fn nothing_near_is_nothing() {
        assert_eq!(nearest("zzzz", ["poll-job"]), None);
        assert_eq!(
            nearest("pol-job", ["poll-job", "tail-log"]).as_deref(),
            Some("poll-job")
        );
    }
}
