//! `describe`: everything about one primitive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contract::{Answer, Code, Effects, Failure, Kind, Reach, Retry, Scope, unknown_primitive},
    primitives::Primitive,
    system::Context,
};

/// Says everything about one primitive: what it is for, its schemas, what a call may change, how it can fail, examples,
/// and an input to start from.
///
/// The schemas are those that inputs are checked against and outputs fit; nothing about the primitive is said anywhere
/// else.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The primitive's name.
    pub(crate) primitive: String,
}

/// Everything about one primitive.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Its name.
    pub(crate) primitive: String,
    /// The chapter of the reference it stands in.
    pub(crate) chapter: String,
    /// One line on it.
    pub(crate) summary: String,
    /// What it is for, when to use it, when not.
    pub(crate) documentation: String,
    /// What a call may change.
    pub(crate) effects: Effects,
    /// What fields of its input let a caller reach, beside what the effects say. A program that lets a model call it without
    /// asking a person leaves out primitives of which `needs_a_person` is true anywhere here.
    pub(crate) reaches: Vec<Reached>,
    /// What kinds of changes its calls make, for which a person may have to give leave: `list-authorizations` says which need a
    /// grant here.
    pub(crate) scopes: Vec<InScope>,
    /// Whether only a person may call it, at a terminal or with a key: no service offers it.
    pub(crate) needs_person: bool,
    /// How a call can fail.
    pub(crate) codes: Vec<Described>,
    /// The JSON Schema of its input.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub(crate) input_schema: Value,
    /// The JSON Schema of its output.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub(crate) output_schema: Value,
    /// Inputs worth looking at.
    #[schemars(with = "Vec<serde_json::Map<String, Value>>")]
    pub(crate) examples: Vec<Value>,
    /// A valid input to start from.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub(crate) skeleton: Value,
}

/// What a field of an input lets a caller reach.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Reached {
    /// The field.
    pub(crate) field: String,
    /// What it reaches.
    pub(crate) reach: Reach,
    /// Whether a caller who chooses it makes something run, be installed, be connected to or be written over.
    pub(crate) needs_a_person: bool,
}

/// A scope that calls are in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InScope {
    /// The scope.
    pub(crate) scope: Scope,
    /// The field that has to be given for a call to be in it; null where every call is.
    pub(crate) where_given: Option<String>,
}

/// A way to fail.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Described {
    /// The stable name of the failure.
    pub(crate) error_code: Code,
    /// Its closed class.
    pub(crate) kind: Kind,
    /// When to try again, unless the failure itself says otherwise.
    pub(crate) retry: Retry,
    /// Whether any call may fail so.
    pub(crate) universal: bool,
}

/// Carries the declaration of `describe`.
pub(crate) struct Describe;

impl Primitive for Describe {
    const NAME: &'static str = "describe";
    const SUMMARY: &'static str = "Say everything about one primitive";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    const REACHES: &'static [(&'static str, Reach)] = &[("primitive", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            primitive: "poll-job".to_owned(),
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let known = context.descriptions();
        let about = known
            .iter()
            .find(|about| about.name == input.primitive)
            .ok_or_else(|| unknown_primitive(&input.primitive, &known))?;
        let described = |code: Code, universal| Described {
            error_code: code,
            kind: code.kind(),
            retry: code.retry(),
            universal,
        };
        let input_schema = (about.input_schema)().to_value();
        let examples = (about.examples)();
        Ok(Answer::read(Output {
            primitive: about.name.to_owned(),
            chapter: about.chapter.name.to_owned(),
            summary: about.summary.to_owned(),
            documentation: about.documentation(&input_schema).to_owned(),
            effects: about.effects,
            reaches: about
                .reaches
                .iter()
                .map(|(field, reach)| Reached {
                    field: (*field).to_owned(),
                    reach: *reach,
                    needs_a_person: reach.needs_a_person(),
                })
                .collect(),
            scopes: about
                .scopes
                .iter()
                .map(|one| InScope {
                    scope: one.scope,
                    where_given: one.where_given.map(str::to_owned),
                })
                .collect(),
            needs_person: about.needs_person,
            codes: (about.codes)()
                .into_iter()
                .map(|code| described(code, false))
                .chain(Code::universal().map(|code| described(code, true)))
                .collect(),
            input_schema,
            output_schema: (about.output_schema)().to_value(),
            skeleton: examples.first().cloned().unwrap_or_default(),
            examples,
        }))
    }
}
