//! What a forge answered before, kept in the store for conditional requests.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::Error;
use crate::system::{Context, clock, digest};

/// An answer of the forge, as it is cached.
#[derive(Clone, Debug)]
pub(super) struct Cached {
    /// What to ask with whether it has changed since.
    pub(super) etag: Option<String>,
    /// The body.
    pub(super) body: Vec<u8>,
    /// The `Link` header.
    pub(super) link: Option<String>,
    /// When the forge last said it.
    pub(super) at: Timestamp,
}

impl Cached {
    /// Returns its age in seconds; `None` where the clock was set back since.
    pub(super) fn age(&self, now: Timestamp) -> Option<u64> {
        u64::try_from(now.as_second() - self.at.as_second()).ok()
    }
}

/// What one token was shown is not shown without it.
fn key(url: &str, token: Option<&str>) -> String {
    let holder = token.map_or_else(String::new, |token| digest::sha256(token.as_bytes()));
    format!("{url} {}", holder.get(..16).unwrap_or_default())
}

/// Finds what the forge answered to an address.
pub(super) fn load(
    context: &Context,
    url: &str,
    token: Option<&str>,
) -> Result<Option<Cached>, Error> {
    let row: Option<(Option<String>, String, Option<String>, String)> =
        context.store()?.read(|connection| {
            connection
                .query_row(
                    "SELECT etag, body, link, at FROM issues WHERE url = ?1",
                    [key(url, token)],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
                )
                .optional()
        })?;
    Ok(row.and_then(|(etag, body, link, at)| {
        Some(Cached {
            etag,
            body: body.into_bytes(),
            link,
            at: at.parse().ok()?,
        })
    }))
}

/// Keeps what the forge answered to an address; a body that is no text is not kept.
pub(super) fn save(
    context: &Context,
    url: &str,
    token: Option<&str>,
    answer: &Cached,
) -> Result<(), Error> {
    let Ok(body) = std::str::from_utf8(&answer.body) else {
        return Ok(());
    };
    context.store()?.write(|transaction| {
        transaction.execute(
            "INSERT OR REPLACE INTO issues (url, etag, body, link, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                key(url, token),
                answer.etag,
                body,
                answer.link,
                clock::text(answer.at)
            ],
        )
    })?;
    Ok(())
}
