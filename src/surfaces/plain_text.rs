//! What is answered with text for people in place of an envelope: help, completions, the manual, the version.

use std::ffi::OsString;

use super::{
    commands::{COMMANDS, Command},
    completions, flags, help, manual,
    services::{SERVICES, Service},
};
use crate::{
    contract::{Chapter, Failure, unknown_name, validation},
    registry::{ALL, Entry, chapters},
};

/// A command for people that did not answer.
#[derive(Debug)]
pub(super) struct Refused {
    /// Its name.
    pub(super) command: &'static str,
    /// Why.
    pub(super) failure: Failure,
}

/// What help there is on.
#[derive(Clone, Copy, Debug)]
enum Topic {
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
    /// Finds what can be called by a name, or a chapter; all where there is no name.
    fn find(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::All);
        }
        let chapter = || chapters().find(|chapter| chapter.name == name);
        Entry::find(name)
            .map(Self::Primitive)
            .or_else(|| Service::find(name).map(Self::Service))
            .or_else(|| Command::find(name).map(Self::Command))
            .or_else(|| chapter().map(Self::Chapter))
    }

    /// Creates the failure of a name that is no topic.
    fn unknown(name: &str) -> Failure {
        let mut names: Vec<&str> = ALL.iter().map(|entry| entry.about.name).collect();
        names.extend(others());
        names.extend(chapters().map(|chapter| chapter.name));
        unknown_name("topic", name, names)
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

    /// Returns whether a flag takes the word behind it for its value, whatever that word is.
    fn takes_value(self, flag: &str) -> bool {
        match self {
            Self::Primitive(entry) => {
                let schema = (entry.about.input_schema)();
                ["spec", "json"].contains(&flag) || flags::takes_value(schema.as_value(), flag)
            }
            Self::Service(service) => flags::takes_value(&service.schema(), flag),
            Self::All | Self::Command(_) | Self::Chapter(_) => false,
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

/// Answers what people ask for; nothing where it is a call.
pub(super) fn answer(arguments: &[OsString]) -> Option<Result<String, Box<Refused>>> {
    let before = arguments.iter().take_while(|word| *word == "--pretty");
    let words = arguments.get(before.count()..).unwrap_or_default();
    let name = words.first()?.to_str();
    let topic = match name {
        Some(flag) if flag.starts_with('-') => Some(Topic::All),
        other => other.and_then(Topic::find),
    };
    match asked(words, topic) {
        Some(Flag::Version) => {
            return Some(Ok(format!("legwork {}\n", env!("CARGO_PKG_VERSION"))));
        }
        // Of a name that nothing has there is no help; the call is refused with the nearest one.
        Some(Flag::Help) => return topic.map(|topic| Ok(topic.text())),
        None => {}
    }
    let command = Command::find(name?)?;
    let rest: Option<Vec<&str>> = words
        .iter()
        .skip(1)
        .map(|word| word.to_str())
        .filter(|word| *word != Some("--pretty"))
        .collect();
    let answer = of_command(command, &rest?.join(" "));
    Some(answer.map_err(|failure| {
        Box::new(Refused {
            command: command.name,
            failure,
        })
    }))
}

fn of_command(command: &Command, word: &str) -> Result<String, Failure> {
    match command.name {
        "completions" => completions::script(word),
        "man" => match Entry::find(word) {
            _ if word.is_empty() || word == "legwork" => Ok(manual::page()),
            Some(entry) => Ok(manual::page_of(entry)),
            None => {
                let pages = ALL.iter().map(|entry| entry.about.name);
                Err(unknown_name("page of the manual", word, pages.collect()))
            }
        },
        _ => Topic::find(word)
            .map(Topic::text)
            .ok_or_else(|| Topic::unknown(word)),
    }
}

/// A flag that is answered with text wherever it stands on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    Help,
    Version,
}

/// Finds the first such flag. What another flag takes for its value is none, and nothing behind `--` is.
fn asked(words: &[OsString], topic: Option<Topic>) -> Option<Flag> {
    let flag = |word: &OsString| match word.to_str() {
        Some("--help" | "-h") => Some(Flag::Help),
        Some("--version" | "-V") => Some(Flag::Version),
        _ => None,
    };
    // Calls, which have none, do not pay for the schema.
    words.iter().find_map(flag)?;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(flag) = flag(word) {
            return Some(flag);
        }
        let name = word.to_str().and_then(|word| word.strip_prefix("--"));
        if name == Some("") {
            return None;
        }
        if name.is_some_and(|name| topic.is_some_and(|topic| topic.takes_value(name))) {
            words.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn help_and_version_are_answered_wherever_they_stand() {
        let text = |line: &str| {
            let words: Vec<_> = line.split(' ').map(Into::into).collect();
            answer(&words).map(|answer| answer.expect("a text"))
        };
        let of_poll = text("poll-job --help");
        assert!(of_poll.is_some());
        for line in [
            "poll-job -h",
            "--pretty poll-job --help",
            "poll-job --job-ids x --help",
            "poll-job --wait-s 5 -h --pretty",
            "poll-job --help --no-such-flag",
            "poll-job --no-such-flag --help",
            "poll-job --job-ids=x --help",
        ] {
            assert_eq!(text(line), of_poll, "{line}");
        }
        let version = text("--version");
        assert!(version.is_some());
        for line in [
            "-V",
            "poll-job --version",
            "batch --concurrency 3 -V",
            "no-such-thing --version",
            "man poll-job -V",
        ] {
            assert_eq!(text(line), version, "{line}");
        }
        assert_eq!(text("--no-such-flag --help"), text("help"));
        assert_eq!(text("batch --concurrency 3 --help"), text("help batch"));
        // The value of another flag, what stands behind the end of the flags, and nothing that can be called.
        for line in [
            "launch-investigation --message --help",
            "poll-job --json -h",
            "poll-job -- --help",
            "no-such-thing --help",
            "poll-job",
        ] {
            assert_eq!(text(line), None, "{line}");
        }
    }
}
