//! Who made a commit.

use super::git::Git;
use crate::contract::text;

/// Who made a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The name.
    pub(crate) name: String,
    /// The mail address.
    pub(crate) email: String,
}

impl Identity {
    /// Tells git, for the variables that start so.
    pub(super) fn on(&self, git: Git, start: &str) -> Git {
        let clean = |text: &str, otherwise: &str| {
            let text = text::strip(text).replace(['<', '>'], "");
            match text.trim() {
                "" => otherwise.to_owned(),
                text => text.to_owned(),
            }
        };
        git.with(&format!("{start}_NAME"), clean(&self.name, "legwork"))
            .with(
                &format!("{start}_EMAIL"),
                clean(&self.email, "legwork@localhost"),
            )
    }
}
