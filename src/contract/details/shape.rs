//! The facts of a failure with their type erased, and what is known of each type.

use std::any::TypeId;

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::contract::Code;

/// The facts that belong to a failure code.
///
/// The default is what an envelope shows where nothing was filled in.
pub trait Facts: Serialize + DeserializeOwned + JsonSchema + Default + 'static {}

/// The facts of a failure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details(Option<Box<Filled>>);

/// Facts that were filled in.
#[derive(Clone, Debug, PartialEq)]
struct Filled {
    shape: Shape,
    value: Value,
}

impl Details {
    /// Nothing was filled in; stands for the empty shape of the code.
    pub const NONE: Self = Self(None);

    /// Returns which shape these details have.
    pub fn shape(&self) -> Option<Shape> {
        self.0.as_ref().map(|filled| filled.shape)
    }

    /// Returns the facts, where they are of this type.
    pub fn facts<F: Facts>(&self) -> Option<F> {
        let filled = self.0.as_ref()?;
        (filled.shape == Shape::of::<F>())
            .then(|| serde_json::from_value(filled.value.clone()).ok())
            .flatten()
    }

    /// Changes the facts, where they are of this type.
    #[must_use]
    pub fn revised<F: Facts>(self, change: impl FnOnce(F) -> F) -> Self {
        match self.facts::<F>() {
            Some(facts) => change(facts).into(),
            None => self,
        }
    }

    /// Returns the details as they stand in an envelope, always an object in the shape of `code`.
    ///
    /// Details of another shape than the code's are a bug; the empty shape stands in for them.
    pub fn into_value(self, code: Code) -> Value {
        let shape = code.shape();
        match self.0 {
            Some(filled) if filled.shape == shape => filled.value,
            _ => (shape.empty)(),
        }
    }
}

impl<F: Facts> From<F> for Details {
    fn from(facts: F) -> Self {
        Self(Some(Box::new(Filled {
            shape: Shape::of::<F>(),
            value: written(&facts),
        })))
    }
}

fn written<F: Facts>(facts: &F) -> Value {
    serde_json::to_value(facts).unwrap_or_else(|_| Value::Object(Map::new()))
}

/// What is known of a type of facts without having any.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    id: fn() -> TypeId,
    schema: fn() -> Schema,
    empty: fn() -> Value,
    bound: fn(Value) -> Value,
}

impl Shape {
    /// Returns what is known of a type.
    pub const fn of<F: Facts>() -> Self {
        Self {
            id: TypeId::of::<F>,
            schema: || schema_for!(F),
            empty: || written(&F::default()),
            bound: |value| F::deserialize(&value).map_or(value, |facts| written(&facts)),
        }
    }

    /// Builds the JSON Schema of the shape.
    pub fn schema(self) -> Schema {
        (self.schema)()
    }

    /// Applies the bounds of the shape again, for facts that were changed after they were made: what masks a secret may
    /// be longer than the secret.
    pub fn bound(self, value: Value) -> Value {
        (self.bound)(value)
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        (self.id)() == (other.id)()
    }
}

impl Eq for Shape {}
