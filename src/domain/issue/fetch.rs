//! Getting an issue: from a file here, or from the forge with what was kept of an earlier answer.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Answer, Comment, Error, HEADERS, Issue, IssueRef, check_answer, comments_path, issue_path,
    next_page, read_comments, read_file, read_issue,
};
use crate::system::{
    Context, clock, digest, files,
    http::{self, Request},
    process::{self, Invocation},
};

/// A file larger than this is no issue.
const FILE_LIMIT: u64 = 16 << 20;

/// Pages of comments that are read; the model keeps no more than they hold.
const PAGES: usize = 10;

/// An answer of the forge that was kept.
struct Kept {
    etag: Option<String>,
    body: Vec<u8>,
    link: Option<String>,
    at: Timestamp,
}

/// Returns what identifies an issue without fetching it: its name on the forge, or the digest of its file.
pub(crate) fn identity(context: &Context, reference: &str) -> Result<String, Error> {
    Ok(match IssueRef::parse(reference)? {
        IssueRef::Forge {
            host,
            owner,
            repository,
            number,
        } => format!(
            "{}/{}/{}#{number}",
            host.unwrap_or_else(|| "github.com".to_owned())
                .to_lowercase(),
            owner.to_lowercase(),
            repository.to_lowercase()
        ),
        IssueRef::File(path) => {
            let bytes = read(context, &path.to_string_lossy())?;
            format!("sha256:{}", digest::sha256(&bytes))
        }
    })
}

/// Gets an issue with its comments; what was asked less than `max_age_s` seconds ago is not asked again.
pub(crate) async fn fetch(
    context: &Context,
    reference: &str,
    max_age_s: u64,
) -> Result<Issue, Error> {
    match IssueRef::parse(reference)? {
        IssueRef::File(path) => {
            let name = path.to_string_lossy();
            let mut issue = read_file(&name, &read(context, &name)?)?;
            issue.fetched_at = Some(clock::now_text());
            Ok(issue)
        }
        IssueRef::Forge {
            host,
            owner,
            repository,
            number,
        } => {
            let base = base(context, host.as_deref())?;
            let token = token(context, host.as_deref()).await;
            let forge = Forge {
                context,
                base: &base,
                token: token.as_deref(),
                max_age_s,
            };
            let url = format!("{base}{}", issue_path(&owner, &repository, number));
            let answer = forge.get(&url).await?;
            let mut issue = read_issue(&url, &format!("{owner}/{repository}"), &answer.body)?;
            issue.etag = answer.etag;
            issue.fetched_at = Some(clock::text(answer.at));
            issue.comments = forge
                .comments(format!(
                    "{base}{}",
                    comments_path(&owner, &repository, number)
                ))
                .await?;
            Ok(issue.within_limits())
        }
    }
}

fn read(context: &Context, name: &str) -> Result<Vec<u8>, Error> {
    files::read(&context.environment().path(name), FILE_LIMIT).map_err(|error| Error::File {
        path: name.to_owned(),
        reason: error.to_string(),
    })
}

/// Returns the base of the REST interface: configured, or that of the host in an issue's address.
fn base(context: &Context, host: Option<&str>) -> Result<String, Error> {
    let configured = context.configuration()?.github.api_url.clone();
    Ok(match (configured, host) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, None | Some("github.com" | "www.github.com")) => "https://api.github.com".to_owned(),
        // A server of one's own has its interface below its own name.
        (None, Some(host)) => format!("https://{host}/api/v3"),
    })
}

