//! What is for people, and answers with text in place of an envelope: help, completions, the manual, the version.

use std::ffi::OsString;

use super::{
    completions, help, manual,
    services::{SERVICES, Service},
};
use crate::{
    contract::{Chapter, Failure, unknown_name, validation},
    registry::{ALL, Entry, chapters},
};

/// A command for people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    /// Its name, which stands where the name of a primitive would.
    pub(super) name: &'static str,
    /// One line on it.
    pub(super) summary: &'static str,
    answer: fn(&str) -> Result<String, Failure>,
}

/// All commands for people; each takes one word at most.
pub(super) static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        summary: "Say what there is, what a chapter holds, or what one primitive takes",
        answer: |word| Topic::find(word).map(Topic::text),
    },
    Command {
        name: "completions",
        summary: "Write the completions of a shell: bash, zsh or fish",
        answer: completions::script,
    },
    Command {
        name: "man",
        summary: "Write the page of the manual, or that of one primitive",
        answer: |word| match Entry::find(word) {
            _ if word.is_empty() || word == "legwork" => Ok(manual::page()),
            Some(entry) => Ok(manual::page_of(entry)),
            None => {
                let pages = ALL.iter().map(|entry| entry.about.name);
                Err(unknown_name("page of the manual", word, pages.collect()))
            }
        },
    },
];

/// What help there is on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Topic {
    /// All of it.
    All,
    /// One primitive.
    Primitive(&'static Entry),
    /// One service.
    Service(&'static Service),
    /// One command for people.
    Command(&'static Command),
    /// The primitives of a chapter.
    Chapter(Chapter),
}

impl Topic {
    /// Lists the names of all topics.
    pub(super) fn names() -> Vec<&'static str> {
        let mut names: Vec<&str> = ALL.iter().map(|entry| entry.about.name).collect();
        names.extend(others());
        names.extend(chapters().map(|chapter| chapter.name));
        names
    }

    fn find(word: &str) -> Result<Self, Failure> {
        if word.is_empty() {
            return Ok(Self::All);
        }
        let chapter = || chapters().find(|chapter| chapter.name == word);
        let command = || COMMANDS.iter().find(|command| command.name == word);
        Entry::find(word)
            .map(Self::Primitive)
            .or_else(|| Service::find(word).map(Self::Service))
            .or_else(|| command().map(Self::Command))
            .or_else(|| chapter().map(Self::Chapter))
            .ok_or_else(|| unknown_name("topic", word, Self::names()))
    }

    fn text(self) -> String {
        match self {
            Self::All => help::overview(),
            Self::Primitive(entry) => help::of(entry),
            Self::Service(service) => help::of_service(service),
            Self::Command(command) => help::of_command(command.name),
            Self::Chapter(chapter) => help::of_chapter(chapter),
        }
    }
}

/// Lists what is called as a primitive is, and is none.
fn others() -> impl Iterator<Item = &'static str> {
    let services = SERVICES.iter().map(|service| service.name);
    services.chain(COMMANDS.iter().map(|command| command.name))
}

/// Returns the name of what is no primitive and yet nearer to a mistyped name than any of those.
pub(super) fn nearest_other(name: &str) -> Option<String> {
    let primitives = ALL.iter().map(|entry| entry.about.name);
    let near = validation::nearest(name, primitives.chain(others()))?;
    Entry::find(&near).is_none().then_some(near)
}

/// A command that did not answer.
#[derive(Debug)]
pub(super) struct Refused {
    /// Its name.
    pub(super) command: &'static str,
    /// Why.
    pub(super) failure: Failure,
}

/// Answers what people ask for; nothing where it is a call.
pub(super) fn answer(arguments: &[OsString]) -> Option<Result<String, Box<Refused>>> {
    let words: Vec<&str> = arguments
        .iter()
        .map(|word| word.to_str())
        .filter(|word| *word != Some("--pretty"))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        ["--version" | "-V"] => Some(Ok(format!("legwork {}\n", env!("CARGO_PKG_VERSION")))),
        ["--help" | "-h"] => Some(Ok(help::overview())),
        [name, "--help" | "-h"] => Topic::find(name).ok().map(|topic| Ok(topic.text())),
        [name, rest @ ..] => {
            let command = COMMANDS.iter().find(|command| command.name == *name)?;
            let answer = (command.answer)(&rest.join(" "));
            Some(answer.map_err(|failure| {
                Box::new(Refused {
                    command: command.name,
                    failure,
                })
            }))
        }
        [] => None,
    }
}
