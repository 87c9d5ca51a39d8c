//! What is known of a primitive without calling it.

use schemars::Schema;
use serde_json::Value;

use super::{
    Code, Effects, Failure, Violation, details,
    validation::{self, Checker},
};

/// A chapter of the reference: primitives that serve one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// Its name, which is also that of the folder its primitives lie in.
    pub name: &'static str,
    /// One line on it, no full stop.
    pub about: &'static str,
}

/// What is known of a primitive without calling it.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// The chapter it stands in, as the registry says.
    pub chapter: Chapter,
    /// One line on it.
    pub summary: &'static str,
    /// What a call may change.
    pub effects: Effects,
    /// Lists the codes it may return besides the universal ones.
    pub codes: fn() -> Vec<Code>,
    /// Builds the schema of its input, without references.
    pub input_schema: fn() -> Schema,
    /// Builds the schema of its output.
    pub output_schema: fn() -> Schema,
    /// Makes inputs worth showing.
    pub examples: fn() -> Vec<Value>,
}

impl Description {
    /// Returns what there is to know about it: the comment of its input type.
    pub fn documentation(&self) -> String {
        (self.input_schema)()
            .as_value()
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or(self.summary)
            .to_owned()
    }

    /// Lists every way in which an input does not fit.
    pub fn violations(&self, input: &Value) -> Vec<Violation> {
        Self::violations_by(&self.checker(), input)
    }

    /// Makes its input schema ready, for [`Description::violations_by`].
    pub fn checker(&self) -> Checker {
        Checker::new((self.input_schema)().to_value())
    }

    /// Lists every way in which an input does not fit, by its schema made ready before.
    pub fn violations_by(checker: &Checker, input: &Value) -> Vec<Violation> {
        let mut found = checker.violations(input);
        find_nul(input, String::new(), &mut found);
        found
    }

    /// Creates the failure of an input that does not fit.
    pub fn refuse(&self, violations: Vec<Violation>) -> Failure {
        let message = match violations.as_slice() {
            [] => "the input is wrong".to_owned(),
            [only] => format!("the input is wrong at {:?}: {}", only.pointer, only.message),
            [first, ..] => format!(
                "the input is wrong in {} places, the first at {:?}: {}",
                violations.len(),
                first.pointer,
                first.message
            ),
        };
        Failure::new(
            Code::SpecInvalid,
            message,
            "Mend what details.violations names; details.skeleton is a valid input to start from.",
        )
        .with_details(
            details::Input {
                violations,
                skeleton: (self.examples)().into_iter().next(),
            }
            .into(),
        )
    }
}

/// Creates the failure of a name that no primitive has.
pub fn unknown_primitive(name: &str, known: &[&Description]) -> Failure {
    let failure = unknown_name(
        "primitive",
        name,
        known.iter().map(|about| about.name).collect(),
    );
    if name.is_empty() {
        Failure {
            message: "no primitive was named".to_owned(),
            ..failure
        }
    } else {
        failure
    }
}

/// Creates the failure of a name that nothing of its kind has: no primitive, no chapter, no page of the manual.
pub fn unknown_name(what: &str, name: &str, known: Vec<&'static str>) -> Failure {
    let near = validation::nearest(name, known.iter().copied());
    let remediation = near.as_ref().map_or_else(
        || "Ask capabilities, or legwork help, for what there is.".to_owned(),
        |near| format!("Did you mean {near}?"),
    );
    Failure::new(
        Code::UnknownPrimitive,
        format!("there is no {what} {name:?}"),
        remediation,
    )
    .with_details(
        details::Unknown {
            what: what.to_owned(),
            name: name.to_owned(),
            did_you_mean: near,
            known: known.into_iter().take(50).map(str::to_owned).collect(),
        }
        .into(),
    )
}

fn find_nul(value: &Value, pointer: String, violations: &mut Vec<Violation>) {
    match value {
        Value::String(text) if text.contains('\0') => violations.push(Violation {
            pointer,
            keyword: "nul".to_owned(),
            message: "the text holds a NUL character".to_owned(),
            expected: Some("text without NUL".to_owned()),
        }),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(item, format!("{pointer}/{index}"), violations);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                find_nul(field, format!("{pointer}/{name}"), violations);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
