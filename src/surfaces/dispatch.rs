//! One call: an input checked, a primitive run, an envelope made.

use std::time::Instant;

use serde_json::{Value, value::RawValue};

use crate::{
    contract::{
        Answer, Envelope, Failure, Meta, Next, Refusal, Success, VERSION, text, validation::Checker,
    },
    registry::{Entry, Grants},
    system::{Context, failpoint, secrets::Redactor},
};

/// The longest message and remediation, in characters.
const MAX_SENTENCE: usize = 2000;

/// Sends an input to a primitive, and returns the envelope, whatever happens.
///
/// This is the one door: every surface's calls come through it, and what the caller may do is decided here before anything
/// else. `checker` is the primitive's input schema made ready before.
pub(super) async fn call(
    grants: Grants,
    checker: &Checker,
    context: &Context,
    entry: &Entry,
    input: Value,
    since: Instant,
) -> Envelope {
    let outcome = match grants.admit(entry) {
        Err(refused) => Err(refused),
        Ok(admitted) => {
            let violations = entry.about.violations_by(checker, &input);
            if violations.is_empty() {
                failpoint::reached("call.checked");
                admitted.call(context, input).await
            } else {
                Err(entry.about.refuse(violations))
            }
        }
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
        next: masked(answer.next, &redactor),
        meta: meta(context, since),
    })
}

/// Takes secrets out of suggested calls.
fn masked(mut next: Vec<Next>, redactor: &Redactor) -> Vec<Next> {
    for call in &mut next {
        redactor.value(&mut call.input);
        call.why = redactor.text(&call.why).into_owned();
    }
    next
}

/// Makes the envelope of a failure.
pub fn refusal(context: &Context, name: &str, failure: Failure, since: Instant) -> Envelope {
    let redactor = context.redactor();
    let mut details = failure.details.to_value(failure.code);
    redactor.value(&mut details);
    // What stands in the place of a secret may be longer than the secret.
    let details = failure.code.shape().bound(details);
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
        next: masked(failure.next, &redactor),
        meta: meta(context, since),
    })
}

/// Returns the exit code that goes with an envelope.
pub fn exit_code(envelope: &Envelope, signal: Option<u8>) -> u8 {
    match envelope {
        Envelope::Success(_) => 0,
        Envelope::Refusal(refusal) => refusal.kind.exit_code(signal),
    }
}
