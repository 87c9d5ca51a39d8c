//! `show-limits`: the named limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LimitView;
use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::task::{self},
    primitives::Primitive,
    system::Context,
};

/// Shows the named limits, how much claimed tasks have taken of each, and what is taken of names that are not limited.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The limits.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The limits, by name.
    pub(crate) limits: Vec<LimitView>,
}

/// Carries the declaration of `show-limits`.
pub(crate) struct ShowLimits;

impl Primitive for ShowLimits {
    const NAME: &'static str = "show-limits";
    const SUMMARY: &'static str = "Show the named limits";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let (limits, damaged) = task::limits(context)?;
        let mut answer = Answer::read(Output {
            limits: limits.into_iter().map(LimitView::from).collect(),
        });
        answer
            .warnings
            .extend(damaged.iter().map(ToString::to_string));
        Ok(answer)
    }
}
