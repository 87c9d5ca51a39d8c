//! `test-hook`: see whether a hook works.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::DeliveryView;
use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next},
    domain::hook::{self, DeliveryState},
    primitives::Primitive,
    system::Context,
};

/// Delivers the event `hook.test` to a hook, as any other is delivered, and waits for what comes of the first try.
///
/// That the hook fails is data. The same call again, with the same `request_id`, delivers nothing more and says how it stands.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The hook.
    pub(crate) name: Name,
    /// The id of the test: the same again is the same test.
    pub(crate) request_id: Name,
    /// Seconds to wait for the first try.
    #[serde(default = "wait_s")]
    #[schemars(range(min = 0, max = 3600))]
    pub(crate) wait_s: u64,
    /// Whether only to report what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

const fn wait_s() -> u64 {
    60
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The hook's name.
    pub(crate) name: Name,
    /// The delivery as it stands.
    pub(crate) delivery: DeliveryView,
}

/// Carries the declaration of `test-hook`.
pub(crate) struct TestHook;

impl Primitive for TestHook {
    const NAME: &'static str = "test-hook";
    const SUMMARY: &'static str = "See whether a hook works";
    // What it runs, and where, a person allowed with the hook.
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::HookNotFound];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("notify"),
            request_id: Name::fixed("first"),
            wait_s: wait_s(),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (delivery, effect) = hook::test(
            context,
            &input.name,
            &input.request_id,
            input.wait_s,
            input.dry_run,
        )
        .await?;
        let stands = delivery.state;
        let answer = Answer::new(
            effect,
            Output {
                name: input.name.clone(),
                delivery: delivery.into(),
            },
        );
        Ok(if stands == DeliveryState::Delivered {
            answer
        } else {
            answer.with_next(Next::new(
                "list-hooks",
                json!({"name": input.name}),
                "see what came of it",
            ))
        })
    }
}
