//! `set-limit`: how much of something there is for tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::BudgetView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Violation, Violations},
    domain::task::{self, Amount, Period, Terms},
    primitives::Primitive,
    system::Context,
};

/// Sets how much of a named limit there is for tasks that are claimed at the same time, or a budget that tasks share; with neither it is not limited.
///
/// `slots` is the limit of which every task takes one unless it says otherwise; `gpus` and `gpu_mem_bytes` are those of `resources`, and any other name
/// can be one. A task takes all that it needs when it is claimed, or is not claimed. A limit below what is taken ends nothing: it keeps
/// tasks from being claimed until enough of them have ended.
///
/// A budget counts what holders of the tasks that name it report, and what was spent does not come back. Once it is spent, none of these
/// tasks is claimed any more; those at work go on. Other terms leave what was spent as it is; to start anew, take the budget away first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The limit.
    pub(crate) name: Name,
    /// How much there is; not limited where it is left out.
    #[serde(default)]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    pub(crate) total: Option<u64>,
    /// What the tasks that name it in `budgets` may spend together. Not beside `total`.
    #[serde(default)]
    pub(crate) budget: Option<Terms>,
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
    /// What may be spent, and what of it is; null where it is no budget.
    pub(crate) budget: Option<BudgetView>,
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
        vec![
            Input {
                name: Name::fixed("slots"),
                total: Some(4),
                budget: None,
                dry_run: false,
            },
            Input {
                name: Name::fixed("nightly"),
                total: None,
                budget: Some(Terms {
                    cost_usd: Some(20.0),
                    wall_s: None,
                    per: Some(Period::Day),
                }),
                dry_run: false,
            },
        ]
    }

    fn check(input: &Input) -> Violations {
        let mut wrong = Violations::default();
        if input.total.is_some() && input.budget.is_some() {
            let message = "a limit is taken and given back, a budget is spent: it is one of them";
            wrong.push(Violation::new("", "oneOf", message).expecting("total or budget"));
        }
        if input.budget.is_some_and(|terms| !terms.is_bounded()) {
            wrong.push(
                Violation::new("/budget", "anyOf", "it says nothing of what may be spent")
                    .expecting("cost_usd, wall_s or both"),
            );
        }
        wrong
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let amount = match (input.total, input.budget) {
            (Some(total), _) => Amount::Total(total),
            (None, Some(terms)) => Amount::Budget(terms),
            (None, None) => Amount::Unlimited,
        };
        let (limit, effect) = task::set_limit(context, &input.name, amount, input.dry_run).await?;
        let output = Output {
            name: limit.name,
            total: limit.total,
            used: limit.used,
            budget: limit.budget.map(BudgetView::from),
        };
        Ok(Answer::new(effect, output).with_next(Next::new(
            "show-limits",
            json!({}),
            "see all limits, and what is taken of them",
        )))
    }
}
