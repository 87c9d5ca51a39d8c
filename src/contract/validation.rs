//! Inputs against schemas: all violations at once, with the nearest known name.

use jsonschema::{Draft, Validator, error::ValidationErrorKind};
use serde_json::Value;

use super::{Violation, identifier};

/// Checks a value against a JSON Schema and returns every violation.
///
/// A schema that does not compile is reported as one violation of the whole; a test keeps that from happening.
pub fn violations(schema: &Value, instance: &Value) -> Vec<Violation> {
    Checker::new(schema.clone()).violations(instance)
}

/// A schema made ready, for whoever checks many values against it.
#[derive(Debug)]
pub struct Checker {
    whole: Value,
    /// The schema without what [`check_names`] checks.
    schema: Value,
    validator: Result<Validator, Violation>,
}

impl Checker {
    /// Makes a schema ready.
    pub fn new(whole: Value) -> Self {
        let schema = without_names(&whole);
        Self {
            validator: compile(&schema),
            schema,
            whole,
        }
    }

    /// Returns every violation, as [`violations`] does.
    pub fn violations(&self, instance: &Value) -> Vec<Violation> {
        let validator = match &self.validator {
            Ok(validator) => validator,
            Err(broken) => return vec![broken.clone()],
        };
        let mut found = Vec::new();
        check_names(&self.whole, &self.whole, instance, "", &mut found);
        if !validator.is_valid(instance) {
            gather(validator, &self.schema, instance, &mut found);
        }
        found
    }
}

fn compile(schema: &Value) -> Result<Validator, Violation> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .build(schema)
        .map_err(|error| Violation {
            pointer: String::new(),
            keyword: "schema".to_owned(),
            message: error.to_string(),
            expected: None,
        })
}

/// Adds what a schema finds wrong.
fn gather(validator: &Validator, schema: &Value, instance: &Value, found: &mut Vec<Violation>) {
    for error in validator.iter_errors(instance) {
        let pointer = error.instance_path().to_string();
        // A schema without any field is reported as one that nothing fits, once for each field.
        if matches!(error.kind(), ValidationErrorKind::FalseSchema) {
            let names = instance.pointer(&pointer).and_then(Value::as_object);
            for name in names.into_iter().flat_map(serde_json::Map::keys) {
                let violation = stray(&pointer, name, &known_fields(schema, instance, &pointer));
                if !found.contains(&violation) {
                    found.push(violation);
                }
            }
            continue;
        }
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            let known = known_fields(schema, instance, &pointer);
            for name in unexpected {
                found.push(stray(&pointer, name, &known));
            }
            continue;
        }
        found.push(Violation {
            keyword: error.kind().keyword().to_owned(),
            // The value itself stays out: it may be long, hostile or a secret.
            message: shortened(&error.masked_with("the value").to_string()),
            expected: expected(error.kind()),
            pointer,
        });
    }
}

/// Takes the pattern of names out of a schema: compiling it costs more than all the rest of a check.
fn without_names(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(keyword, value)| *keyword != "pattern" || *value != identifier::PATTERN)
            .map(|(keyword, value)| (keyword.clone(), without_names(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_names).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// Checks what [`without_names`] has taken out.
fn check_names(
    root: &Value,
    place: &Value,
    instance: &Value,
    pointer: &str,
    found: &mut Vec<Violation>,
) {
    if let Some(text) = instance.as_str()
        && place
            .get("pattern")
            .is_some_and(|pattern| pattern == identifier::PATTERN)
        && !identifier::is_name(text)
    {
        found.push(Violation {
            pointer: pointer.to_owned(),
            keyword: "pattern".to_owned(),
            message: format!("the text is no name: {}", identifier::RULE),
            expected: Some(identifier::PATTERN.to_owned()),
        });
    }
    let of_fields = place.get("properties").and_then(Value::as_object);
    let of_others = place
        .get("patternProperties")
        .and_then(Value::as_object)
        .and_then(|by_pattern| by_pattern.values().next())
        .or_else(|| place.get("additionalProperties"));
    for (name, value) in instance.as_object().into_iter().flatten() {
        if let Some(field) = of_fields.and_then(|fields| fields.get(name)).or(of_others) {
            let pointer = format!("{pointer}/{}", escaped(name));
            check_names(root, field, value, &pointer, found);
        }
    }
    if let (Some(items), Some(values)) = (place.get("items"), instance.as_array()) {
        for (index, value) in values.iter().enumerate() {
            check_names(root, items, value, &format!("{pointer}/{index}"), found);
        }
    }
    let options = ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|keyword| place.get(keyword).and_then(Value::as_array))
        .flatten();
    for option in options.chain(referred(root, place)) {
        check_names(root, option, instance, pointer, found);
    }
}

/// Returns what a reference within the schema stands for.
fn referred<'a>(root: &'a Value, place: &Value) -> Option<&'a Value> {
    let reference = place.get("$ref")?.as_str()?;
    root.pointer(reference.strip_prefix('#')?)
}

