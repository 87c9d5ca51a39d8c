//! GitHub's REST interface: what to ask, and what its answers mean. Nothing here talks to it.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Comment, Error, Issue, Source, Trust,
    file::{Named, WrittenComment},
};

/// The headers of every request.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/vnd.github+json"),
    ("x-github-api-version", "2022-11-28"),
];

/// Returns the path of an issue below the interface's base.
pub(crate) fn issue_path(owner: &str, repository: &str, number: u64) -> String {
    format!("/repos/{owner}/{repository}/issues/{number}")
}

/// Returns the path of the first page of an issue's comments.
pub(crate) fn comments_path(owner: &str, repository: &str, number: u64) -> String {
    format!("/repos/{owner}/{repository}/issues/{number}/comments?per_page=100")
}

/// Returns the address of the next page from a `Link` header, if there is one.
///
/// An address outside the interface is not followed: the token would go with it.
pub(crate) fn next_page(base: &str, link: Option<&str>) -> Result<Option<String>, Error> {
    let Some(link) = link else { return Ok(None) };
    let next = link.split(',').find_map(|entry| {
        let (address, parameters) = entry.trim().strip_prefix('<')?.split_once('>')?;
        parameters
            .split(';')
            .map(str::trim)
            .any(|parameter| matches!(parameter, r#"rel="next""# | "rel=next"))
            .then_some(address)
    });
    match next {
        None => Ok(None),
        Some(address) if is_within(base, address) => Ok(Some(address.to_owned())),
        Some(address) => Err(Error::Unexpected {
            url: base.to_owned(),
            reason: format!("the next page is elsewhere: {address}"),
        }),
    }
}

/// Returns where a redirect from `url` leads.
///
/// One that leads out of the interface is not followed: the token would go with it.
pub(crate) fn redirect(base: &str, url: &str, location: Option<&str>) -> Result<String, Error> {
    let unexpected = |reason: String| Error::Unexpected {
        url: url.to_owned(),
        reason,
    };
    let location = location.ok_or_else(|| unexpected("it redirects nowhere".to_owned()))?;
    let address = if location.starts_with('/') && !location.starts_with("//") {
        let scheme = base.find("://").map_or(0, |at| at + 3);
        let end = base[scheme..]
            .find('/')
            .map_or(base.len(), |at| scheme + at);
        format!("{}{location}", &base[..end])
    } else {
        location.to_owned()
    };
    if is_within(base, &address) {
        Ok(address)
    } else {
        Err(unexpected(format!("it redirects elsewhere: {address}")))
    }
}

fn is_within(base: &str, address: &str) -> bool {
    let path = address
        .strip_prefix(base.trim_end_matches('/'))
        .and_then(|rest| rest.strip_prefix('/'));
    path.is_some_and(|path| !path.contains("..") && !path.contains('\\'))
}

/// What an answer is, where it is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// New content.
    Fresh,
    /// What is known by its etag is still so.
    Unchanged,
}

/// What is left of a rate limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Requests still allowed.
    pub(crate) remaining: Option<u64>,
    /// When the count starts anew.
    pub(crate) resets_at: Option<Timestamp>,
}

impl Limit {
    /// Reads it from the headers of an answer.
    pub(crate) fn from_headers<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let number = |name: &str| header(name).and_then(|text| text.trim().parse::<i64>().ok());
        Self {
            remaining: number("x-ratelimit-remaining").and_then(|count| count.try_into().ok()),
            resets_at: number("x-ratelimit-reset")
                .and_then(|second| Timestamp::from_second(second).ok()),
        }
    }
}

/// The longest wait that is believed.
const MAX_WAIT_MS: u64 = 2 * 60 * 60 * 1000;
/// The wait where a limit is hit and the forge does not say how long, as its documentation asks.
const BLIND_WAIT_MS: u64 = 60_000;

