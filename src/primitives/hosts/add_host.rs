//! `add-host`: make a machine known by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Name, Next, Reach, configuration},
    domain::host,
    primitives::Primitive,
    system::Context,
};

/// Registers a machine under a name, in the database of this machine.
///
/// Aliases of the ssh configuration need no registration. A name that is taken with other settings is refused, and
/// with the same settings is a replay. Nothing is sent to the machine: `preflight` finds out whether a launch there would work.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The name to use in other calls.
    pub(crate) name: Name,
    /// What the ssh client is given: an alias, `user@name` or `ssh://user@name:port`. The name itself where none is given.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_\[][A-Za-z0-9_@:./\[\]%-]{0,254}$"))]
    pub(crate) destination: Option<String>,
    /// The folder legwork keeps its things in there, absolute or below the home; `legwork` where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) root: Option<String>,
    /// Folders put in front of PATH there, for agents installed outside the login's own PATH.
    #[serde(default)]
    pub(crate) path: Vec<String>,
    /// Whether only to report what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What is registered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host's name.
    pub(crate) name: Name,
    /// Whether this call registered it, or would have in a dry run.
    pub(crate) added: bool,
}

/// Carries the declaration of `add-host`.
pub(crate) struct AddHost;

impl Primitive for AddHost {
    const NAME: &'static str = "add-host";
    const SUMMARY: &'static str = "Register a machine under a name";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[Code::HostExists];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("destination", Reach::Address),
        ("root", Reach::Place),
        ("path", Reach::Command),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: Name::fixed("gpu-box"),
            destination: Some("me@gpu-box.example.org".to_owned()),
            root: None,
            path: Vec::new(),
            dry_run: false,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let settings = configuration::Host {
            destination: input.destination,
            root: input.root,
            path: input.path,
            ..configuration::Host::default()
        };
        let effect = host::add(context, &input.name, &settings, input.dry_run).await?;
        let output = Output {
            added: effect == Effect::Applied,
            name: input.name.clone(),
        };
        let effect = if input.dry_run { Effect::None } else { effect };
        Ok(Answer::new(effect, output).with_next(Next::new(
            "preflight",
            json!({"host": input.name}),
            "find out whether a launch there would work",
        )))
    }
}
