//! Inputs against schemas: all violations at once, with the nearest known name.

use jsonschema::{Draft, error::ValidationErrorKind};
use serde_json::Value;

use super::Violation;

/// Checks a value against a JSON Schema and returns every violation.
///
/// A schema that does not compile is reported as one violation of the whole; a test keeps that from happening.
pub fn violations(schema: &Value, instance: &Value) -> Vec<Violation> {
    // Inputs use no keyword in which draft 7 and 2020-12 differ, and the machinery of the later one costs ten times as much
    // as everything else that a call does before its work. A test compares the two over all schemas.
    let validator = jsonschema::options()
        .with_draft(Draft::Draft7)
        .build(schema);
    let validator = match validator {
        Ok(validator) => validator,
        Err(error) => {
            return vec![Violation {
                pointer: String::new(),
                keyword: "schema".to_owned(),
                message: error.to_string(),
                expected: None,
            }];
        }
    };
    let mut found = Vec::new();
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
    found
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
    if let Some(reference) = place.get("$ref").and_then(Value::as_str)
        && let Some(target) = reference
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
    {
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
