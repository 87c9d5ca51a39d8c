//! Profiles as several primitives of this chapter show them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::profile;

/// Where a profile is known from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// legwork itself.
    BuiltIn,
    /// The configuration file.
    Configuration,
}

impl From<profile::Origin> for Origin {
    fn from(origin: profile::Origin) -> Self {
        match origin {
            profile::Origin::BuiltIn => Self::BuiltIn,
            profile::Origin::Configuration => Self::Configuration,
        }
    }
}
