//! `get-config`: the configuration as it is in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, configuration::Configuration},
    primitives::Primitive,
    system::{Context, store::Address},
};

/// Shows the configuration as it is in force, where it comes from, and where legwork keeps its state.
///
/// Values that hold secrets are masked.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The configuration.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The configuration file.
    pub(crate) path: String,
    /// Whether the file is there; without one everything is at its default.
    pub(crate) exists: bool,
    /// The folder of the database, fetched results and control sockets.
    pub(crate) home: String,
    /// What is in force.
    pub(crate) configuration: Configuration,
}

/// Carries the declaration of `get-config`.
pub(crate) struct GetConfig;

impl Primitive for GetConfig {
    const NAME: &'static str = "get-config";
    const SUMMARY: &'static str = "Show the configuration in force";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let path = context.environment().configuration_file();
        let mut configuration = context.configuration()?.clone();
        configuration.store = configuration.store.as_deref().map(Address::masked);
        Ok(Answer::read(Output {
            exists: crate::system::files::exists(&path),
            path: path.display().to_string(),
            home: context.environment().home().display().to_string(),
            configuration,
        }))
    }
}
