//! `check-input`: validate without running.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    contract::{Answer, Code, Effects, Failure, ListedViolations, Reach, unknown_primitive},
    primitives::Primitive,
    system::Context,
};

/// Checks an input as a call of the primitive would, without calling it.
///
/// Reports all violations at once. An input that is wrong is data here, not a failure of this call.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The primitive's name.
    pub(crate) primitive: String,
    /// The input to check.
    pub(crate) input: serde_json::Map<String, Value>,
}

/// What the check found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Whether the primitive would take the input.
    pub(crate) valid: bool,
    /// The ways in which the input is wrong, at most 50.
    pub(crate) violations: ListedViolations,
    /// How many more there are than are listed.
    pub(crate) omitted: u64,
    /// A valid input to start from; null where the input is valid.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub(crate) skeleton: Option<Value>,
}

/// Carries the declaration of `check-input`.
pub(crate) struct CheckInput;

impl Primitive for CheckInput {
    const NAME: &'static str = "check-input";
    const SUMMARY: &'static str = "Check an input without running the primitive";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    const TAKES_NUL: &'static [&'static str] = &["input"];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("primitive", Reach::Data), ("input", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            primitive: "describe".to_owned(),
            input: [("primitive".to_owned(), Value::from("poll-job"))]
                .into_iter()
                .collect(),
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let known = context.descriptions();
        let about = known
            .iter()
            .find(|about| about.name == input.primitive)
            .ok_or_else(|| unknown_primitive(&input.primitive, &known))?;
        let violations = about.violations(Value::Object(input.input));
        let valid = violations.is_empty();
        let (violations, omitted) = violations.into_parts();
        Ok(Answer::read(Output {
            valid,
            violations,
            omitted,
            skeleton: (!valid)
                .then(|| (about.examples)().into_iter().next())
                .flatten(),
        }))
    }
}
