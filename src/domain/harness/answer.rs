//! The answers that a stub gives: envelopes as legwork writes them.

use serde_json::{Map, Value, json, value::to_raw_value};

use crate::contract::{
    Code, Effect, Envelope, Meta, Next, Refusal, Retry, Success, VERSION,
    details::{self, Details},
};

/// A failure to be answered with.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    /// The primitive.
    pub(super) primitive: &'static str,
    /// Its code.
    pub(super) code: Code,
    /// What it did to the world.
    pub(super) effect: Effect,
    /// When to try again.
    pub(super) retry: Retry,
    /// The sentence for a reader.
    pub(super) message: &'static str,
    /// The facts.
    pub(super) details: Details,
    /// The calls that follow.
    pub(super) next: Vec<Next>,
}

impl Failing {
    /// Creates a failure of `add-host` with the retry advice of the code and no facts.
    pub(super) fn new(code: Code, message: &'static str) -> Self {
        Self {
            primitive: "add-host",
            code,
            effect: Effect::None,
            retry: code.retry(),
            message,
            details: Details::NONE,
            next: Vec::new(),
        }
    }

    /// Returns the envelope.
    pub(super) fn envelope(self) -> Value {
        written(&Envelope::Refusal(Refusal {
            ok: false,
            v: VERSION,
            primitive: self.primitive.to_owned(),
            error_code: self.code,
            kind: self.code.kind(),
            effect: self.effect,
            retry_safe: self.retry.is_safe(),
            retry: self.retry,
            message: self.message.to_owned(),
            remediation: "Go by `retry`, not by this sentence.".to_owned(),
            details: self.details.into_value(self.code),
            next: self.next,
            meta: META,
        }))
    }
}

/// What a played call cost.
const META: Meta = Meta {
    ms: 12,
    round_trips: 0,
};

/// Makes the envelope of a success.
pub(super) fn success(primitive: &str, effect: Effect, data: &Value) -> Value {
    written(&Envelope::Success(Success {
        ok: true,
        v: VERSION,
        primitive: primitive.to_owned(),
        idempotent: true,
        effect,
        data: to_raw_value(data).unwrap_or_default(),
        warnings: Vec::new(),
        next: Vec::new(),
        meta: META,
    }))
}

/// Makes the envelope of a host that was registered.
pub(super) fn added() -> Value {
    success(
        "add-host",
        Effect::Applied,
        &json!({"name": "gpu-box", "added": true}),
    )
}

/// Makes the line of an envelope.
pub(super) fn line(envelope: &Value) -> String {
    format!("{envelope}\n")
}

/// Adds fields that nobody knows to an envelope and to the objects in it.
///
/// They come after those that are known, as in answers of a later version.
pub(super) fn with_unknown_fields(mut envelope: Value) -> Value {
    let add = |object: &mut Map<String, Value>| {
        object.insert("later".to_owned(), json!(["\"ok\":true", {"ok": false}]));
        object.insert("retry_hint".to_owned(), json!({"mode": "never"}));
    };
    if let Some(fields) = envelope.as_object_mut() {
        for name in ["retry", "meta", "data", "details"] {
            if let Some(inner) = fields.get_mut(name).and_then(Value::as_object_mut) {
                add(inner);
            }
        }
        add(fields);
    }
    envelope
}

/// Gives a failure a code that nobody knows.
pub(super) fn with_unknown_code(mut envelope: Value) -> Value {
    if let Some(code) = envelope.get_mut("error_code") {
        *code = json!("moon_in_the_way");
    }
    envelope
}

/// The job that has failed.
pub(super) const FAILED_JOB: &str = "widgets-12-0123456789ab";

/// A job that has failed, as `poll-job` shows it.
pub(super) fn failed_job() -> Value {
    serde_json::from_str(include_str!("failed_job.json")).unwrap_or_default()
}

/// Makes the envelope of a job that has failed.
pub(super) fn polled() -> Value {
    let data = json!({"jobs": [failed_job()], "active": 0, "next_cursor": "AAAA"});
    success("poll-job", Effect::None, &data)
}

/// Makes the envelope of an input that is good, with any content as its skeleton.
pub(super) fn checked(skeleton: &Value) -> Value {
    let data = json!({"valid": true, "violations": [], "omitted": 0, "skeleton": skeleton});
    success("check-input", Effect::None, &data)
}

/// The answer of a call that was told to stop.
pub(super) fn cancelled() -> Value {
    Failing {
        details: details::Signal::new("SIGTERM").into(),
        ..Failing::new(Code::Cancelled, "SIGTERM ended the call.")
    }
    .envelope()
}

/// Makes the envelope of a failure that passes.
pub(super) fn busy(message: &'static str, retry: Retry) -> Value {
    Failing {
        retry,
        details: details::Store::new("legwork.db", "locked").into(),
        ..Failing::new(Code::StoreBusy, message)
    }
    .envelope()
}

/// Makes the envelope of a failure that a person must resolve.
pub(super) fn full(message: &'static str) -> Value {
    Failing {
        details: details::File::new("legwork.db", "no space left on device").into(),
        ..Failing::new(Code::DiskFull, message)
    }
    .envelope()
}

/// Makes the envelope of a failure for ever.
pub(super) fn taken(message: &'static str) -> Value {
    Failing {
        details: details::Unknown::new("host", "gpu-box")
            .known(vec!["gpu-box".to_owned()])
            .into(),
        ..Failing::new(Code::HostExists, message)
    }
    .envelope()
}

fn written(envelope: &Envelope) -> Value {
    serde_json::to_value(envelope).unwrap_or_default()
}
