//! `set-config`: change settings of the configuration file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Next, Reach, Scope, Scoped, Violations},
    primitives::Primitive,
    system::{Context, named_lock, settings},
};

/// Changes settings of the configuration file, all of them or none.
///
/// The file is checked as it would come out before anything is written: an unknown key, a value of the wrong type or out of its
/// range is refused by its key. Comments, order and layout stay as they are. Calls at the same time wait for one another.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// What to set: dotted keys as in TOML, such as `hosts.gpu-box.root`, and their values. A table takes the place of the whole
    /// table; null takes a setting away.
    #[schemars(
        length(min = 1, max = 200),
        extend("examples" = [{"defaults.max_wall_s": 7200}, {"hosts.gpu-box.root": null}])
    )]
    pub(crate) settings: BTreeMap<String, Value>,
    /// Whether only to report what would be changed.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The configuration file.
    pub(crate) path: String,
    /// The settings that were not so before.
    pub(crate) changes: Vec<Change>,
}

/// A setting that was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// Its key.
    pub(crate) key: String,
    /// What it was; null where it was not set.
    pub(crate) old: Option<Value>,
    /// What it is now; null where it is not set any more.
    pub(crate) new: Option<Value>,
}

/// Carries the declaration of `set-config`.
pub(crate) struct SetConfig;

impl Primitive for SetConfig {
    const NAME: &'static str = "set-config";
    const SUMMARY: &'static str = "Change settings of the configuration file";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[];
    const SCOPES: &'static [Scoped] = &[Scope::LocalWrite.always(), Scope::Configure.always()];
    const REACHES: &'static [(&'static str, Reach)] = &[("settings", Reach::Command)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let settings = [("defaults.max_wall_s", json!(7200))];
        vec![Input {
            settings: settings.map(|(key, value)| (key.to_owned(), value)).into(),
            dry_run: false,
        }]
    }

    fn check(input: &Input) -> Violations {
        settings::check(&input.settings)
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let path = context.environment().configuration_file();
        let _turn = named_lock::lock(context, "configuration").await?;
        let meter = context.meter();
        let changes = settings::change(meter, &path, &input.settings, input.dry_run)?;
        let effect = match (input.dry_run, changes.is_empty()) {
            (true, _) => Effect::None,
            (false, true) => Effect::Replayed,
            (false, false) => Effect::Applied,
        };
        let output = Output {
            path: path.display().to_string(),
            changes: changes
                .into_iter()
                .map(|change| Change {
                    key: change.key,
                    old: change.old,
                    new: change.new,
                })
                .collect(),
        };
        Ok(Answer::new(effect, output).with_next(Next::new(
            "get-config",
            json!({}),
            "see what is in force",
        )))
    }
}
