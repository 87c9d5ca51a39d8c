//! `show-profile`: all that one profile comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, configuration},
    domain::profile::{self, Origin},
    primitives::Primitive,
    system::Context,
};

/// Shows one profile with all that it extends filled in: what makes the environment, what goes into it, which
/// commands are run, and which variables runs get.
///
/// A profile of one's own stands in the configuration under `[profiles.<name>]`, in the same shape.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The profile's name.
    pub(crate) profile: Name,
}

/// The profile.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Its name.
    pub(crate) name: Name,
    /// Where it is known from.
    pub(crate) origin: Origin,
    /// What it comes to.
    pub(crate) settings: configuration::Profile,
}

/// Carries the declaration of `show-profile`.
pub(crate) struct ShowProfile;

impl Primitive for ShowProfile {
    const NAME: &'static str = "show-profile";
    const SUMMARY: &'static str = "Show all that one profile comes to";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::ProfileUnknown];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            profile: Name::fixed("python-uv"),
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let listed = profile::resolve(context, &input.profile)?;
        Ok(Answer::read(Output {
            name: listed.name,
            origin: listed.origin,
            settings: listed.settings,
        }))
    }
}
