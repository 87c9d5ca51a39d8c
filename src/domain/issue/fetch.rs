//! Getting an issue: from a file here, or from the forge with what was kept of an earlier answer.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Answer, Comment, Error, HEADERS, Issue, IssueRef, MAX_COMMENTS, check_answer, comments_path,
    issue_path, next_page, read_comments, read_file, read_issue, redirect,
};
use crate::system::{
    Context, clock, digest, files,
    http::{self, Request},
    process::{self, Invocation},
};

/// A file larger than this is no issue.
const FILE_LIMIT: u64 = 16 << 20;

/// Pages of comments that are read: no fewer than hold all comments that are kept.
const PAGES: usize = MAX_COMMENTS.div_ceil(100);

/// Redirects that are followed for one address, as after a repository was renamed.
const REDIRECTS: usize = 5;

/// An answer of the forge that was kept.
#[derive(Clone)]
struct Kept {
    etag: Option<String>,
    body: Vec<u8>,
    link: Option<String>,
    at: Timestamp,
}

impl Kept {
    /// Returns its age in seconds; none where the clock was set back since.
    fn age(&self, now: Timestamp) -> Option<u64> {
        u64::try_from(now.as_second() - self.at.as_second()).ok()
    }
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
            named(host.as_deref()),
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
            let place = Place::of(context, host.as_deref())?;
            let token = token(context, &place).await;
            let forge = Forge {
                context,
                base: &place.base,
                token: token.as_deref(),
                max_age_s,
            };
            let path = issue_path(&owner, &repository, number);
            let url = format!("{}{path}", place.base);
            let answer = forge.get(&url).await?;
            let mut issue = read_issue(&url, &format!("{owner}/{repository}"), &answer.body)?;
            issue.etag = answer.etag;
            issue.fetched_at = Some(clock::text(answer.at));
            let path = comments_path(&owner, &repository, number);
            let (comments, more) = forge.comments(format!("{}{path}", place.base)).await?;
            issue.comments = comments;
            if more {
                issue
                    .cut
                    .push(format!("the comments after the first {MAX_COMMENTS}"));
            }
            Ok(issue.within_limits())
        }
    }
}

fn read(context: &Context, name: &str) -> Result<Vec<u8>, Error> {
    files::read_regular(&context.environment().path(name), FILE_LIMIT).map_err(|error| {
        Error::File {
            path: name.to_owned(),
            reason: error.to_string(),
        }
    })
}

/// The host of pages that a short name such as `owner/repo#12` means.
const GITHUB: &str = "github.com";

/// Returns the host of an issue's page in one spelling.
fn named(host: Option<&str>) -> String {
    match host.map(str::to_lowercase) {
        None => GITHUB.to_owned(),
        Some(host) if host == "www.github.com" => GITHUB.to_owned(),
        Some(host) => host,
    }
}

/// Where a forge's interface is, and whether this user's token may go there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    base: String,
    /// The host that `gh` knows the token by; none where no token may go.
    trusted: Option<String>,
}

impl Place {
    fn of(context: &Context, host: Option<&str>) -> Result<Self, Error> {
        let configured = context.configuration()?.github.api_url.as_deref();
        Ok(Self::choose(configured, host))
    }

    /// Chooses the configured interface for GitHub's issues and those of its own host, else that of the host itself.
    ///
    /// A token goes to the configured forge or to GitHub's own, never to a host that merely stands in an address, and
    /// never over a connection that others can read.
    fn choose(configured: Option<&str>, host: Option<&str>) -> Self {
        let host = named(host);
        match configured.map(|url| url.trim_end_matches('/')) {
            Some(url) if host == GITHUB || authority(url) == host => Self {
                base: url.to_owned(),
                trusted: is_private(url).then(|| match authority(url).as_str() {
                    "api.github.com" => GITHUB.to_owned(),
                    other => other.to_owned(),
                }),
            },
            None if host == GITHUB => Self {
                base: "https://api.github.com".to_owned(),
                trusted: Some(host),
            },
            // A server of one's own has its interface below its own name.
            Some(_) | None => Self {
                base: format!("https://{host}/api/v3"),
                trusted: None,
            },
        }
    }
}

/// Returns the host and port of an address, without who logs in.
fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.to_lowercase()
}

/// Returns whether nobody on the way can read what is sent to an address.
fn is_private(url: &str) -> bool {
    let authority = authority(url);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let parts: Vec<Option<u8>> = host.split('.').map(|part| part.parse().ok()).collect();
    let is_loopback = matches!(parts.as_slice(), [Some(127), Some(_), Some(_), Some(_)]);
    url.starts_with("https://") || is_loopback || matches!(host, "localhost" | "::1")
}

