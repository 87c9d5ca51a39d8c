//! Who made a commit.

use super::git::Git;
use crate::contract::text;

/// The name of legwork itself.
const NAME: &str = "legwork";

/// The mail address of legwork itself.
const EMAIL: &str = "legwork@localhost";

/// Who made a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The name.
    pub(crate) name: String,
    /// The mail address.
    pub(crate) email: String,
}

impl Identity {
    /// Returns legwork itself, for commits where git knows nobody else.
    pub(super) fn legwork() -> Self {
        Self {
            name: NAME.to_owned(),
            email: EMAIL.to_owned(),
        }
    }

    /// Sets the variables of git whose names start so.
    pub(super) fn on(&self, git: Git, start: &str) -> Git {
        let clean = |text: &str, otherwise: &str| {
            let text = text::strip(text).replace(['<', '>'], "");
            match text.trim() {
                "" => otherwise.to_owned(),
                text => text.to_owned(),
            }
        };
        git.with(&format!("{start}_NAME"), clean(&self.name, NAME))
            .with(&format!("{start}_EMAIL"), clean(&self.email, EMAIL))
    }
}
