//! What an agent is asked to do, and which options it takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The options of a launch that an agent has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Options {
    /// Whether a model can be chosen.
    pub(crate) model: bool,
    /// Whether the number of turns can be limited.
    pub(crate) max_turns: bool,
    /// Whether what it spends can be limited.
    pub(crate) max_cost_usd: bool,
}

/// What an agent is asked to do, and where. The prompt itself comes on its standard input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The file that holds the prompt.
    pub(crate) prompt_file: &'a str,
    /// The model, where the launch names one.
    pub(crate) model: Option<&'a str>,
    /// The turn limit, where there is one.
    pub(crate) max_turns: Option<u32>,
    /// The limit in US dollars, where there is one.
    pub(crate) max_cost_usd: Option<f64>,
    /// The folder the agent works in; it is started there.
    pub(crate) worktree: &'a str,
    /// The job's own folder, into which the agent reports.
    pub(crate) job: &'a str,
    /// The id of the agent's session, a UUID.
    pub(crate) session_id: &'a str,
}

/// The configured part of an agent's command line, which its adapter completes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandLine<'a> {
    /// The agent's name, for errors.
    pub(crate) agent: &'a str,
    /// The program.
    pub(crate) program: &'a str,
    /// The arguments that the configuration adds.
    pub(crate) arguments: &'a [String],
    /// The whole argv, where the configuration gives it.
    pub(crate) argv: &'a [String],
    /// Whether the configuration lets it obey the repository's own settings.
    pub(crate) project_settings: bool,
}

impl Options {
    /// Returns the names of the options it has.
    pub(super) fn names(self) -> Vec<String> {
        [
            (self.model, "model"),
            (self.max_turns, "max_turns"),
            (self.max_cost_usd, "max_cost_usd"),
        ]
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, name)| name.to_owned())
        .collect()
    }

    /// Returns the first option that a request uses and an agent of these options does not have.
    pub(super) fn missing_for(self, request: &Request<'_>) -> Option<&'static str> {
        [
            (self.model, request.model.is_some(), "model"),
            (self.max_turns, request.max_turns.is_some(), "max_turns"),
            (
                self.max_cost_usd,
                request.max_cost_usd.is_some(),
                "max_cost_usd",
            ),
        ]
        .into_iter()
        .find(|(has, wanted, _)| *wanted && !has)
        .map(|(.., name)| name)
    }
}
