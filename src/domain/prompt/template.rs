//! Templates of prompts, and the names they may use.

/// The names that a template may use.
pub(super) const NAMES: &[&str] = &[
    "base",
    "issue",
    "issue_url",
    "job_dir",
    "job_id",
    "message",
    "offers",
    "repository",
    "repro",
    "repro_file",
    "trust_note",
    "verify",
    "worktree",
];

/// A template's name and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// Its name, or the path of its file.
    pub(crate) name: String,
    /// Its text, in the language of Jinja.
    pub(crate) text: String,
}

impl Template {
    /// The names of the templates that are built in.
    pub(crate) const BUILT_IN: &[&str] = &["investigate"];

    /// Returns a template that is built in.
    pub(crate) fn built_in(name: &str) -> Option<Self> {
        let text = match name {
            "investigate" => include_str!("templates/investigate.md"),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }
}
