//! The tables of the audit log, and how a row of them is read.

use super::model::{Entry, Head};
use crate::system::{
    digest,
    store::{Fault, Record, Table},
};

/// The log.
pub(crate) static AUDIT: Table = Table {
    name: "audit",
    key: &["number"],
    create: include_str!("audit.sql"),
    check: |row| entry(row).map(drop),
};

/// Where the log ends.
pub(crate) static AUDIT_HEAD: Table = Table {
    name: "audit_head",
    key: &["name"],
    create: include_str!("audit_head.sql"),
    check: |row| {
        row.agrees("name", NAME)?;
        head(row).map(drop)
    },
};

/// The one row of [`AUDIT_HEAD`].
pub(super) const NAME: &str = "audit";

/// The columns that [`entry`] reads.
pub(super) const COLUMNS: &str = "number, record, previous, digest";

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// Returns the digest of an entry, from that of the one before and its text.
pub(super) fn digest_of(previous: &str, record: &str) -> String {
    digest::sha256(format!("{previous}\n{record}").as_bytes())
}

/// Reads an entry, whose number and digests must be those of its text.
pub(super) fn entry(row: &Record<'_>) -> Result<(Entry, String), Fault> {
    let entry: Entry = row.json("record")?;
    if row.number("number")? != entry.number {
        return Err(row.damaged("number", "it is not that of the record"));
    }
    let previous = row.digits("previous", DIGITS)?;
    let digest = row.digits("digest", DIGITS)?;
    if digest_of(&previous, &row.text("record")?) != digest {
        return Err(row.damaged("digest", "it is not that of the record"));
    }
    Ok((entry, digest))
}

/// Reads where the log ends.
pub(super) fn head(row: &Record<'_>) -> Result<Head, Fault> {
    let head: Head = row.json("record")?;
    let wanted = digest::sha256(row.text("record")?.as_bytes());
    if row.digits("digest", DIGITS)? != wanted {
        return Err(row.damaged("digest", "it is not that of the record"));
    }
    Ok(head)
}
