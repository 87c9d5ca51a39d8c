//! What the lines of a log report beside events, and how an agent's work ended.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::excerpt::{SHORT, excerpt};

/// How an agent's work ended, by its own log. The exit status does not count: agents that failed exit with 0 too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    /// It reports that it is done.
    Completed,
    /// It reports that it is done, but was not allowed to use some tools.
    Denied,
    /// It reached its limit of turns.
    TurnLimit,
    /// It reached its limit of cost.
    CostLimit,
    /// It is not logged in, or its key was not accepted.
    Unauthenticated,
    /// Its model did not answer, or answered with an error.
    ModelError,
    /// It was interrupted.
    Interrupted,
    /// It failed in another way.
    Failed,
    /// The log has no end: the agent still works, or was ended from outside.
    #[default]
    Unfinished,
    /// Agents of this kind do not report on themselves.
    Unreported,
}

impl End {
    /// Returns whether the work succeeded; nothing where the log does not settle it.
    pub(crate) const fn succeeded(self) -> Option<bool> {
        match self {
            Self::Completed => Some(true),
            Self::Denied | Self::Unfinished | Self::Unreported => None,
            Self::TurnLimit
            | Self::CostLimit
            | Self::Unauthenticated
            | Self::ModelError
            | Self::Interrupted
            | Self::Failed => Some(false),
        }
    }

    /// Returns the reason in words.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Completed => "the agent reports that it is done",
            Self::Denied => "the agent reports that it is done, but tools were denied to it",
            Self::TurnLimit => "the agent reached its limit of turns",
            Self::CostLimit => "the agent reached its limit of cost",
            Self::Unauthenticated => "the agent is not logged in, or its key was not accepted",
            Self::ModelError => "the agent's model did not answer, or answered with an error",
            Self::Interrupted => "the agent was interrupted",
            Self::Failed => "the agent failed",
            Self::Unfinished => "the log has no end",
            Self::Unreported => "agents of this kind do not report on themselves",
        }
    }
}

/// What a line adds to the summary. A field that is set replaces what earlier lines set.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The id of the session.
    pub(crate) session_id: Option<String>,
    /// The model.
    pub(crate) model: Option<String>,
    /// Turns of the model.
    pub(crate) turns: Option<u64>,
    /// Tokens read, cached ones included.
    pub(crate) tokens_in: Option<u64>,
    /// Tokens written.
    pub(crate) tokens_out: Option<u64>,
    /// Tokens read from a cache.
    pub(crate) tokens_cached: Option<u64>,
    /// Cost in US dollars.
    pub(crate) cost_usd: Option<f64>,
    /// The final message.
    pub(crate) message: Option<String>,
    /// How it ended; [`End::Unfinished`] where another turn starts.
    pub(crate) end: Option<End>,
    /// Why it failed.
    pub(crate) why: Option<String>,
    /// Tools that were denied.
    pub(crate) denied: Vec<String>,
    /// Names of the tools that were called, by the ids of the calls; for lines that speak of a call by its id.
    pub(crate) calls: BTreeMap<String, String>,
    /// The ids of calls that were denied.
    pub(crate) denied_calls: Vec<String>,
    /// Whether the login was refused.
    pub(crate) unauthenticated: bool,
}

impl Report {
    /// Adds what a later line reports.
    pub(super) fn add(&mut self, later: Self) {
        fn put<T>(place: &mut Option<T>, later: Option<T>) {
            if later.is_some() {
                *place = later;
            }
        }
        put(&mut self.session_id, later.session_id);
        put(&mut self.model, later.model);
        put(&mut self.turns, later.turns);
        put(&mut self.tokens_in, later.tokens_in);
        put(&mut self.tokens_out, later.tokens_out);
        put(&mut self.tokens_cached, later.tokens_cached);
        put(&mut self.cost_usd, later.cost_usd);
        put(&mut self.message, later.message);
        put(&mut self.end, later.end);
        put(&mut self.why, later.why);
        self.unauthenticated |= later.unauthenticated;
        for tool in later.denied {
            let tool = excerpt(&tool, SHORT);
            if self.denied.len() < 20 && !self.denied.contains(&tool) {
                self.denied.push(tool);
            }
        }
    }
}
