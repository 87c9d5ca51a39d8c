//! `remove-hook`: tell a hook nothing more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Name, Next, Scope, Scoped},
    domain::hook::{self, Target},
    primitives::Primitive,
    system::Context,
};

/// Removes a hook. What is still to be delivered to it is dropped, a try that is under way ends by itself.
///
/// The answer holds the `add-hook` call that brings it back. One that is not there is a replay.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Its name.
    pub(crate) name: Name,
    /// Whether only to report what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The hook's name.
    pub(crate) name: Name,
    /// Whether this call removed it, or would have in a dry run; false where it was not there.
    pub(crate) removed: bool,
}

/// Carries the declaration of `remove-hook`.
pub(crate) struct RemoveHook;

impl Primitive for RemoveHook {
    const NAME: &'static str = "remove-hook";
    const SUMMARY: &'static str = "Remove a hook";
    const EFFECTS: Effects = Effects::REMOVES;
    const CODES: &'static [Code] = &[];
    // add-hook brings it back, and the answer holds that call; but somebody may rely on being told.
    const SCOPES: &'static [Scoped] = &[Scope::LocalWrite.always(), Scope::Configure.always()];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("notify"),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (hook, effect) = hook::remove(context, &input.name, input.dry_run).await?;
        let output = Output {
            removed: effect == Effect::Applied,
            name: input.name,
        };
        let effect = if input.dry_run { Effect::None } else { effect };
        let mut answer = Answer::new(effect, output);
        if let Some(hook) = hook.filter(|_| !input.dry_run) {
            let mut again = json!({"name": hook.name, "events": hook.events, "try_s": hook.try_s});
            if !hook.labels.is_empty() {
                again["labels"] = json!(hook.labels);
            }
            match hook.target {
                Target::Command(command) => again["command"] = json!(command),
                Target::Url { url, secret_file } => {
                    again["url"] = json!(url);
                    if let Some(file) = secret_file {
                        again["secret_file"] = json!(file);
                    }
                }
            }
            answer = answer.with_next(Next::new("add-hook", again, "add it again as it was"));
        }
        Ok(answer)
    }
}