fn stray(pointer: &str, name: &str, known: &[String]) -> Violation {
    Violation {
        pointer: format!("{pointer}/{}", escaped(name)),
        keyword: "additionalProperties".to_owned(),
        message: format!("there is no field {name:?} here"),
        expected: nearest(name, known.iter().map(String::as_str)),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's list of keywords grows, and most of them expect nothing that can be named"
)]
fn expected(kind: &ValidationErrorKind) -> Option<String> {
    match kind {
        ValidationErrorKind::Type { kind } => serde_json::to_value(TypeNames(kind))
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned)),
        ValidationErrorKind::Enum { options } => Some(options.to_string()),
        ValidationErrorKind::Required { property } => property.as_str().map(str::to_owned),
        ValidationErrorKind::Pattern { pattern } => Some(pattern.clone()),
        ValidationErrorKind::Minimum { limit } | ValidationErrorKind::Maximum { limit } => {
            Some(limit.to_string())
        }
        _ => None,
    }
}

struct TypeNames<'a>(&'a jsonschema::error::TypeKind);

impl serde::Serialize for TypeNames<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = match self.0 {
            jsonschema::error::TypeKind::Single(one) => one.to_string(),
            jsonschema::error::TypeKind::Multiple(many) => many
                .iter()
                .map(|one| one.to_string())
                .collect::<Vec<_>>()
                .join(" or "),
        };
        serializer.serialize_str(&text)
    }
}

fn shortened(message: &str) -> String {
    if message.chars().count() <= 300 {
        return message.to_owned();
    }
    message.chars().take(300).chain("…".chars()).collect()
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Lists the field names a schema knows at a pointer, following references and options as far as the value tells.
fn known_fields(schema: &Value, instance: &Value, pointer: &str) -> Vec<String> {
    let mut places = vec![schema];
    let mut at = instance;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        at = at.get(&name).unwrap_or(&Value::Null);
        places = places
            .iter()
            .flat_map(|place| variants(schema, place))
            .filter_map(|place| {
                place
                    .get("properties")
                    .and_then(|fields| fields.get(&name))
                    .or_else(|| place.get("items"))
                    .or_else(|| {
                        place
                            .get("additionalProperties")
                            .filter(|more| more.is_object())
                    })
                    .or_else(|| {
                        place
                            .get("patternProperties")
                            .and_then(Value::as_object)
                            .and_then(|by_pattern| by_pattern.values().next())
                    })
            })
            .collect();
    }
    places
        .iter()
        .flat_map(|place| variants(schema, place))
        .filter_map(|place| place.get("properties").and_then(Value::as_object))
        .flat_map(|fields| fields.keys().cloned())
        .collect()
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
    let wanted = name.to_lowercase().replace('_', "-");
    // Comparing takes time with the length of the text, and no name is that long.
    if wanted.len() > 100 {
        return None;
    }
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
                .find(|violation| violation.pointer == pointer)
                .unwrap_or_else(|| panic!("{pointer} in {found:?}"))
        };
        assert_eq!(
            by_pointer("/hosts/box/destinaton").expected.as_deref(),
            Some("destination")
        );
        assert_eq!(by_pointer("/agent").expected.as_deref(), Some("agents"));
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
