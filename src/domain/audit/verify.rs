//! Whether the audit log is as it was written: every entry by its own digest, its number, and the entry before it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    error::Error,
    model::{Entry, Head},
    records::{self, Raw},
    table,
};
use crate::system::Context;

/// The most findings that are listed.
const MOST: usize = 20;

/// Entries that are read at once.
const AT_ONCE: u32 = 500;

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingKind {
    /// Its text is not the one of which it has the digest.
    Changed,
    /// Entries before it are gone, by the numbers.
    Removed,
    /// It does not follow the entry before it: one of the two was moved, put in or written anew.
    Unlinked,
    /// Entries at the end are gone, or the end was written anew.
    End,
    /// The digest that the caller knew is that of no entry.
    UnknownDigest,
}

/// Something that is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// The number of the entry at which it shows; null where it cannot be read, or where the log as a whole is meant.
    pub(crate) number: Option<i64>,
    /// What is wrong.
    pub(crate) kind: FindingKind,
    /// What was found, for a reader.
    pub(crate) message: String,
}

/// What a look at the whole log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Verified {
    /// Whether every entry is as it was written, and all are there.
    pub(crate) intact: bool,
    /// How many entries were read.
    pub(crate) entries: u64,
    /// What is wrong, oldest first, at most 20.
    pub(crate) findings: Vec<Finding>,
    /// How many more findings there are than are listed.
    pub(crate) omitted: u64,
}

/// The walk along the log.
#[derive(Debug, Default)]
struct Walk {
    entries: u64,
    findings: Vec<Finding>,
    omitted: u64,
    /// Number and digest of the entry before.
    before: Option<Head>,
    /// Whether the entry before can be read, so that the next one can be compared with it.
    is_readable: bool,
    knows: bool,
}

impl Walk {
    fn note(&mut self, number: Option<i64>, kind: FindingKind, message: String) {
        if self.findings.len() < MOST {
            self.findings.push(Finding {
                number,
                kind,
                message,
            });
        } else {
            self.omitted += 1;
        }
    }

    /// Takes one entry.
    fn step(&mut self, raw: Raw, known: Option<&str>) {
        let Raw {
            number,
            record,
            previous,
            digest,
        } = raw;
        self.entries += 1;
        self.knows |= known == Some(digest.as_str());
        let says: Option<i64> = serde_json::from_str::<Entry>(&record)
            .ok()
            .map(|entry| entry.number);
        if table::digest_of(&previous, &record) != digest {
            let message = format!("the text of entry {number} does not have its digest");
            self.note(Some(number), FindingKind::Changed, message);
        } else if says != Some(number) {
            let message = format!("entry {number} says of itself that it is another one");
            self.note(Some(number), FindingKind::Changed, message);
        }
        let (last, wanted) = match &self.before {
            Some(before) => (before.number, before.digest.as_str()),
            None => (0, records::NOTHING_BEFORE),
        };
        let is_linked = wanted == previous || !self.is_readable;
        if number != last.saturating_add(1) {
            let message = format!("entry {number} comes after {last}");
            self.note(Some(number), FindingKind::Removed, message);
        } else if !is_linked {
            let message = format!("entry {number} does not hold the digest of entry {last}");
            self.note(Some(number), FindingKind::Unlinked, message);
        }
        self.before = Some(Head { number, digest });
        self.is_readable = true;
    }
}

/// Reads the whole log and says what is wrong with it. `known` is a digest that stood in it before.
pub(crate) fn verify(context: &Context, known: Option<&str>) -> Result<Verified, Error> {
    let head = records::head(context)?;
    let mut walk = Walk {
        is_readable: true,
        ..Walk::default()
    };
    let mut behind = None;
    loop {
        let start = behind;
        let part = records::behind(context, behind, AT_ONCE)?;
        let is_last = part.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        for found in part {
            match found {
                Ok(raw) => {
                    behind = Some(raw.number);
                    walk.step(raw, known);
                }
                Err(damage) => {
                    walk.entries += 1;
                    walk.is_readable = false;
                    walk.note(None, FindingKind::Changed, damage.to_string());
                    if let Some(before) = &mut walk.before {
                        before.number = before.number.saturating_add(1);
                        behind = Some(before.number);
                    }
                }
            }
        }
        // Where no number of a part can be read there is no place to go on from.
        if is_last || behind == start {
            break;
        }
    }
    let end = walk.before.take();
    let number = |head: &Option<Head>| head.as_ref().map_or(0, |head| head.number);
    // Entries may have been appended meanwhile, of which this look saw a part.
    let later = records::head(context)?;
    let may_end = number(&head) + 1..number(&later);
    if end != head && end != later && !may_end.contains(&number(&end)) {
        let message = format!(
            "the log ends at {}, and {} is noted as its end",
            number(&end),
            later.map_or_else(
                || "nothing".to_owned(),
                |head| format!("entry {}", head.number)
            ),
        );
        walk.note(None, FindingKind::End, message);
    }
    if known.is_some() && !walk.knows {
        let message = "no entry has the digest that is known of an earlier look".to_owned();
        walk.note(None, FindingKind::UnknownDigest, message);
    }
    Ok(Verified {
        intact: walk.findings.is_empty(),
        entries: walk.entries,
        findings: walk.findings,
        omitted: walk.omitted,
    })
}
