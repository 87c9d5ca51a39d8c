//! `show-schema`: any published schema, without a network and without the source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, publication::Publication},
    primitives::Primitive,
    system::Context,
};

/// Shows a published JSON Schema, the same document as in the folder `schemas`; without a name it lists them all.
///
/// For programs that validate envelopes or make types of them: `envelope`, `<primitive>.input`, `<primitive>.output`,
/// `error-details/<code>`, `configuration`, and `index`, which is no schema but the table of them all. To call one
/// primitive, `describe` has its schemas too, and more.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The schema's name, such as `envelope`, `poll-job.output` or `error-details/disk_full`; all are listed where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) name: Option<String>,
}

/// A published schema, or the list of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The schema's name; null in a list.
    pub(crate) name: Option<String>,
    /// The document; null in a list.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub(crate) schema: Option<Value>,
    /// All names; null where one was asked for.
    pub(crate) schemas: Option<Vec<Named>>,
}

/// A schema that can be shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Named {
    /// Its name.
    pub(crate) name: String,
    /// Its title, which is also the name of the type it describes.
    pub(crate) title: String,
}

/// Carries the declaration of `show-schema`.
pub(crate) struct ShowSchema;

impl Primitive for ShowSchema {
    const NAME: &'static str = "show-schema";
    const SUMMARY: &'static str = "Show a published JSON Schema, or list them all";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::SchemaUnknown];
    const REACHES: &'static [(&'static str, Reach)] = &[("name", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let named = |name: &str| Input {
            name: Some(name.to_owned()),
        };
        vec![
            named("envelope"),
            named("error-details/disk_full"),
            Input { name: None },
        ]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let known = context.descriptions();
        let Some(name) = input.name else {
            let named = Publication::all(&known).into_iter().map(|one| Named {
                name: one.name,
                title: one.title,
            });
            return Ok(Answer::read(Output {
                name: None,
                schema: None,
                schemas: Some(named.collect()),
            }));
        };
        let found = Publication::find(&name, &known)?;
        Ok(Answer::read(Output {
            schema: Some(found.document(&known)),
            name: Some(found.name),
            schemas: None,
        }))
    }
}
