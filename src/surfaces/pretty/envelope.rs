//! The envelope: what came of the call, its data or its failure, and what usually follows.

use serde_json::{Map, Value};

use super::{
    value,
    writer::{Style, Writer},
};
use crate::{
    contract::{Effect, Envelope, Meta, Next, Refusal, Success},
    surfaces::command_line::pasteable,
    system::terminal::Terminal,
};

/// Writes an answer for a terminal.
pub(in crate::surfaces) fn render(envelope: &Envelope, terminal: Terminal) -> String {
    let mut writer = Writer::new(terminal);
    match envelope {
        Envelope::Success(success) => write_success(&mut writer, success),
        Envelope::Refusal(refusal) => write_refusal(&mut writer, refusal),
    }
    writer.into_text()
}

fn write_success(writer: &mut Writer, success: &Success) {
    let effect = effect(success.effect, success.meta);
    writer.line(
        0,
        &[
            (Style::Heading, &success.primitive),
            (Style::Plain, "  "),
            (Style::Good, "ok"),
            (Style::Faint, &effect),
        ],
    );
    writer.gap();
    if let Ok(Value::Object(fields)) = serde_json::from_str(success.data.get()) {
        value::object(writer, 0, &fields);
    }
    if !success.warnings.is_empty() {
        writer.gap();
    }
    for warning in &success.warnings {
        writer.line(
            0,
            &[(Style::Doubtful, "warning: "), (Style::Plain, warning)],
        );
    }
    write_next(writer, &success.next);
}

fn write_refusal(writer: &mut Writer, refusal: &Refusal) {
    let (kind, retry) = (refusal.kind.name(), refusal.retry.mode.name());
    let effect = effect(refusal.effect, refusal.meta);
    let name = if refusal.primitive.is_empty() {
        "legwork"
    } else {
        &refusal.primitive
    };
    writer.line(
        0,
        &[
            (Style::Heading, name),
            (Style::Plain, "  "),
            (Style::Bad, refusal.error_code.name()),
            (Style::Faint, &format!(" ({kind}), retry {retry}{effect}")),
        ],
    );
    writer.gap();
    writer.line(0, &[(Style::Plain, &refusal.message)]);
    writer.line(
        0,
        &[(Style::Good, "→ "), (Style::Plain, &refusal.remediation)],
    );
    if let Value::Object(details) = &refusal.details {
        let shown: Map<String, Value> = details
            .iter()
            .filter(|(_, value)| value.as_array().is_none_or(|items| !items.is_empty()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if shown.values().any(|value| !value.is_null()) {
            writer.gap();
            value::object(writer, 0, &shown);
        }
    }
    write_next(writer, &refusal.next);
}

/// Says what the call did to the world, and what it cost.
fn effect(effect: Effect, meta: Meta) -> String {
    let trips = match meta.round_trips {
        0 => String::new(),
        1 => ", 1 round trip".to_owned(),
        many => format!(", {many} round trips"),
    };
    format!("  effect {}, {} ms{trips}", effect.name(), meta.ms)
}

/// Writes the calls that usually follow, ready to be pasted.
fn write_next(writer: &mut Writer, next: &[Next]) {
    if next.is_empty() {
        return;
    }
    writer.gap();
    writer.line(0, &[(Style::Heading, "next")]);
    for call in next {
        writer.line(2, &[(Style::Faint, "# "), (Style::Faint, &call.why)]);
        writer.line(
            2,
            &[(Style::Plain, &pasteable(&call.primitive, &call.input))],
        );
    }
}
