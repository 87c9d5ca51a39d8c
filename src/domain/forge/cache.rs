//! What a forge answered before, kept in the store for conditional requests.

use jiff::Timestamp;

use super::Error;
use crate::system::{
    Context, clock, digest,
    store::{Fault, Record, Table},
};

/// Answers of forges: a cache.
pub(crate) static ISSUES: Table = Table {
    name: "issues",
    key: &["url"],
    create: include_str!("issues.sql"),
    check: |row| {
        row.text("url")?;
        read(row).map(drop)
    },
};

/// Bytes of the longest address whose answer is kept: what is longer does not fit an index of every engine.
const LONGEST: usize = 2000;

/// An answer of the forge, as it is cached.
#[derive(Clone, Debug)]
pub(super) struct Cached {
    /// What to ask with whether it has changed since.
    pub(super) etag: Option<String>,
    /// The body.
    pub(super) body: Vec<u8>,
    /// The `Link` header.
    pub(super) link: Option<String>,
    /// When the forge last answered so.
    pub(super) at: Timestamp,
}

impl Cached {
    /// Returns its age in seconds; `None` where the clock was set back since.
    pub(super) fn age(&self, now: Timestamp) -> Option<u64> {
        u64::try_from(now.as_second() - self.at.as_second()).ok()
    }
}

/// Reads an answer.
fn read(row: &Record<'_>) -> Result<Cached, Fault> {
    let at = row.time("at")?;
    Ok(Cached {
        etag: row.optional_text("etag")?,
        body: row.text("body")?.into_bytes(),
        link: row.optional_text("link")?,
        at: at.parse().map_err(|error| row.damaged("at", error))?,
    })
}

/// Returns the key of an answer: what was answered to one token is not shown without it.
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
    let found = context.store()?.read(|connection| {
        Fault::set_apart(ISSUES.one(
            connection,
            "SELECT url, etag, body, link, at FROM issues WHERE url = ?1",
            &[(&key(url, token)).into()],
            read,
        ))
    })?;
    // What cannot be read is asked for anew, and replaced.
    Ok(found.unwrap_or_default())
}

/// Stores what the forge answered to an address; a body that is no text is not stored, nor what an address of unusual length gave.
pub(super) async fn save(
    context: &Context,
    url: &str,
    token: Option<&str>,
    answer: &Cached,
) -> Result<(), Error> {
    let Ok(body) = std::str::from_utf8(&answer.body) else {
        return Ok(());
    };
    if url.len() > LONGEST || body.contains('\0') {
        return Ok(());
    }
    let written = context.store()?.write(|transaction| {
        transaction.execute(
            "INSERT INTO issues (url, etag, body, link, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (url) DO UPDATE SET
                 etag = excluded.etag, body = excluded.body, link = excluded.link, at = excluded.at",
            &[
                (&key(url, token)).into(),
                answer.etag.as_deref().into(),
                body.into(),
                answer.link.as_deref().into(),
                (&clock::text(answer.at)).into(),
            ],
        )
    });
    written.await?;
    Ok(())
}
