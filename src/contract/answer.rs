//! What a primitive returns when it succeeds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Effect;

/// A call that usually follows, filled in with the ids at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Next {
    /// The primitive to call.
    pub primitive: String,
    /// Its input, complete and valid as it stands.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub input: Value,
    /// Why one would call it.
    pub why: String,
}

impl Next {
    /// Creates a suggestion.
    pub fn new(primitive: &str, input: Value, why: impl Into<String>) -> Self {
        Self {
            primitive: primitive.to_owned(),
            input,
            why: why.into(),
        }
    }
}

/// The data of a successful call, and what the call did.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The output proper.
    pub data: T,
    /// What the call did to the world.
    pub effect: Effect,
    /// Things the caller should know that are not failures.
    pub warnings: Vec<String>,
    /// The calls that usually follow.
    pub next: Vec<Next>,
}

impl<T> Answer<T> {
    /// Creates an answer with a stated effect.
    pub const fn new(effect: Effect, data: T) -> Self {
        Self {
            data,
            effect,
            warnings: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Creates the answer of a call that only looked.
    pub const fn read(data: T) -> Self {
        Self::new(Effect::None, data)
    }

    /// Creates the answer of a call that made a change.
    pub const fn applied(data: T) -> Self {
        Self::new(Effect::Applied, data)
    }

    /// Creates the answer of a call that found its wanted end already there.
    pub const fn replayed(data: T) -> Self {
        Self::new(Effect::Replayed, data)
    }

    /// Adds a warning.
    #[must_use]
    pub fn with_warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// Adds a call that usually follows.
    #[must_use]
    pub fn with_next(mut self, next: Next) -> Self {
        self.next.push(next);
        self
    }

    /// Changes the data and keeps the rest.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            data: change(self.data),
            effect: self.effect,
            warnings: self.warnings,
            next: self.next,
        }
    }
}
