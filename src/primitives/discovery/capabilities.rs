//! `capabilities`: what there is, in a few kilobytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{
        Answer, Code, Effects, Failure, MAX_INPUT_BYTES, VERSION,
        configuration::{Defaults, Ssh},
    },
    domain::agent,
    primitives::Primitive,
    system::Context,
};

/// Says what legwork can do: the contract version and every primitive with one line, by chapter.
///
/// The compact answer stays below 4 KB. `full` adds the effects and failure codes of each primitive, the built-in
/// agents and the limits. `describe` says everything about one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Whether to say all there is to say.
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
    /// The primitives by chapter.
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
    /// One line for each primitive, by name.
    pub(crate) primitives: std::collections::BTreeMap<String, String>,
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
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input { full: false }, Input { full: true }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let descriptions = context.descriptions();
        let mut chapters: Vec<Chapter> = Vec::new();
        for description in &descriptions {
            let name = description.chapter();
            let line = (description.name.to_owned(), description.summary.to_owned());
            match chapters.iter_mut().find(|chapter| chapter.name == name) {
                Some(chapter) => chapter.primitives.extend([line]),
                None => chapters.push(Chapter {
                    name: name.to_owned(),
                    primitives: [line].into(),
                }),
            }
        }
        let primitives = input.full.then(|| {
            descriptions
                .iter()
                .map(|description| Detail {
                    name: description.name.to_owned(),
                    effects: description.effects,
                    codes: (description.codes)(),
                })
                .collect()
        });
        Ok(Answer::read(Output {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            contract: VERSION,
            chapters,
            agents: agent::Adapter::ALL
                .map(|adapter| adapter.name().to_owned())
                .to_vec(),
            primitives,
            limits: input.full.then_some(Limits {
                input_bytes: MAX_INPUT_BYTES.into(),
                sessions_per_host: Ssh::default().max_sessions(),
                max_wall_s: Defaults::default().max_wall_s(),
            }),
        }))
    }
}
