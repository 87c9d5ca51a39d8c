//! `sleep`: let time pass.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure},
    primitives::Primitive,
    system::{Context, clock},
};

/// Lets time pass, for callers that have no clock of their own; a signal ends it early.
///
/// One call lets an hour pass at most: where more is asked for, it is clamped, and `clamped_to_s` says so.
/// It is for pauses between two looks. Where something is waited for, `wait-job` and its like come back as soon as it is there.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Seconds to let pass.
    #[schemars(range(min = 0, max = 31_536_000))]
    pub(crate) wait_s: u32,
}

/// The time that has passed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Milliseconds that passed.
    pub(crate) slept_ms: u64,
    /// The seconds that were let pass in place of those that were asked for; null where as many passed as were asked for.
    pub(crate) clamped_to_s: Option<u32>,
    /// The time now (RFC 3339, UTC, with milliseconds).
    pub(crate) at: String,
}

/// The most seconds that one call lets pass.
const MOST_S: u32 = 3600;

/// Returns what is let pass, and that again where it is less than was asked for.
fn clamped(wait_s: u32) -> (u32, Option<u32>) {
    (wait_s.min(MOST_S), (wait_s > MOST_S).then_some(MOST_S))
}

/// Carries the declaration of `sleep`.
pub(crate) struct Sleep;

impl Primitive for Sleep {
    const NAME: &'static str = "sleep";
    const SUMMARY: &'static str = "Let time pass";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input { wait_s: 1 }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (wait_s, clamped_to_s) = clamped(input.wait_s);
        let since = clock::instant();
        let _shown = context.progress("letting time pass");
        clock::sleep(Duration::from_secs(wait_s.into())).await;
        Ok(Answer::read(Output {
            slept_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            clamped_to_s,
            at: clock::now_text(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::clamped;

    #[test]
    fn more_than_an_hour_is_clamped_and_said() {
        assert_eq!(clamped(0), (0, None));
        assert_eq!(clamped(3600), (3600, None));
        assert_eq!(clamped(3601), (3600, Some(3600)));
        assert_eq!(clamped(u32::MAX), (3600, Some(3600)));
    }
}
