//! Whether an agent obeys the settings of the repository that it works on.
//!
//! The problem: a repository is a stranger's, and agents are run in it with nobody there to ask. Claude Code takes its
//! endpoint from `.claude/settings.json` (and sends it the key), runs the hooks of that file and starts the servers of
//! `.mcp.json`; others have files of the same kind. All of that happens before the model says a word. So every adapter
//! starts its agent with the repository's settings left out, the configuration allows them by name, and an agent of
//! which nobody here knows how to leave them out is shown as such.
//!
//! Instructions in plain text (`AGENTS.md`, `CLAUDE.md`) are left out along with the rest where the agent has one switch
//! for both. The prompt says that they may be there: an agent then reads them as what they are, a part of the repository.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of the settings, hooks, plugins and MCP servers that a repository brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProjectSettings {
    /// They are left out.
    Off,
    /// Some of them are left out: this agent has no switch for the rest.
    Partial,
    /// The configuration allows them.
    Allowed,
    /// Not known: legwork cannot tell this program to leave them out.
    Unknown,
}