/// Tells what an answer means. `header` finds a header by its name in lower case.
pub(crate) fn check_answer<'h>(
    url: &str,
    status: u16,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Answer, Error> {
    let url = url.to_owned();
    let message = said(body);
    match status {
        200..=299 => return Ok(Answer::Fresh),
        304 => return Ok(Answer::Unchanged),
        _ => {}
    }
    let limit = Limit::from_headers(&header);
    let retry_after = header("retry-after").and_then(|text| wait(text.trim(), now));
    let lower = message.to_lowercase();
    let is_limited = status == 429
        || status == 403
            && (retry_after.is_some()
                || limit.remaining == Some(0)
                || lower.contains("rate limit")
                || lower.contains("abuse detection"));
    if is_limited {
        let until_reset = limit
            .resets_at
            .filter(|_| limit.remaining == Some(0))
            .map(|reset| until(reset, now));
        let after_ms = retry_after
            .or(until_reset)
            .unwrap_or(BLIND_WAIT_MS)
            .clamp(1_000, MAX_WAIT_MS);
        return Err(Error::RateLimited {
            url,
            status,
            message,
            after_ms,
            resets_at: limit.resets_at.map(|reset| reset.to_string()),
        });
    }
    Err(match status {
        401 => Error::Unauthenticated { url, message },
        403 | 451 => Error::Forbidden {
            url,
            status,
            message,
        },
        404 | 410 => Error::NotFound {
            url,
            status,
            message,
        },
        _ => Error::Unavailable {
            url,
            status,
            message,
        },
    })
}

/// Reads `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(until(date.timestamp(), now))
}

fn until(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(then.as_millisecond() - now.as_millisecond()).unwrap_or(0)
}

/// Returns the forge's own words, at most 500 characters.
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let text = serde_json::from_slice::<Said>(body).map_or_else(
        |_| String::from_utf8_lossy(body).trim().to_owned(),
        |said| said.message,
    );
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

#[derive(Deserialize)]
struct Answered {
    number: u64,
    html_url: Option<String>,
    title: String,
    body: Option<String>,
    state: Option<String>,
    #[serde(default)]
    labels: Vec<Named>,
    user: Option<Named>,
    created_at: Option<String>,
    pull_request: Option<serde::de::IgnoredAny>,
}

/// Reads the answer to [`issue_path`]; a pull request is none.
pub(crate) fn read_issue(url: &str, repository: &str, body: &[u8]) -> Result<Issue, Error> {
    let answered: Answered = serde_json::from_slice(body).map_err(|error| Error::Unexpected {
        url: url.to_owned(),
        reason: error.to_string(),
    })?;
    if answered.pull_request.is_some() {
        return Err(Error::PullRequest {
            url: answered.html_url.unwrap_or_else(|| url.to_owned()),
        });
    }
    Ok(Issue {
        source: Source::Github,
        repository: Some(repository.to_owned()),
        number: Some(answered.number),
        url: answered.html_url,
        title: answered.title,
        body: answered.body.unwrap_or_default(),
        state: answered.state,
        labels: answered.labels.into_iter().map(Named::into_name).collect(),
        author: answered.user.map(Named::into_name),
        created_at: answered.created_at,
        comments: Vec::new(),
        fetched_at: None,
        etag: None,
        trust: Trust::Untrusted,
        cut: Vec::new(),
    }
    .within_limits())
}

