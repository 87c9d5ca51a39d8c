//! The options of the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Offers the primitives as tools over the Model Context Protocol, on standard input and output.
///
/// Every tool answers with the envelope that the command line prints, as structured content and as text. Only primitives that
/// read are offered unless `--allow-mutations` is given, and of those no call that runs something, connects to a host that
/// `list-hosts` does not name, or reads a file that lies below no folder of `--files`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::surfaces) struct Options {
    /// `full`: a tool for each primitive. `compact`: three tools, `list`, `describe` and `call`, for agents with little context.
    #[serde(default)]
    pub(super) mode: Mode,
    /// Offer only these: names of primitives or chapters, separated by commas; may be given several times.
    #[serde(default)]
    pub(super) only: Vec<String>,
    /// A folder below which files may be read, such as issues in Markdown; may be given several times. Without one no call
    /// reads a file that its caller names.
    #[serde(default)]
    pub(super) files: Vec<String>,
    /// Offer primitives that change something, too. Then any file may be named.
    #[serde(default)]
    pub(super) allow_mutations: bool,
}

/// How the primitives are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// A tool for each.
    #[default]
    Full,
    /// Three tools for all.
    Compact,
}
