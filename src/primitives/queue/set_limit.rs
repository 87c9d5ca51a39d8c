//! `set-limit`: how much of something there is for tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next},
    domain::task::{self},
    primitives::Primitive,
    system::Context,
};

/// Sets how much of a named limit there is for tasks that are claimed at the same time; without `total` it is not limited.
///
/// `slots` is the limit of which every task takes one unless it says otherwise; `gpus` and `gpu_mem_bytes` are those of `resources`, and any other name
/// can be one. A task takes all that it needs when it is claimed, or is not claimed. A limit below what is taken ends nothing: it keeps
/// tasks from being claimed until enough of them have ended.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The limit.
    pub(crate) name: Name,
    /// How much there is; not limited where it is left out.
    #[serde(default)]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    pub(crate) total: Option<u64>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// The limit.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Its name.
    pub(crate) name: Name,
    /// How much there is; null where it is not limited.
    pub(crate) total: Option<u64>,
    /// How much claimed tasks have taken.
    pub(crate) used: u64,
}

/// Carries the declaration of `set-limit`.
pub(crate) struct SetLimit;

impl Primitive for SetLimit {
    const NAME: &'static str = "set-limit";
    const SUMMARY: &'static str = "Set how much of a named limit there is";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("slots"),
            total: Some(4),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (limit, effect) =
            task::set_limit(context, &input.name, input.total, input.dry_run).await?;
        let output = Output {
            name: limit.name,
            total: limit.total,
            used: limit.used,
        };
        Ok(Answer::new(effect, output).with_next(Next::new(
            "show-limits",
            json!({}),
            "see all limits, and what is taken of them",
        )))
    }
}
