//! The envelope: what came of the call, its data or its failure, and what usually follows.

use serde_json::{Map, Value, json};

use super::{
    sheet::{Look, Sheet},
    value,
};
use crate::{
    contract::{Envelope, Meta, Next, Refusal, Success},
    surfaces::command_line::pasteable,
    system::terminal::Terminal,
};

/// Writes an answer for a terminal.
pub(in crate::surfaces) fn render(envelope: &Envelope, terminal: Terminal) -> String {
    let mut sheet = Sheet::new(terminal);
    match envelope {
        Envelope::Success(success) => tell_success(&mut sheet, success),
        Envelope::Refusal(refusal) => tell_refusal(&mut sheet, refusal),
    }
    sheet.into_text()
}

fn tell_success(sheet: &mut Sheet, success: &Success) {
    let effect = effect(&json!(success.effect), success.meta);
    sheet.line(
        0,
        &[
            (Look::Heading, &success.primitive),
            (Look::Plain, "  "),
            (Look::Good, "ok"),
            (Look::Faint, &effect),
        ],
    );
    sheet.gap();
    if let Ok(Value::Object(fields)) = serde_json::from_str(success.data.get()) {
        value::object(sheet, 0, &fields);
    }
    if !success.warnings.is_empty() {
        sheet.gap();
    }
    for warning in &success.warnings {
        sheet.line(0, &[(Look::Doubtful, "warning: "), (Look::Plain, warning)]);
    }
    tell_next(sheet, &success.next);
}

fn tell_refusal(sheet: &mut Sheet, refusal: &Refusal) {
    let kind = word(&json!(refusal.kind));
    let retry = word(&json!(refusal.retry.mode));
    let effect = effect(&json!(refusal.effect), refusal.meta);
    let name = if refusal.primitive.is_empty() {
        "legwork"
    } else {
        &refusal.primitive
    };
    sheet.line(
        0,
        &[
            (Look::Heading, name),
            (Look::Plain, "  "),
            (Look::Bad, refusal.error_code.name()),
            (Look::Faint, &format!(" ({kind}), retry {retry}{effect}")),
        ],
    );
    sheet.gap();
    sheet.line(0, &[(Look::Plain, &refusal.message)]);
    sheet.line(
        0,
        &[(Look::Good, "→ "), (Look::Plain, &refusal.remediation)],
    );
    if let Value::Object(details) = &refusal.details {
        let told: Map<String, Value> = details
            .iter()
            .filter(|(_, value)| value.as_array().is_none_or(|items| !items.is_empty()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if told.values().any(|value| !value.is_null()) {
            sheet.gap();
            value::object(sheet, 0, &told);
        }
    }
    tell_next(sheet, &refusal.next);
}

/// Says what the call did to the world, and what it cost.
fn effect(effect: &Value, meta: Meta) -> String {
    let trips = match meta.round_trips {
        0 => String::new(),
        1 => ", 1 round trip".to_owned(),
        many => format!(", {many} round trips"),
    };
    format!("  effect {}, {} ms{trips}", word(effect), meta.ms)
}

/// Writes the calls that usually follow, ready to be pasted.
fn tell_next(sheet: &mut Sheet, next: &[Next]) {
    if next.is_empty() {
        return;
    }
    sheet.gap();
    sheet.line(0, &[(Look::Heading, "next")]);
    for call in next {
        sheet.line(2, &[(Look::Faint, "# "), (Look::Faint, &call.why)]);
        sheet.line(
            2,
            &[(Look::Plain, &pasteable(&call.primitive, &call.input))],
        );
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