/// Finds a token: `GH_TOKEN`, `GITHUB_TOKEN`, or what `gh` keeps. None is needed for what is public.
async fn token(context: &Context, place: &Place) -> Option<String> {
    let host = place.trusted.as_deref()?;
    for name in ["GH_TOKEN", "GITHUB_TOKEN"] {
        if let Some(token) = context.environment().get(name) {
            return Some(token.trim().to_owned());
        }
    }
    let arguments = ["auth", "token", "--hostname", host];
    let asked = process::run(Invocation::new("gh").args(arguments)).await;
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
    /// Reads all pages of comments that are kept, and tells whether there are more.
    async fn comments(&self, first: String) -> Result<(Vec<Comment>, bool), Error> {
        let mut comments = Vec::new();
        let mut next = Some(first);
        for _page in 0..PAGES {
            let Some(url) = next else { break };
            let answer = self.get(&url).await?;
            comments.extend(read_comments(&url, &answer.body)?);
            next = next_page(self.base, answer.link.as_deref())?;
        }
        Ok((comments, next.is_some()))
    }

    /// Asks the forge, unless what is kept is young enough or the forge says that it still holds.
    async fn get(&self, url: &str) -> Result<Kept, Error> {
        let kept = self.kept(url)?;
        let now = clock::now();
        if let Some(kept) = kept
            .as_ref()
            .filter(|kept| kept.age(now).is_some_and(|age| age < self.max_age_s))
        {
            return Ok(kept.clone());
        }
        let etag = kept.as_ref().and_then(|kept| kept.etag.as_deref());
        let response = self.ask(url, etag).await?;
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
        self.keep(url, &fresh).await?;
        Ok(fresh)
    }

    /// Sends the request, and sends it on where the forge says that the thing has moved within it.
    async fn ask(&self, url: &str, etag: Option<&str>) -> Result<http::Response, Error> {
        let mut headers: Vec<(String, String)> = HEADERS
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        headers.push(("user-agent".to_owned(), "legwork".to_owned()));
        if let Some(token) = self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(etag) = etag {
            headers.push(("if-none-match".to_owned(), etag.to_owned()));
        }
        let mut at = url.to_owned();
        for _hop in 0..=REDIRECTS {
            let request = Request {
                url: at.clone(),
                headers: headers.clone(),
            };
            let response = http::get(request)
                .await
                .map_err(|error| Error::Unreachable {
                    url: at.clone(),
                    reason: error.to_string(),
                })?;
            match response.status {
                301 | 302 | 307 | 308 => {
                    at = redirect(self.base, &at, response.header("location"))?;
                }
                _ => return Ok(response),
            }
        }
        Err(Error::Unexpected {
            url: url.to_owned(),
            reason: format!("it redirects more than {REDIRECTS} times"),
        })
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

    async fn keep(&self, url: &str, kept: &Kept) -> Result<(), Error> {
        let Ok(body) = std::str::from_utf8(&kept.body) else {
            return Ok(());
        };
        let written = self.context.store()?.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO issues (url, etag, body, link, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![self.key(url), kept.etag, body, kept.link, clock::text(kept.at)],
            )
        });
        written.await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_token_goes_to_the_configured_forge_and_to_github_alone() {
        let chosen = |configured: Option<&str>, host: Option<&str>| {
            let place = Place::choose(configured, host);
            (place.base, place.trusted)
        };
        let is = |base: &str, trusted: Option<&str>| (base.to_owned(), trusted.map(str::to_owned));
        let own = "https://ghe.example/api/v3/";
        for (configured, host, wanted) in [
            (None, None, is("https://api.github.com", Some("github.com"))),
            (
                None,
                Some("WWW.GitHub.com"),
                is("https://api.github.com", Some("github.com")),
            ),
            (
                None,
                Some("evil.example"),
                is("https://evil.example/api/v3", None),
            ),
            (
                Some(own),
                None,
                is("https://ghe.example/api/v3", Some("ghe.example")),
            ),
            (
                Some(own),
                Some("ghe.example"),
                is("https://ghe.example/api/v3", Some("ghe.example")),
            ),
            (
                Some(own),
                Some("evil.example"),
                is("https://evil.example/api/v3", None),
            ),
            (
                Some("http://ghe.example"),
                None,
                is("http://ghe.example", None),
            ),
            (
                Some("http://127.0.0.1.evil.example"),
                None,
                is("http://127.0.0.1.evil.example", None),
            ),
            (
                Some("http://127.0.0.1@evil.example"),
                None,
                is("http://127.0.0.1@evil.example", None),
            ),
            (
                Some("http://127.0.0.1:8000"),
                None,
                is("http://127.0.0.1:8000", Some("127.0.0.1:8000")),
            ),
            (
                Some("https://api.github.com"),
                None,
                is("https://api.github.com", Some("github.com")),
            ),
        ] {
            assert_eq!(chosen(configured, host), wanted, "{configured:?} {host:?}");
        }
    }
}
