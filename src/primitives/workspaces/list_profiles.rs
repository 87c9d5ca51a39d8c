//! `list-profiles`: which ways there are to make an environment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Name},
    domain::profile::{self, Origin},
    primitives::Primitive,
    system::Context,
};

/// Lists the profiles that `provision-workspace` can make environments by: the built-in ones and those of the
/// configuration file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The profiles by name.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The profiles.
    pub(crate) profiles: Vec<Profile>,
}

/// A profile.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Profile {
    /// Its name.
    pub(crate) name: Name,
    /// What it is for.
    pub(crate) summary: Option<String>,
    /// Where it is known from.
    pub(crate) origin: Origin,
    /// The profile it extends.
    pub(crate) extends: Option<Name>,
}

/// Carries the declaration of `list-profiles`.
pub(crate) struct ListProfiles;

impl Primitive for ListProfiles {
    const NAME: &'static str = "list-profiles";
    const SUMMARY: &'static str = "List the profiles environments are made by";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let profiles: Vec<Profile> = profile::list(context)?
            .into_iter()
            .map(|listed| Profile {
                name: listed.name,
                summary: listed.settings.summary,
                origin: listed.origin,
                extends: listed.settings.extends,
            })
            .collect();
        Ok(Answer::read(Output { profiles }))
    }
}
