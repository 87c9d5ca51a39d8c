//! How long a call may take.

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The `timeout_s` of an input: whole seconds from 1 to `MOST`, and `DEFAULT` where the caller says nothing.
///
/// Each primitive names its own two numbers where it declares the field; the range is checked by the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeout<const DEFAULT: u64, const MOST: u64>(u64);

impl<const DEFAULT: u64, const MOST: u64> Timeout<DEFAULT, MOST> {
    /// Creates one of so many seconds.
    pub const fn of_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Returns the whole time that the call may take.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Returns the whole time that the call may take where it also waits for something, for so many seconds at most.
    pub const fn beside_wait(self, wait_s: u64) -> Duration {
        Duration::from_secs(self.0.saturating_add(wait_s))
    }
}

impl<const DEFAULT: u64, const MOST: u64> Default for Timeout<DEFAULT, MOST> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const DEFAULT: u64, const MOST: u64> JsonSchema for Timeout<DEFAULT, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timeout".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "format": "uint64", "minimum": 1, "maximum": MOST})
    }
}
