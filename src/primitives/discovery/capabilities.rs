//! `capabilities`: what there is, in a few kilobytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{
        Answer, Code, Description, Effects, Failure, MAX_INPUT_BYTES, Next, Reach, VERSION,
        by_chapter,
        configuration::{Defaults, Ssh},
    },
    domain::agent,
    primitives::Primitive,
    system::Context,
};

/// Says what legwork can do: its chapters, with one line on each; `chapter` names the primitives of one.
///
/// The answer without arguments stays below 4 KB however many primitives there are; `next` says how to go on from it.
/// `full` names all primitives at once, with the effects and failure codes of each, and adds the limits that hold
/// everywhere. `describe` says everything about one primitive.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The chapter whose primitives to name, such as `jobs`; only the chapters are named where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub(crate) chapter: Option<String>,
    /// Whether to say all there is to say: of the chapter, or of all of them.
    #[serde(default)]
    pub(crate) full: bool,
}

/// What there is.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The program's version.
    pub(crate) version: String,
    /// The contract version.
    pub(crate) contract: u32,
    /// The chapters; where one was asked for, that one alone.
    pub(crate) chapters: Vec<Chapter>,
    /// Which kinds of agents it can drive.
    pub(crate) agents: Vec<String>,
    /// What each primitive may do; only in a full answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) primitives: Option<Vec<Detail>>,
    /// Limits that hold everywhere; only in a full answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<Limits>,
}

/// A chapter of the reference.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Chapter {
    /// Its name.
    pub(crate) name: String,
    /// One line on it.
    pub(crate) about: String,
    /// How many primitives it has.
    pub(crate) count: usize,
    /// One line for each primitive, by name; only where a chapter was asked for, and in a full answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) primitives: Option<BTreeMap<String, String>>,
}

/// What a primitive may do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Detail {
    /// Its name.
    pub(crate) name: String,
    /// What a call may change.
    pub(crate) effects: Effects,
    /// The codes it may fail with, besides those that any call may.
    pub(crate) codes: Vec<Code>,
}

/// Limits that hold everywhere.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Limits {
    /// Bytes an input may have.
    pub(crate) input_bytes: u64,
    /// SSH sessions used at once on one host, unless configured otherwise.
    pub(crate) sessions_per_host: u8,
    /// Seconds a run may take, unless the launch says otherwise.
    pub(crate) max_wall_s: u64,
}

/// Carries the declaration of `capabilities`.
pub(crate) struct Capabilities;

impl Primitive for Capabilities {
    const NAME: &'static str = "capabilities";
    const SUMMARY: &'static str = "Say what legwork can do";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("chapter", Reach::Data), ("full", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |chapter: Option<&str>, full| Input {
            chapter: chapter.map(str::to_owned),
            full,
        };
        vec![
            example(None, false),
            example(Some("jobs"), false),
            example(None, true),
        ]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        answer(&context.descriptions(), &input)
    }
}

fn answer(known: &[&'static Description], input: &Input) -> Result<Answer<Output>, Failure> {
    let chapters = by_chapter(known.iter().copied(), input.chapter.as_deref())?;
    let shown = || chapters.iter().flat_map(|(_, own)| own);
    let by_name = input.full || input.chapter.is_some();
    let summaries = |own: &[&Description]| {
        own.iter()
            .map(|about| (about.name.to_owned(), about.summary.to_owned()))
            .collect()
    };
    let details = shown().map(|about| Detail {
        name: about.name.to_owned(),
        effects: about.effects,
        codes: (about.codes)(),
    });
    let output = Output {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        contract: VERSION,
        chapters: chapters
            .iter()
            .map(|(chapter, own)| Chapter {
                name: chapter.name.to_owned(),
                about: chapter.about.to_owned(),
                count: own.len(),
                primitives: by_name.then(|| summaries(own)),
            })
            .collect(),
        agents: agent::ADAPTERS
            .iter()
            .map(|adapter| adapter.name().to_owned())
            .collect(),
        primitives: input.full.then(|| details.collect()),
        limits: input.full.then_some(Limits {
            input_bytes: MAX_INPUT_BYTES.into(),
            sessions_per_host: Ssh::default().max_sessions(),
            max_wall_s: Defaults::default().max_wall_s(),
        }),
    };
    let mut answer = Answer::read(output);
    answer
        .next
        .extend(shown().next().map(|first| next(first, by_name)));
    Ok(answer)
}

/// Says how to go on: from the chapters to one of them, from a chapter to one of its primitives.
fn next(first: &Description, by_name: bool) -> Next {
    if by_name {
        Next::new(
            "describe",
            json!({"primitive": first.name}),
            "says everything about one primitive: schemas, effects, failures, examples",
        )
    } else {
        Next::new(
            "capabilities",
            json!({"chapter": first.chapter.name}),
            "names the primitives of one chapter, with one line on each",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Input, answer};
    use crate::{
        contract::{Chapter, Description},
        primitives::Entry,
    };
    use serde_json::json;

    /// Makes a registry of as many primitives and chapters as legwork is to have, with names and lines of the longest
    /// that are allowed.
    fn many() -> Vec<&'static Description> {
        let text = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        (0..150)
            .map(|number| {
                let chapter = Chapter {
                    name: text(format!("chapter-number-{:02}", number / 6)),
                    about: text(format!("{:-<64}", "What this chapter is for")),
                };
                let mut about = Entry::of::<Capabilities>().placed(chapter).about;
                about.name = text(format!("verb-some-noun-number-{number:03}"));
                about.summary = text(format!("{:-<72}", "What this primitive does"));
                &*Box::leak(Box::new(about))
            })
            .collect()
    }

    #[test]
    fn a_hundred_and_fifty_primitives_fit_into_four_kilobytes_and_each_is_two_calls_away() {
        let known = many();
        let ask = |chapter: Option<String>| {
            let answer = answer(
                &known,
                &Input {
                    chapter,
                    full: false,
                },
            )
            .expect("a known chapter");
            let data = serde_json::to_value(&answer.data).expect("JSON");
            let next = serde_json::to_value(&answer.next).expect("JSON");
            (data, next)
        };
        let (data, next) = ask(None);
        // What the envelope adds is less than 200 bytes.
        let length = data.to_string().len() + next.to_string().len() + 200;
        assert!(length <= 4096, "{length} bytes");
        assert_eq!(
            next[0]["input"],
            json!({"chapter": data["chapters"][0]["name"]})
        );
        let mut found = Vec::new();
        for chapter in data["chapters"].as_array().expect("chapters") {
            let name = chapter["name"].as_str().expect("a name").to_owned();
            let (data, next) = ask(Some(name));
            let length = data.to_string().len() + next.to_string().len() + 200;
            assert!(length <= 4096, "{length} bytes");
            let own = data["chapters"][0]["primitives"].as_object().expect("some");
            assert_eq!(chapter["count"], own.len());
            assert_eq!(next[0]["primitive"], "describe");
            found.extend(own.keys().cloned());
        }
        let names: Vec<&str> = known.iter().map(|about| about.name).collect();
        assert_eq!(found, names);
    }
}
