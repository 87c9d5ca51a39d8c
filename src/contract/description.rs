//! What is known of a primitive without calling it.

use schemars::Schema;
use serde_json::Value;

use super::{
    Code, Effects, Failure, Reach, Scope, Scoped, Violations, details,
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
    /// Lists what is wrong with an input that fits its schema: rules that hold between fields.
    pub check: fn(Value) -> Violations,
    /// The fields of its input whose texts may hold NUL.
    pub takes_nul: &'static [&'static str],
    /// What fields of its input let a caller reach; those that only take data of a fixed form need not stand there.
    pub reaches: &'static [(&'static str, Reach)],
    /// What kinds of changes its calls make, for which a person may have to give leave.
    pub scopes: &'static [Scoped],
    /// Whether only a person may call it, at a terminal or with a key: no service offers it.
    pub needs_person: bool,
    /// Whether its call stands for another one, which a person let through and which then runs in its place.
    pub resumes: bool,
    /// Makes inputs worth showing.
    pub examples: fn() -> Vec<Value>,
}

impl Description {
    /// Returns what there is to know about it: the comment of its input type, as it stands in the schema made of that.
    pub fn documentation<'s>(&self, input_schema: &'s Value) -> &'s str {
        let comment = input_schema.get("description").and_then(Value::as_str);
        comment.unwrap_or(self.summary)
    }

    /// Lists the scopes that a call with this input is in. A dry run changes nothing, and is in none.
    pub fn scopes_of(&self, input: &Value) -> Vec<Scope> {
        if input.get("dry_run") == Some(&Value::Bool(true)) {
            return Vec::new();
        }
        let is_given = |field: &str| match input.get(field) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Bool(true) | Value::Number(_) | Value::Object(_)) => true,
        };
        let mut scopes: Vec<Scope> = self
            .scopes
            .iter()
            .filter(|scoped| scoped.where_given.is_none_or(is_given))
            .map(|scoped| scoped.scope)
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// Returns whether what its calls do may depend on the folder that they are sent from.
    pub fn depends_on_folder(&self) -> bool {
        self.reaches.iter().any(|(_, reach)| reach.is_of_folder())
    }

    /// Lists every way in which an input is wrong, just as a call would find it.
    pub fn violations(&self, input: Value) -> Violations {
        let found = self.violations_by(&self.checker(), &input);
        if found.is_empty() {
            (self.check)(input)
        } else {
            found
        }
    }

    /// Compiles its input schema, for [`Description::violations_by`].
    pub fn checker(&self) -> Checker {
        Checker::new((self.input_schema)().to_value())
    }

    /// Lists every way in which an input does not fit the schema, compiled before.
    pub fn violations_by(&self, checker: &Checker, input: &Value) -> Violations {
        let mut found = checker.violations(input);
        validation::find_nul(input, self.takes_nul, &mut found);
        found
    }

    /// Creates the failure of an input that does not fit.
    pub fn refuse(&self, violations: impl Into<Violations>) -> Failure {
        let violations = violations.into();
        let message = match (violations.first(), violations.count()) {
            (None, _) => "the input is wrong".to_owned(),
            (Some(only), 1) => {
                format!(
                    "the input is wrong at {:?}: {}",
                    only.pointer(),
                    only.message()
                )
            }
            (Some(first), count) => format!(
                "the input is wrong in {count} places, the first at {:?}: {}",
                first.pointer(),
                first.message()
            ),
        };
        Failure::new(
            Code::SpecInvalid,
            message,
            "Correct what details.violations names; details.skeleton is a valid input to start from.",
        )
        .with_details(details::Input::new(violations, (self.examples)().into_iter().next()).into())
    }
}

/// Sorts primitives by their chapters, in the order of the registry; with a name, those of that chapter alone.
pub fn by_chapter<'d>(
    known: impl IntoIterator<Item = &'d Description>,
    name: Option<&str>,
) -> Result<Vec<(Chapter, Vec<&'d Description>)>, Failure> {
    let mut chapters: Vec<(Chapter, Vec<&Description>)> = Vec::new();
    for about in known {
        match chapters.last_mut() {
            Some((chapter, own)) if *chapter == about.chapter => own.push(about),
            _ => chapters.push((about.chapter, vec![about])),
        }
    }
    let Some(name) = name else {
        return Ok(chapters);
    };
    let names = chapters.iter().map(|(chapter, _)| chapter.name).collect();
    chapters.retain(|(chapter, _)| chapter.name == name);
    if chapters.is_empty() {
        Err(unknown_name("chapter", name, names))
    } else {
        Ok(chapters)
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
        details::Unknown::new(what, name)
            .nearest(near)
            .known(known)
            .into(),
    )
}
