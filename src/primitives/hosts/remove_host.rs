//! `remove-host`: forget a registered machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Name, Next, Scope, Scoped},
    domain::host,
    primitives::Primitive,
    system::Context,
};

/// Forgets a machine that `add-host` registered. Nothing on the machine itself is touched.
///
/// Refused while jobs on it have not ended, because they could no longer be polled.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The name it is registered under.
    pub(crate) name: Name,
    /// Whether only to report what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What was forgotten.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host's name.
    pub(crate) name: Name,
    /// Whether this call removed it, or would have in a dry run; false where it was not registered.
    pub(crate) removed: bool,
}

/// Carries the declaration of `remove-host`.
pub(crate) struct RemoveHost;

impl Primitive for RemoveHost {
    const NAME: &'static str = "remove-host";
    const SUMMARY: &'static str = "Forget a registered machine";
    const EFFECTS: Effects = Effects::REMOVES;
    const CODES: &'static [Code] = &[Code::HostUnknown, Code::HostInUse];
    // It forgets what add-host can say again, and its answer holds that call.
    const SCOPES: &'static [Scoped] = Scope::OF_LOCAL_CHANGES;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("old-box"),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let (effect, settings) = host::remove(context, &input.name, input.dry_run).await?;
        let output = Output {
            removed: effect == Effect::Applied,
            name: input.name.clone(),
        };
        let effect = if input.dry_run { Effect::None } else { effect };
        let mut answer = Answer::new(effect, output);
        if let Some(settings) = settings.filter(|_| !input.dry_run) {
            let mut again = json!({"name": input.name});
            if let Some(destination) = settings.destination {
                again["destination"] = destination.into();
            }
            if let Some(root) = settings.root {
                again["root"] = root.into();
            }
            if !settings.path.is_empty() {
                again["path"] = settings.path.into();
            }
            answer = answer.with_next(Next::new("add-host", again, "register it again as it was"));
        }
        Ok(answer)
    }
}
