//! Issues: what is the matter, from a forge or a file, and what an agent is told of it.

pub(crate) mod extract_repro;
pub(crate) mod fetch_issue;
pub(crate) mod render_prompt;
