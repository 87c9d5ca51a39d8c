//! One call: an input checked, a primitive run, an envelope made.

use std::time::Instant;

use schemars::Schema;
use serde_json::{Value, value::RawValue};

use crate::{
    contract::{
        Answer, Description, Envelope, Failure, Meta, Next, Refusal, Success, VERSION, text,
        validation::Checker,
    },
    registry::{Entry, Grants},
    system::{Context, failpoint, limits, meter::Meter, secrets::Redactor},
};

/// The longest message and remediation, in characters.
const MAX_SENTENCE: usize = 2000;

/// Sends an input to a primitive, and returns the envelope, whatever happens.
///
/// This is the one door: every surface's calls come through it, and what the caller may do is decided here before anything
/// else, and whether the call needs the leave of a person before anything of it runs. `checker` is the primitive's input
/// schema made ready before.
pub(super) async fn call(
    grants: &Grants,
    checker: &Checker,
    context: &Context,
    entry: &Entry,
    input: Value,
    since: Instant,
) -> Envelope {
    let outcome = answered(grants, checker, context, entry, input).await;
    match outcome {
        Ok(answer) => {
            let idempotent = entry.about.effects.idempotent;
            success(context, entry.about.name, idempotent, answer, since)
        }
        Err(failure) => refusal(context, entry.about.name, limits::explained(failure), since),
    }
}

/// Lets a call in, checks its input, lets it through, and runs it.
async fn answered(
    grants: &Grants,
    checker: &Checker,
    context: &Context,
    entry: &Entry,
    input: Value,
) -> Result<Answer<Box<RawValue>>, Failure> {
    let admitted = grants.admit(context, entry, &input)?;
    let violations = entry.about.violations_by(checker, &input);
    if !violations.is_empty() {
        return Err(entry.about.refuse(violations));
    }
    failpoint::reached("call.checked");
    let authorized = admitted.authorize(context, input, Entry::find).await?;
    authorized.call(context).await
}

fn meta(meter: &Meter, since: Instant) -> Meta {
    Meta {
        ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        round_trips: meter.round_trips(),
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
    let data = redactor.json(answer.data, || {
        schema(context, name, |about| about.output_schema)
    });
    let next = masked(context, answer.next, &redactor);
    let warnings = answer
        .warnings
        .iter()
        .map(|warning| redactor.text(warning).into_owned())
        .chain(redactor.new_clashes().iter().map(|name| clash(name)))
        .collect();
    Envelope::Success(Success {
        ok: true,
        v: VERSION,
        primitive: name.to_owned(),
        idempotent,
        effect: answer.effect,
        data,
        warnings,
        next,
        meta: meta(context.meter(), since),
    })
}

/// Makes a schema of a primitive; one that allows everything where there is no primitive of that name.
fn schema(context: &Context, name: &str, which: fn(&Description) -> fn() -> Schema) -> Value {
    let descriptions = context.descriptions();
    let about = descriptions.iter().find(|about| about.name == name);
    about.map_or(Value::Bool(true), |about| which(about)().to_value())
}

/// Warns that a secret is no secret where it is also a word of legwork's own.
fn clash(variable: &str) -> String {
    format!(
        "the secret in {variable} is also a name, an id or another word of this answer and is shown there; in free text it is masked"
    )
}

/// Takes secrets out of suggested calls.
fn masked(context: &Context, mut next: Vec<Next>, redactor: &Redactor) -> Vec<Next> {
    for call in &mut next {
        let primitive = call.primitive.as_str();
        redactor.value_by(&mut call.input, || {
            schema(context, primitive, |about| about.input_schema)
        });
        call.why = redactor.text(&call.why).into_owned();
    }
    next
}

/// Makes the envelope of a failure.
pub fn refusal(context: &Context, name: &str, mut failure: Failure, since: Instant) -> Envelope {
    let redactor = context.redactor();
    failure.next = masked(context, failure.next, &redactor);
    failure.message = redactor.text(&failure.message).into_owned();
    failure.remediation = redactor.text(&failure.remediation).into_owned();
    let mut refusal = plain(name, failure, context.meter(), since);
    let code = refusal.error_code;
    let is_masked = redactor.value_by(&mut refusal.details, || code.shape().schema().to_value());
    if is_masked {
        // The mask may be longer than the secret.
        refusal.details = code.shape().bound(refusal.details);
    }
    for variable in redactor.new_clashes() {
        tracing::warn!("{}", clash(&variable));
    }
    Envelope::Refusal(refusal)
}

/// Makes the envelope of a failure that holds no secret, without reading anything.
pub(super) fn plain_refusal(
    name: &str,
    failure: Failure,
    meter: &Meter,
    since: Instant,
) -> Envelope {
    Envelope::Refusal(plain(name, failure, meter, since))
}

fn plain(name: &str, failure: Failure, meter: &Meter, since: Instant) -> Refusal {
    Refusal {
        ok: false,
        v: VERSION,
        primitive: name.to_owned(),
        error_code: failure.code,
        kind: failure.code.kind(),
        effect: failure.effect.unwrap_or_else(|| meter.effect_of_failure()),
        retry_safe: failure.retry.is_safe(),
        retry: failure.retry,
        message: text::line(&failure.message, MAX_SENTENCE),
        remediation: text::line(&failure.remediation, MAX_SENTENCE),
        details: failure.details.into_value(failure.code),
        next: failure.next,
        meta: meta(meter, since),
    }
}

/// Returns the exit code that goes with an envelope.
pub fn exit_code(envelope: &Envelope, signal: Option<u8>) -> u8 {
    match envelope {
        Envelope::Success(_) => 0,
        Envelope::Refusal(refusal) => refusal.kind.exit_code(signal),
    }
}
