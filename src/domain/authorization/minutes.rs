//! What is written down of a decision.

use serde_json::Value;

use crate::{
    domain::audit::{self, Event, Note},
    system::{
        Context,
        store::{Connection, Fault},
    },
};

/// The most characters of what was asked for that are shown to the person who decides.
const SHOWN: usize = 4000;

/// Writes what was asked for as lines for the person who decides; `rest` says where what does not fit is shown.
pub(crate) fn shown(asked: &Value, rest: &str) -> Vec<String> {
    let text = serde_json::to_string_pretty(asked).unwrap_or_default();
    let begin: String = text.chars().take(SHOWN).collect();
    let is_whole = begin.len() == text.len();
    let more = (!is_whole).then(|| format!("… ({rest} shows the rest)"));
    let lines = begin.lines().map(str::to_owned);
    lines.chain(more).map(|line| format!("  {line}")).collect()
}

/// Takes secrets out of a note, which is written down.
pub(crate) fn masked(context: &Context, note: Option<&str>) -> Option<String> {
    note.map(|note| context.redactor().text(note).into_owned())
}

/// Notes what a person decided in the audit log.
pub(crate) fn noted(
    connection: &Connection<'_>,
    event: Event,
    by: &str,
    user: &str,
    subject: &str,
    facts: Value,
) -> Result<(), Fault> {
    audit::append(
        connection,
        Note {
            event,
            by,
            user,
            subject,
            facts,
        },
    )
}
