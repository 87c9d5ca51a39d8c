//! `list-agents`: which agents a launch can name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure},
    domain::agent,
    primitives::Primitive,
    system::Context,
};

/// Lists the agents that a launch can name: the built-in ones and those of the configuration.
///
/// Whether one is installed and logged in on a host is for `preflight` to find out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// The agents.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The agents.
    pub(crate) agents: Vec<Listed>,
    /// The agent used where a launch names none.
    pub(crate) default_agent: String,
}

/// An agent.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) name: String,
    /// How it is driven.
    pub(crate) adapter: &'static dyn agent::Adapter,
    /// One line on the adapter.
    pub(crate) summary: String,
    /// The program it runs.
    pub(crate) program: String,
    /// The model where a launch names none; null for the program's own choice.
    pub(crate) model: Option<String>,
    /// The options of a launch that it has.
    pub(crate) options: agent::Options,
    /// What becomes of the settings, hooks, plugins and MCP servers that a repository brings along; `preflight` warns of
    /// an agent that may obey them unasked.
    pub(crate) project_settings: agent::ProjectSettings,
}

/// Carries the declaration of `list-agents`.
pub(crate) struct ListAgents;

impl Primitive for ListAgents {
    const NAME: &'static str = "list-agents";
    const SUMMARY: &'static str = "List the agents a launch can name";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let configuration = context.configuration()?;
        let agents = agent::names(configuration)
            .iter()
            .map(|name| {
                let agent = agent::resolve(configuration, name)?;
                Ok(Listed {
                    options: agent.options(),
                    project_settings: agent.project_settings,
                    name: agent.name,
                    summary: agent.adapter.summary().to_owned(),
                    adapter: agent.adapter,
                    program: agent.program,
                    model: agent.model,
                })
            })
            .collect::<Result<_, agent::Error>>()?;
        Ok(Answer::read(Output {
            agents,
            default_agent: configuration
                .defaults
                .agent
                .as_ref()
                .map_or_else(|| "claude".to_owned(), ToString::to_string),
        }))
    }
}
