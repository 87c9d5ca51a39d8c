//! The adapters: one per command line that legwork knows how to drive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, Event, Login, claude, codex, command, log::Report};

/// A command line that legwork knows how to drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Adapter {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Any program, given as a list of arguments in the configuration.
    Command,
}

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

/// An agent's command line before the adapter has filled it in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The agent's name, for errors.
    pub(super) agent: &'a str,
    /// The program.
    pub(super) program: &'a str,
    /// The arguments of the configuration.
    pub(super) arguments: &'a [String],
    /// For [`Adapter::Command`]: the program and its arguments.
    pub(super) argv: &'a [String],
}

impl Adapter {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Claude, Self::Codex, Self::Command];

    /// Finds one by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|adapter| adapter.name() == name)
    }

    /// Returns its name in configurations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Command => "command",
        }
    }

    /// Returns one line on what it is.
    pub(crate) const fn summary(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code, run headless; edits and shell commands are allowed",
            Self::Codex => "Codex, run headless; edits and shell commands are allowed",
            Self::Command => "any program, given as a list of arguments",
        }
    }

    /// Returns the program it runs where the configuration names no other.
    pub(crate) const fn program(self) -> Option<&'static str> {
        match self {
            Self::Claude => Some("claude"),
            Self::Codex => Some("codex"),
            Self::Command => None,
        }
    }

    /// Returns the variables by which it can be logged in, each a secret.
    pub(crate) const fn credentials(self) -> &'static [&'static str] {
        match self {
            Self::Claude => claude::CREDENTIALS,
            Self::Codex => codex::CREDENTIALS,
            Self::Command => &[],
        }
    }

    /// Returns the arguments that make a program print its version; none where it cannot be asked.
    pub(super) fn version_argv(self, program: &str) -> Option<Vec<String>> {
        match self {
            Self::Claude | Self::Codex => Some(vec![program.to_owned(), "--version".to_owned()]),
            Self::Command => None,
        }
    }

    /// Returns the arguments that make an agent say whether it is logged in; none where it cannot be asked.
    pub(super) fn login_argv(self, program: &str) -> Option<Vec<String>> {
        let script = match self {
            Self::Claude => claude::LOGIN_SCRIPT,
            Self::Codex => codex::LOGIN_SCRIPT,
            Self::Command => return None,
        };
        Some(
            ["sh", "-c", script, "sh", program]
                .map(str::to_owned)
                .into(),
        )
    }

    /// Reads what the login question printed.
    pub(crate) fn read_login(self, output: &str) -> Login {
        match self {
            Self::Claude => claude::read_login(output),
            Self::Codex => codex::read_login(output),
            Self::Command => Login::unknown("the agent has no login that can be asked for"),
        }
    }

    /// Returns the arguments that run an agent; the first is the program.
    pub(super) fn argv(self, line: Line<'_>, request: &Request<'_>) -> Result<Vec<String>, Error> {
        match self {
            Self::Claude => Ok(claude::argv(line, request)),
            Self::Codex => codex::argv(line, request),
            Self::Command => command::argv(line, request),
        }
    }

    /// Reads one line of a log; nothing where it is no line that the agent writes.
    pub(super) fn read_line(self, line: &str) -> Option<(Vec<Event>, Option<Report>)> {
        match self {
            Self::Claude => claude::read_line(line),
            Self::Codex => codex::read_line(line),
            Self::Command => Some(command::read_line(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Adapter;

    #[test]
    fn a_hostile_program_name_stays_one_argument() {
        let hostile = "x'; touch /tmp/no; '";
        for adapter in [Adapter::Claude, Adapter::Codex] {
            let argv = adapter.login_argv(hostile).expect("a question");
            assert_eq!(argv.last().map(String::as_str), Some(hostile));
            assert_eq!(argv.iter().filter(|word| word.contains("touch")).count(), 1);
        }
        assert_eq!(Adapter::Command.login_argv("x"), None);
    }

    #[test]
    fn adapters_are_found_by_their_names() {
        for adapter in Adapter::ALL {
            assert_eq!(Adapter::named(adapter.name()), Some(adapter));
        }
        assert_eq!(Adapter::named("Claude"), None);
    }
}
