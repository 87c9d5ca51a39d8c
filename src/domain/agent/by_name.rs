//! How a name stands for an adapter: in the configuration, in stored records and in schemas.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};

use super::{ADAPTERS, Adapter};

impl dyn Adapter {
    /// Finds an adapter by its name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ADAPTERS
            .iter()
            .copied()
            .find(|adapter| adapter.name() == name)
    }
}

impl PartialEq for dyn Adapter {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Adapter {}

impl fmt::Debug for dyn Adapter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for dyn Adapter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for &'static dyn Adapter {
    /// Reads a name. One that is not in the list is an error that names it: the record is of another version.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name: Cow<'de, str> = Deserialize::deserialize(deserializer)?;
        <dyn Adapter>::named(&name).ok_or_else(|| {
            let known: Vec<&str> = ADAPTERS.iter().map(|adapter| adapter.name()).collect();
            de::Error::custom(format_args!(
                "unknown adapter {name:?}, expected one of {}",
                known.join(", ")
            ))
        })
    }
}

impl JsonSchema for dyn Adapter {
    fn schema_name() -> Cow<'static, str> {
        "Adapter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<Value> = ADAPTERS
            .iter()
            .map(|adapter| {
                json!({
                    "description": adapter.summary(),
                    "type": "string",
                    "const": adapter.name(),
                })
            })
            .collect();
        json_schema!({
            "description": "A command line that legwork knows how to drive.",
            "oneOf": names,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ADAPTERS, Adapter};
    use crate::contract::Name;

    #[test]
    fn names_are_unique_and_fit_for_a_configuration() {
        let mut names = BTreeSet::new();
        for adapter in ADAPTERS {
            assert!(names.insert(adapter.name()), "{adapter:?} is listed twice");
            Name::new(adapter.name()).expect("a name");
            assert!(!adapter.summary().is_empty(), "{adapter:?}");
            let stored = serde_json::to_string(adapter).expect("a name");
            let read: &dyn Adapter = serde_json::from_str(&stored).expect("an adapter");
            assert_eq!(read, *adapter);
        }
    }

    #[test]
    fn a_name_of_another_version_is_an_error_that_names_it() {
        for name in ["\"hal\"", "\"Claude\"", "7"] {
            let read = serde_json::from_str::<&dyn Adapter>(name);
            let error = read.expect_err(name).to_string();
            assert!(error.contains(name) || name == "7", "{error}");
        }
    }

    #[test]
    fn a_hostile_program_name_stays_one_argument() {
        let hostile = "x'; touch /tmp/no; '";
        for adapter in ADAPTERS
            .iter()
            .filter(|adapter| adapter.program().is_some())
        {
            let version = adapter.version_argv(hostile).expect("a command");
            assert_eq!(version.first().map(String::as_str), Some(hostile));
            let Some(login) = adapter.login_argv(hostile) else {
                continue;
            };
            assert_eq!(login.last().map(String::as_str), Some(hostile));
            assert_eq!(
                login.iter().filter(|word| word.contains("touch")).count(),
                1
            );
        }
    }
}
