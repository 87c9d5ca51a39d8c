//! `now`: what time it is here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure},
    primitives::Primitive,
    system::{Context, clock},
};

/// Says what time it is on this machine.
///
/// The times in answers, such as `expires_at` and `requested_at`, are of the same clock, so compare them with this one and
/// not with that of another machine. `up_ms` grows whatever is done to the clock: use it to measure.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The time (RFC 3339, UTC, with milliseconds).
    pub(crate) at: String,
    /// The same as milliseconds since 1970.
    pub(crate) epoch_ms: i64,
    /// Milliseconds since this machine was started.
    pub(crate) up_ms: u64,
}

/// Carries the declaration of `now`.
pub(crate) struct Now;

impl Primitive for Now {
    const NAME: &'static str = "now";
    const SUMMARY: &'static str = "Say what time it is here";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(_context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let now = clock::now();
        Ok(Answer::read(Output {
            at: clock::text(now),
            epoch_ms: now.as_millisecond(),
            up_ms: u64::try_from(clock::uptime().as_millis()).unwrap_or(u64::MAX),
        }))
    }
}
