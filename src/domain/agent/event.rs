//! What happens during an agent's work, whichever agent it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::excerpt::{TEXT, excerpt};

/// One thing that happened during an agent's work. Texts are cleaned of control characters and kept short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The agent started.
    Started {
        /// The id of its session, by which it can be resumed.
        session_id: Option<String>,
        /// The model it uses.
        model: Option<String>,
    },
    /// It wrote a text.
    Text {
        /// The text.
        text: String,
    },
    /// It called a tool.
    ToolUse {
        /// The tool's name.
        name: String,
        /// What it was called with, in short: the command, the file, or the input as JSON.
        input: String,
    },
    /// A tool returned.
    ToolResult {
        /// Whether the tool did what it was asked.
        ok: bool,
        /// What it returned.
        text: String,
    },
    /// It was not allowed to use a tool.
    Denied {
        /// The tool's name; empty where the line does not give it.
        name: String,
        /// Why.
        text: String,
    },
    /// Something went wrong. The agent may go on: only [`Event::Result`] is its end.
    Error {
        /// The message.
        text: String,
    },
    /// What the work has used so far.
    Usage {
        /// Tokens read, cached ones included.
        tokens_in: u64,
        /// Tokens written.
        tokens_out: u64,
    },
    /// It ended by itself and reported how.
    Result {
        /// Whether it succeeded; null where its report does not settle it.
        ok: Option<bool>,
        /// Its final message, or why it failed.
        text: String,
    },
    /// A line that could not be read.
    Unreadable {
        /// The line, in short.
        text: String,
    },
}

impl Event {
    /// Makes a text event; none where the text is blank.
    pub(super) fn text(text: &str) -> Option<Self> {
        let text = excerpt(text, TEXT);
        (!text.trim().is_empty()).then_some(Self::Text { text })
    }
}
