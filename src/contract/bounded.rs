//! Texts and lists that hold their own bounds, and publish them.
//!
//! What goes into `details` comes from programs, hosts and callers, and may be endless. A field of one of these types
//! cannot be longer than its schema says, however it was filled: the bound is part of the type, is applied where a
//! value is made or read, and stands in the schema as `maxLength` or `maxItems`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The beginning of a text, at most `MAX` characters; ends with `…` where some are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Head<const MAX: usize>(String);

/// The end of a text, at most `MAX` characters: what programs print last says why they failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Tail<const MAX: usize>(String);

/// The first items of a list, at most `MAX`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<T>")]
pub struct Few<T, const MAX: usize>(Vec<T>);

impl<const MAX: usize> Head<MAX> {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> From<&str> for Head<MAX> {
    fn from(text: &str) -> Self {
        if fits(text, MAX) {
            return Self(text.to_owned());
        }
        Self(match text.char_indices().nth(MAX) {
            None => text.to_owned(),
            Some(_) => text
                .chars()
                .take(MAX.saturating_sub(1))
                .chain(['…'])
                .collect(),
        })
    }
}

impl<const MAX: usize> Tail<MAX> {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> From<&str> for Tail<MAX> {
    fn from(text: &str) -> Self {
        let end = MAX
            .checked_sub(1)
            .and_then(|last| text.char_indices().nth_back(last));
        Self(end.map_or(text, |(start, _)| &text[start..]).to_owned())
    }
}

/// Returns whether a text surely has no more than `most` characters, of which each takes at least one byte.
const fn fits(text: &str, most: usize) -> bool {
    text.len() <= most
}

/// What both kinds of texts have.
macro_rules! bounded_text {
    ($name:ident) => {
        impl<const MAX: usize> From<String> for $name<MAX> {
            fn from(text: String) -> Self {
                if fits(&text, MAX) {
                    Self(text)
                } else {
                    Self::from(text.as_str())
                }
            }
        }

        impl<const MAX: usize> From<&String> for $name<MAX> {
            fn from(text: &String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl<const MAX: usize> From<Cow<'_, str>> for $name<MAX> {
            fn from(text: Cow<'_, str>) -> Self {
                Self::from(text.into_owned())
            }
        }

        impl<const MAX: usize> From<$name<MAX>> for String {
            fn from(text: $name<MAX>) -> Self {
                text.0
            }
        }

        impl<const MAX: usize> fmt::Display for $name<MAX> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl<const MAX: usize> JsonSchema for $name<MAX> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                format!("{}{MAX}", stringify!($name)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "maxLength": MAX})
            }
        }
    };
}

bounded_text!(Head);
bounded_text!(Tail);

impl<T, const MAX: usize> Few<T, MAX> {
    /// Takes the first items, and counts those that are left out.
    pub fn counted(items: impl IntoIterator<Item = T>) -> (Self, u64) {
        let mut items = items.into_iter();
        let few = items.by_ref().take(MAX).collect();
        let omitted = u64::try_from(items.count()).unwrap_or(u64::MAX);
        (Self(few), omitted)
    }

    /// Returns the items.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> IntoIterator for Few<T, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T, const MAX: usize> Default for Few<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> From<Vec<T>> for Few<T, MAX> {
    fn from(mut items: Vec<T>) -> Self {
        items.truncate(MAX);
        Self(items)
    }
}

impl<T, const MAX: usize> FromIterator<T> for Few<T, MAX> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().take(MAX).collect())
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for Few<T, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Few{MAX}{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "maxItems": MAX,
            "items": generator.subschema_for::<T>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Few, Head, Tail};

    #[test]
    fn texts_are_cut_between_characters() {
        for text in ["", "a", "äöü", "💥💥💥", &"xä".repeat(9)] {
            let head: Head<3> = text.into();
            let tail: Tail<3> = text.into();
            let whole = text.chars().count() <= 3;
            for held in [head.as_str(), tail.as_str()] {
                assert!(held.chars().count() <= 3, "{held:?}");
                assert_eq!(held == text, whole, "{held:?}");
            }
        }
        assert_eq!(Tail::<3>::from("12345").as_str(), "345");
        assert_eq!(Head::<3>::from("12345").as_str(), "12…");
    }

    #[test]
    fn reading_applies_the_bound_too() {
        let head: Head<3> = serde_json::from_str("\"12345\"").expect("a text");
        assert_eq!(head.as_str(), "12…");
        let few: Few<u8, 2> = serde_json::from_str("[1, 2, 3]").expect("numbers");
        assert_eq!(few.as_slice(), [1, 2]);
        assert_eq!(Few::<u8, 2>::counted([1, 2, 3, 4]), (few, 2));
    }
}
