//! The table of what forges answered, and how a row of it is read.

use jiff::Timestamp;

use super::cache::Cached;
use crate::system::store::{Record, Table};

/// Answers of forges: a cache.
pub(crate) static ISSUES: Table = Table {
    name: "issues",
    key: &["url"],
    create: include_str!("issues.sql"),
    check: |row| {
        row.text("url")?;
        answer(row).map(drop)
    },
};

/// Reads an answer.
pub(super) fn answer(row: &Record<'_, '_>) -> rusqlite::Result<Cached> {
    let at = row.time("at")?;
    Ok(Cached {
        etag: row.optional_text("etag")?,
        body: row.text("body")?.into_bytes(),
        link: row.optional_text("link")?,
        at: at
            .parse::<Timestamp>()
            .map_err(|error| row.damaged("at", error))?,
    })
}