/// Reads one page of the answer to [`comments_path`].
pub(crate) fn read_comments(url: &str, body: &[u8]) -> Result<Vec<Comment>, Error> {
    let comments: Vec<WrittenComment> =
        serde_json::from_slice(body).map_err(|error| Error::Unexpected {
            url: url.to_owned(),
            reason: error.to_string(),
        })?;
    Ok(comments
        .into_iter()
        .map(WrittenComment::into_comment)
        .collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{
        Answer, HEADERS, check_answer, comments_path, issue_path, next_page, read_comments,
        read_issue, redirect,
    };
    use crate::{
        contract::{Code, Coded},
        domain::issue::Error,
    };

    #[test]
    fn a_redirect_is_followed_within_the_interface_alone() {
        let base = "https://ghe.example/api/v3";
        let url = "https://ghe.example/api/v3/repos/o/r/issues/1";
        for (location, wanted) in [
            (
                "/api/v3/repositories/9/issues/1",
                Some("https://ghe.example/api/v3/repositories/9/issues/1"),
            ),
            (
                "https://ghe.example/api/v3/x",
                Some("https://ghe.example/api/v3/x"),
            ),
            ("https://ghe.example/login", None),
            ("https://ghe.example/api/v3/../../login", None),
            ("https://ghe.example.evil/api/v3/x", None),
            ("//evil.example/api/v3/x", None),
            ("http://ghe.example/api/v3/x", None),
            ("x", None),
        ] {
            assert_eq!(
                redirect(base, url, Some(location)).ok().as_deref(),
                wanted,
                "{location}"
            );
        }
        assert!(redirect(base, url, None).is_err());
        assert!(redirect("http://h:1", "http://h:1/a", Some("/b")).is_ok());
    }

    #[test]
    fn the_next_page_is_followed_within_the_interface_alone() {
        let base = "https://api.github.com";
        let link = r#"<https://api.github.com/repositories/1/issues/2/comments?page=1>; rel="prev", <https://api.github.com/repositories/1/issues/2/comments?per_page=100&page=3>; rel="next", <https://api.github.com/x?page=9>; rel="last""#;
        assert_eq!(
            next_page(base, Some(link)).unwrap().unwrap(),
            "https://api.github.com/repositories/1/issues/2/comments?per_page=100&page=3"
        );
        assert_eq!(next_page(base, None).unwrap(), None);
        assert_eq!(
            next_page(base, Some(r#"<https://api.github.com/x>; rel="first""#)).unwrap(),
            None
        );
        for elsewhere in [
            r#"<https://api.github.com.evil.example/x>; rel="next""#,
            r#"<http://api.github.com/x>; rel="next""#,
        ] {
            assert!(next_page(base, Some(elsewhere)).is_err());
        }
    }

    #[test]
    fn requests_are_as_the_interface_describes_them() {
        assert_eq!(issue_path("o", "r.x", 7), "/repos/o/r.x/issues/7");
        assert_eq!(
            comments_path("o", "r.x", 7),
            "/repos/o/r.x/issues/7/comments?per_page=100"
        );
        assert!(HEADERS.iter().all(|(name, _)| name.to_lowercase() == *name));
    }

    fn check(status: u16, headers: &[(&str, &'static str)], body: &str) -> Result<Answer, Error> {
        let find = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        check_answer(
            "https://api.github.com/x",
            status,
            find,
            body.as_bytes(),
            now,
        )
    }

    #[test]
    fn an_answer_means_what_the_interface_says() {
        assert_eq!(check(200, &[], "").unwrap(), Answer::Fresh);
        assert_eq!(check(304, &[], "").unwrap(), Answer::Unchanged);
        for (status, code) in [
            (401, Code::ForgeUnauthenticated),
            (403, Code::ForgeForbidden),
            (404, Code::IssueNotFound),
            (410, Code::IssueNotFound),
            (422, Code::ForgeUnavailable),
            (500, Code::ForgeUnavailable),
            (502, Code::ForgeUnavailable),
        ] {
            let error = check(status, &[], r#"{"message":"words"}"#).unwrap_err();
            assert_eq!(error.code(), code, "{status}");
            assert_eq!(error.details().shape(), Some(code.shape()));
        }
    }

    #[test]
    fn a_rate_limit_says_how_long_to_wait() {
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait."}"#;
        for (status, headers, body, wanted) in [
            (429, &[("retry-after", "7")][..], "", 7_000),
            (403, &[("retry-after", "30")], "", 30_000),
            (
                403,
                &[("retry-after", "Tue, 14 Nov 2023 22:13:30 GMT")],
                "",
                10_000,
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1700000090"),
                ],
                "",
                90_000,
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1600000000"),
                ],
                "",
                1_000,
            ),
            (
                403,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1900000000"),
                ],
                "",
                7_200_000,
            ),
            (403, &[("x-ratelimit-remaining", "55")], secondary, 60_000),
            (429, &[], "<html>", 60_000),
        ] {
            let error = check(status, headers, body).unwrap_err();
            assert_eq!(error.code(), Code::ForgeRateLimited);
            assert_eq!(error.retry().after_ms, Some(wanted), "{headers:?}");
        }
    }

    #[test]
    fn answers_are_read_and_pull_requests_told_apart() {
        let url = "https://api.github.com/x";
        let issue = read_issue(
            url,
            "o/r",
            include_bytes!("../../../tests/data/issue/github_issue.json"),
        )
        .unwrap();
        assert_eq!(
            (issue.number, issue.author.as_deref()),
            (Some(1347), Some("octocat"))
        );
        assert_eq!(issue.labels, ["bug"]);
        let pull = include_bytes!("../../../tests/data/issue/github_pull_request.json");
        assert!(matches!(
            read_issue(url, "o/r", pull),
            Err(Error::PullRequest { .. })
        ));
        assert!(matches!(
            read_issue(url, "o/r", b"<html>"),
            Err(Error::Unexpected { .. })
        ));
        let comments = read_comments(
            url,
            include_bytes!("../../../tests/data/issue/github_comments.json"),
        )
        .unwrap();
        assert_eq!(comments[0].author.as_deref(), Some("octocat"));
        assert_eq!(comments[1].author, None);
    }
}
