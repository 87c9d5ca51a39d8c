//! The table of what the forge answered, and how a row of it is read.

use crate::system::store::Table;

/// Answers of the forge: a cache.
pub(crate) static ISSUES: Table = Table {
    name: "issues",
    key: &["url"],
    create: include_str!("issues.sql"),
    check: |row| {
        row.text("url")?;
        row.optional_text("etag")?;
        row.text("body")?;
        row.optional_text("link")?;
        row.time("at").map(drop)
    },
};