/// Finds a token: GH_TOKEN, GITHUB_TOKEN, or what `gh` keeps. None is needed for what is public.
///
/// A token goes to the configured forge or to GitHub's own, never to a host that merely stands in an address.
async fn token(context: &Context, host: Option<&str>) -> Option<String> {
    let configured = context
        .configuration()
        .is_ok_and(|configuration| configuration.github.api_url.is_some());
    if !configured && !matches!(host, None | Some("github.com" | "www.github.com")) {
        return None;
    }
    for name in ["GH_TOKEN", "GITHUB_TOKEN"] {
        if let Some(token) = context.environment().get(name) {
            return Some(token.to_owned());
        }
    }
    let asked = process::run(Invocation::new("gh").args(["auth", "token"])).await;
    let token = asked
        .ok()
        .filter(process::Exit::success)?
        .stdout_text()
        .trim()
        .to_owned();
    if token.is_empty() {
        return None;
    }
    context.learn_secret(&token);
    Some(token)
}

struct Forge<'a> {
    context: &'a Context,
    base: &'a str,
    token: Option<&'a str>,
    max_age_s: u64,
}

impl Forge<'_> {
    async fn comments(&self, first: String) -> Result<Vec<Comment>, Error> {
        let mut comments = Vec::new();
        let mut next = Some(first);
        for _page in 0..PAGES {
            let Some(url) = next else { break };
            let answer = self.get(&url).await?;
            comments.extend(read_comments(&url, &answer.body)?);
            next = next_page(self.base, answer.link.as_deref())?;
        }
        Ok(comments)
    }

    /// Asks the forge, unless what is kept is young enough or the forge says that it still holds.
    async fn get(&self, url: &str) -> Result<Kept, Error> {
        let kept = self.kept(url)?;
        let now = clock::now();
        if let Some(kept) = &kept {
            let age = now.as_second() - kept.at.as_second();
            if u64::try_from(age).is_ok_and(|age| age < self.max_age_s) {
                return Ok(Kept {
                    body: kept.body.clone(),
                    etag: kept.etag.clone(),
                    link: kept.link.clone(),
                    at: kept.at,
                });
            }
        }
        let mut headers: Vec<(String, String)> = HEADERS
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        headers.push(("user-agent".to_owned(), "legwork".to_owned()));
        if let Some(token) = self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(etag) = kept.as_ref().and_then(|kept| kept.etag.clone()) {
            headers.push(("if-none-match".to_owned(), etag));
        }
        let response = http::get(Request {
            url: url.to_owned(),
            headers,
        })
        .await
        .map_err(|error| Error::Unavailable {
            url: url.to_owned(),
            status: 0,
            message: error.to_string(),
        })?;
        let answer = check_answer(
            url,
            response.status,
            |name| response.header(name),
            &response.body,
            now,
        )?;
        let fresh = match (answer, kept) {
            (Answer::Unchanged, Some(kept)) => Kept { at: now, ..kept },
            _ => Kept {
                etag: response.header("etag").map(str::to_owned),
                link: response.header("link").map(str::to_owned),
                body: response.body,
                at: now,
            },
        };
        self.keep(url, &fresh)?;
        Ok(fresh)
    }

    /// What is kept for a token is not shown without it.
    fn key(&self, url: &str) -> String {
        let holder = self
            .token
            .map_or_else(String::new, |token| digest::sha256(token.as_bytes()));
        format!("{url} {}", holder.get(..16).unwrap_or_default())
    }

    fn kept(&self, url: &str) -> Result<Option<Kept>, Error> {
        let row: Option<(Option<String>, String, Option<String>, String)> =
            self.context.store()?.read(|connection| {
                connection
                    .query_row(
                        "SELECT etag, body, link, at FROM issues WHERE url = ?1",
                        [self.key(url)],
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
                    )
                    .optional()
            })?;
        Ok(row.and_then(|(etag, body, link, at)| {
            Some(Kept {
                etag,
                body: body.into_bytes(),
                link,
                at: at.parse().ok()?,
            })
        }))
    }

    fn keep(&self, url: &str, kept: &Kept) -> Result<(), Error> {
        let Ok(body) = std::str::from_utf8(&kept.body) else {
            return Ok(());
        };
        self.context.store()?.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO issues (url, etag, body, link, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![self.key(url), kept.etag, body, kept.link, clock::text(kept.at)],
            )
        })?;
        Ok(())
    }
}
