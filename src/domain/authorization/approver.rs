//! Who may decide: a person, who is known by what they type at a terminal, or by a key that no agent is given.
//!
//! What this is worth stands in `docs/trust.md`: against an agent that runs as the same user it is a threshold, not a wall.

use std::time::Duration;

use super::{error::Error, model::Via, policy};
use crate::{
    contract::text,
    system::{
        Context,
        confirmation::{self, Refused},
        digest,
    },
};

/// How long a question stands at a terminal.
const PATIENCE: Duration = Duration::from_secs(300);

/// The fewest characters of a key: a shorter one could be guessed from its digest.
const SHORTEST_KEY: usize = 20;

/// The variable that the agents of legwork have.
const OF_JOBS: &str = "LEGWORK_JOB";

/// What a person is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// What is to be decided, line by line; texts of strangers may stand in it.
    pub(crate) lines: Vec<String>,
    /// The word that has to be typed.
    pub(crate) word: String,
}

/// Finds out that a person decides, and how they are known.
pub(crate) fn verify(context: &Context, question: &Question) -> Result<Via, Error> {
    if context.environment().get(OF_JOBS).is_some() {
        return Err(Error::Unverified {
            reason: "inside_job",
            found: format!("{OF_JOBS} is set, so this call comes from the agent of a job"),
        });
    }
    let key = match context.environment().authorization_key() {
        Some(key) => Some(key.trim().to_owned()),
        None => policy::key_of_file(context)?,
    };
    match key {
        Some(key) => compare(context, &key),
        None => ask(question),
    }
}

/// Compares a key with what the configuration says of it.
fn compare(context: &Context, key: &str) -> Result<Via, Error> {
    context.learn_secret(key);
    let refused = |reason, found: &str| {
        Err(Error::Unverified {
            reason,
            found: found.to_owned(),
        })
    };
    let Some(wanted) = &context.configuration()?.authorization.key_sha256 else {
        return refused(
            "key_unusable",
            "a key is given, and the configuration has no key_sha256 in [authorization] to compare it with",
        );
    };
    if key.chars().count() < SHORTEST_KEY {
        return refused("key_unusable", "the key has fewer than 20 characters");
    }
    // Digests are compared, so how long that takes says nothing of the key.
    if digest::sha256(key.as_bytes()) == *wanted {
        Ok(Via::Key)
    } else {
        refused(
            "key_wrong",
            "the key is not the one of key_sha256 in [authorization]",
        )
    }
}

/// Shows what is to be decided at the terminal, and waits for the word.
fn ask(question: &Question) -> Result<Via, Error> {
    let mut shown = String::from("\n");
    for line in &question.lines {
        shown.push_str(&text::escape(line));
        shown.push('\n');
    }
    let word = text::escape(&question.word).into_owned();
    let prompt = format!("Type {word} to confirm, or anything else to leave it as it is: ");
    match confirmation::confirm(&shown, &prompt, &word, PATIENCE) {
        Ok(()) => Ok(Via::Terminal),
        Err(Refused::NoTerminal(found)) => Err(Error::Unverified {
            reason: "no_terminal",
            found,
        }),
        Err(Refused::OtherWord) => Err(Error::Unverified {
            reason: "not_confirmed",
            found: "something else was typed".to_owned(),
        }),
        Err(Refused::TooSlow) => Err(Error::Unverified {
            reason: "timed_out",
            found: format!("nothing was typed within {} s", PATIENCE.as_secs()),
        }),
    }
}
