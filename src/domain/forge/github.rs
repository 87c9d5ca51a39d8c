//! GitHub's REST interface, that of GitHub Enterprise included.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    CommentRecord, IssueName, IssueRecord,
    interface::{Forge, RateLimit},
};
use crate::{contract::configuration::Configuration, system::http::Response};

/// GitHub.
#[derive(Debug)]
pub(super) struct GitHub;

impl Forge for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn home(&self) -> &'static str {
        "github.com"
    }

    fn is_alias(&self, host: &str) -> bool {
        host == "www.github.com"
    }

    fn configured<'c>(&self, configuration: &'c Configuration) -> Option<&'c str> {
        configuration.github.api_url.as_deref()
    }

    fn further_hosts<'c>(&self, configuration: &'c Configuration) -> &'c [String] {
        &configuration.github.hosts
    }

    fn own_interface(&self) -> &'static str {
        "https://api.github.com"
    }

    /// A server of one's own has its interface below its own name.
    fn interface_of(&self, host: &str) -> String {
        format!("https://{host}/api/v3")
    }

    fn login_host(&self, authority: &str) -> String {
        authority
            .strip_prefix("api.")
            .filter(|home| *home == self.home() || home.ends_with(".ghe.com"))
            .unwrap_or(authority)
            .to_owned()
    }

    fn token_variables(&self) -> &'static [&'static str] {
        &["GH_TOKEN", "GITHUB_TOKEN"]
    }

    fn token_command(&self, login_host: &str) -> Option<Vec<String>> {
        let words = ["gh", "auth", "token", "--hostname", login_host];
        Some(words.map(str::to_owned).to_vec())
    }

    fn login_advice(&self) -> &'static str {
        "Set `GH_TOKEN`, or log in with `gh auth login`."
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ]
    }

    fn authorization(&self, token: &str) -> (&'static str, String) {
        ("authorization", format!("Bearer {token}"))
    }

    fn rate_limit(&self, response: &Response) -> RateLimit {
        let number = |name: &str| {
            response
                .header(name)
                .and_then(|text| text.trim().parse::<i64>().ok())
        };
        RateLimit {
            remaining: number("x-ratelimit-remaining").and_then(|count| count.try_into().ok()),
            resets_at: number("x-ratelimit-reset")
                .and_then(|second| Timestamp::from_second(second).ok()),
        }
    }

    fn issue_on_page(&self, path: &[&str]) -> Option<IssueName> {
        match path {
            [owner, repository, "issues" | "pull", number] => {
                IssueName::new(owner, repository, number)
            }
            _ => None,
        }
    }

    fn issue_path(&self, issue: &IssueName) -> String {
        let IssueName {
            owner,
            repository,
            number,
        } = issue;
        format!("/repos/{owner}/{repository}/issues/{number}")
    }

    fn comments_path(&self, issue: &IssueName) -> String {
        format!("{}/comments?per_page=100", self.issue_path(issue))
    }

    fn read_issue(&self, body: &[u8]) -> Result<IssueRecord, serde_json::Error> {
        let issue: Issue = serde_json::from_slice(body)?;
        Ok(IssueRecord {
            repository: issue.repository_url.as_deref().and_then(repository_at),
            number: issue.number,
            url: issue.html_url,
            title: issue.title,
            body: issue.body.unwrap_or_default(),
            state: issue.state,
            labels: issue.labels.into_iter().map(Label::into_name).collect(),
            author: issue.user.map(|user| user.login),
            created_at: issue.created_at,
            is_pull_request: issue.pull_request.is_some(),
        })
    }

    fn read_comments(&self, body: &[u8]) -> Result<Vec<CommentRecord>, serde_json::Error> {
        let comments: Vec<Comment> = serde_json::from_slice(body)?;
        let record = |comment: Comment| CommentRecord {
            author: comment.user.map(|user| user.login),
            created_at: comment.created_at,
            body: comment.body.unwrap_or_default(),
            url: comment.html_url,
        };
        Ok(comments.into_iter().map(record).collect())
    }
}

/// Reads owner and name off the address of a repository in the interface, `.../repos/OWNER/NAME`.
fn repository_at(url: &str) -> Option<(String, String)> {
    let (_, path) = url.rsplit_once("/repos/")?;
    let (owner, name) = path.split_once('/')?;
    Some((owner.to_owned(), name.to_owned()))
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    repository_url: Option<String>,
    html_url: Option<String>,
    title: String,
    body: Option<String>,
    state: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    user: Option<User>,
    created_at: Option<String>,
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Comment {
    body: Option<String>,
    user: Option<User>,
    html_url: Option<String>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// A label; GitHub's description allows the bare name too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Name(String),
    Object { name: String },
}

impl Label {
    fn into_name(self) -> String {
        match self {
            Self::Name(name) | Self::Object { name } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GitHub;
    use crate::domain::forge::{IssueName, interface::Forge as _};

    #[test]
    fn requests_are_as_the_interface_describes_them() {
        let issue = IssueName::new("o", "r.x", "7").unwrap();
        assert_eq!(GitHub.issue_path(&issue), "/repos/o/r.x/issues/7");
        assert_eq!(
            GitHub.comments_path(&issue),
            "/repos/o/r.x/issues/7/comments?per_page=100"
        );
        let headers = GitHub.headers();
        assert!(headers.iter().all(|(name, _)| name.to_lowercase() == *name));
    }

    #[test]
    fn answers_are_read_and_pull_requests_told_apart() {
        let read = |bytes: &[u8]| GitHub.read_issue(bytes);
        let issue = read(include_bytes!(
            "../../../tests/data/issue/github_issue.json"
        ))
        .unwrap();
        assert_eq!(
            (issue.number, issue.author.as_deref()),
            (1347, Some("octocat"))
        );
        assert_eq!(issue.labels, ["bug"]);
        assert!(!issue.is_pull_request);
        let pull = include_bytes!("../../../tests/data/issue/github_pull_request.json");
        assert!(read(pull).unwrap().is_pull_request);
        assert!(read(b"<html>").is_err());
        let comments = GitHub
            .read_comments(include_bytes!(
                "../../../tests/data/issue/github_comments.json"
            ))
            .unwrap();
        assert_eq!(comments[0].author.as_deref(), Some("octocat"));
        assert_eq!(comments[1].author, None);
    }
}
