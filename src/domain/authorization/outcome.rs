//! What came of a call, as it is kept.

use serde_json::{Value, value::RawValue};

use super::model::{Outcome, Problem};
use crate::{
    contract::{Answer, Effect, Failure},
    system::Context,
};

/// Makes what is kept of the end of a call. Secrets are masked in it as they are in an answer.
pub(super) fn of(
    context: &Context,
    primitive: &str,
    ended: &Result<Answer<Box<RawValue>>, Failure>,
) -> Outcome {
    let redactor = context.redactor();
    let text = |text: &str| redactor.text(text).into_owned();
    let masked = |mut value: Value| {
        redactor.value(&mut value);
        value
    };
    let next = |calls: &[crate::contract::Next]| {
        calls
            .iter()
            .map(|call| crate::contract::Next {
                primitive: call.primitive.clone(),
                input: masked(call.input.clone()),
                why: text(&call.why),
            })
            .collect()
    };
    match ended {
        Ok(answer) => {
            let schema = || {
                let known = context.descriptions();
                let about = known.iter().find(|about| about.name == primitive);
                about.map_or(Value::Bool(true), |about| {
                    (about.output_schema)().to_value()
                })
            };
            let data = redactor.json(answer.data.clone(), schema);
            Outcome {
                succeeded: true,
                effect: answer.effect,
                data: serde_json::from_str(data.get()).ok(),
                error: None,
                warnings: answer
                    .warnings
                    .iter()
                    .map(|warning| text(warning))
                    .collect(),
                next: next(&answer.next),
            }
        }
        Err(failure) => Outcome {
            succeeded: false,
            effect: failure
                .effect
                .unwrap_or_else(|| context.meter().effect_of_failure()),
            data: None,
            error: Some(Problem {
                error_code: failure.code,
                kind: failure.code.kind(),
                retry: failure.retry,
                message: text(&failure.message),
                remediation: text(&failure.remediation),
                details: masked(failure.details.clone().into_value(failure.code)),
            }),
            warnings: Vec::new(),
            next: next(&failure.next),
        },
    }
}

impl Outcome {
    /// Makes the answer of a call that found another one, the very same, having done what was asked.
    pub(crate) fn replayed(&self) -> Option<Answer<Box<RawValue>>> {
        let data = self.data.as_ref()?;
        let data = serde_json::value::to_raw_value(data).ok()?;
        let mut answer = Answer::new(Effect::Replayed, data);
        answer.warnings.clone_from(&self.warnings);
        answer.next.clone_from(&self.next);
        Some(answer)
    }
}
