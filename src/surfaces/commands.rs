//! The commands for people, as data: what each is called, what it is for, and which words it takes.
//!
//! Help, manual and completions read this list; what the commands answer is decided above it, where plain text is answered.

use super::services::SERVICES;
use crate::registry::{ALL, chapters};

/// A command for people: it answers with text in place of an envelope, and takes one word at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    /// Its name, which stands where the name of a primitive would.
    pub(super) name: &'static str,
    /// One line on it.
    pub(super) summary: &'static str,
    /// Lists the words that it takes, each with one line on it.
    pub(super) words: fn() -> Vec<(&'static str, &'static str)>,
}

/// All commands for people.
pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        summary: "Say what there is, what a chapter holds, or what one primitive takes",
        words: || {
            let mut words = primitives();
            words.extend(SERVICES.iter().map(|it| (it.name, it.summary)));
            // A word that is the command's own name would keep fish from offering any.
            let others = COMMANDS.iter().filter(|it| it.name != "help");
            words.extend(others.map(|it| (it.name, it.summary)));
            words.extend(chapters().map(|it| (it.name, it.about)));
            words
        },
    },
    Command {
        name: "completions",
        summary: "Write the completions of a shell: bash, zsh or fish",
        words: || SHELLS.iter().map(|name| (*name, "")).collect(),
    },
    Command {
        name: "man",
        summary: "Write the page of the manual, or that of one primitive",
        words: primitives,
    },
];

/// The shells there are completions for.
pub(super) const SHELLS: &[&str] = &["bash", "zsh", "fish"];

fn primitives() -> Vec<(&'static str, &'static str)> {
    ALL.iter()
        .map(|entry| (entry.about.name, entry.about.summary))
        .collect()
}

impl Command {
    /// Finds a command by name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.name == name)
    }
}
