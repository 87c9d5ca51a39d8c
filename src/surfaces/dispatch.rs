//! One call: an input checked, a primitive run, an envelope made.

use std::time::Instant;

use serde_json::{Value, value::RawValue};

use crate::{
    contract::{
        Answer, Description, Envelope, Failure, Meta, Refusal, Success, VERSION, text,
        validation::Checker,
    },
    registry::Entry,
    system::{Context, failpoint},
};

/// The longest message and remediation, in characters.
const MAX_SENTENCE: usize = 2000;

/// Sends an input to a primitive, checked by its schema made ready before, and returns the envelope, whatever happens.
pub(super) async fn call(
    checker: &Checker,
    context: &Context,
    entry: &Entry,
    input: Value,
    since: Instant,
) -> Envelope {
    let violations = Description::violations_by(checker, &input);
    let outcome = if violations.is_empty() {
        failpoint::reached("call.checked");
        (entry.call)(context, input).await
    } else {
        Err(entry.about.refuse(violations))
    };
    match outcome {
        Ok(answer) => {
            let idempotent = entry.about.effects.idempotent;
            success(context, entry.about.name, idempotent, answer, since)
        }
        Err(failure) => refusal(context, entry.about.name, failure, since),
    }
}

fn meta(context: &Context, since: Instant) -> Meta {
    Meta {
        ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        round_trips: context.meter().round_trips(),
    }
}

/// Makes the envelope of a success.
pub(super) fn success(
    context: &Context,
    name: &str,
    idempotent: bool,
    answer: Answer<Box<RawValue>>,
    since: Instant,
) -> Envelope {
    let redactor = context.redactor();
    let data = redactor.json(answer.data);
    let mut next = answer.next;
    for call in &mut next {
        redactor.value(&mut call.input);
        call.why = redactor.text(&call.why).into_owned();
    }
    Envelope::Success(Success {
        ok: true,
        v: VERSION,
        primitive: name.to_owned(),
        idempotent,
        effect: answer.effect,
        data,
        warnings: answer
            .warnings
            .iter()
            .map(|warning| redactor.text(warning).into_owned())
            .collect(),
        next,
        meta: meta(context, since),
    })
}

/// Makes the envelope of a failure.
pub fn refusal(context: &Context, name: &str, failure: Failure, since: Instant) -> Envelope {
    let redactor = context.redactor();
    let mut details = failure.details.to_value(failure.code);
    redactor.value(&mut details);
    let mut next = failure.next;
    for call in &mut next {
        redactor.value(&mut call.input);
        call.why = redactor.text(&call.why).into_owned();
    }
    Envelope::Refusal(Refusal {
        ok: false,
        v: VERSION,
        primitive: name.to_owned(),
        error_code: failure.code,
        kind: failure.code.kind(),
        effect: failure
            .effect
            .unwrap_or_else(|| context.meter().effect_of_failure()),
        retry_safe: failure.retry.is_safe(),
        retry: failure.retry,
        message: text::line(&redactor.text(&failure.message), MAX_SENTENCE),
        remediation: text::line(&redactor.text(&failure.remediation), MAX_SENTENCE),
        details,
        next,
        meta: meta(context, since),
    })
}

/// Returns the exit status that goes with an envelope.
pub fn exit_status(envelope: &Envelope, signal: Option<u8>) -> u8 {
    match envelope {
        Envelope::Success(_) => 0,
        Envelope::Refusal(refusal) => refusal.kind.exit_status(signal),
    }
}
