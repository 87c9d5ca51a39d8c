//! The one line that answers every call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{Code, Effect, Kind, Next, Retry};

/// The version of the whole contract.
pub const VERSION: u32 = 1;

/// Bytes that an input may have; a longer one is refused.
pub const MAX_INPUT_BYTES: u32 = 64 << 20;

/// What the call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// Milliseconds from start to answer.
    pub ms: u64,
    /// Commands sent to other hosts during the call.
    pub round_trips: u64,
}

/// The answer of a call that did what was asked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Success {
    /// Always true.
    #[schemars(extend("const" = true))]
    pub ok: bool,
    /// The contract version.
    #[schemars(extend("const" = 1))]
    pub v: u32,
    /// The primitive that was called.
    pub primitive: String,
    /// Whether calling again with the same input adds no second effect.
    pub idempotent: bool,
    /// What this call did to the world.
    pub effect: Effect,
    /// The primitive's output, in the shape of its output schema.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub data: Box<RawValue>,
    /// Things the caller should know that are not failures.
    pub warnings: Vec<String>,
    /// The calls that usually follow.
    pub next: Vec<Next>,
    /// What the call cost.
    pub meta: Meta,
}

/// The answer of a call that did not do what was asked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Refusal {
    /// Always false.
    #[schemars(extend("const" = false))]
    pub ok: bool,
    /// The contract version.
    #[schemars(extend("const" = 1))]
    pub v: u32,
    /// The primitive that was called; empty where none could be made out.
    pub primitive: String,
    /// The stable name of the failure. Open: a caller that does not know it falls back on `kind`.
    pub error_code: Code,
    /// The closed class of the failure, which decides the exit status.
    pub kind: Kind,
    /// What this call did to the world.
    pub effect: Effect,
    /// True exactly where `retry.mode` is `same_call` or `after`.
    pub retry_safe: bool,
    /// When and how to try again.
    pub retry: Retry,
    /// One sentence for a reader; never parsed.
    pub message: String,
    /// One sentence with the concrete next step.
    pub remediation: String,
    /// Facts in the fixed shape of the `error_code`.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub details: Value,
    /// The calls that usually follow.
    pub next: Vec<Next>,
    /// What the call cost.
    pub meta: Meta,
}

/// The one line that answers every call.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Envelope {
    /// The call did what was asked.
    Success(Success),
    /// It did not.
    Refusal(Refusal),
}
