//! What differs between one forge and another.

use std::fmt::Debug;

use jiff::Timestamp;
use serde::Deserialize;

use super::{CommentRecord, IssueName, IssueRecord};
use crate::{contract::configuration::Configuration, system::http::Response};

/// What is left of a rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RateLimit {
    /// Requests still allowed.
    pub(super) remaining: Option<u64>,
    /// When the count starts anew.
    pub(super) resets_at: Option<Timestamp>,
}

/// A kind of forge: its addresses, its headers and the shapes of its answers. Nothing here talks to it.
///
/// A new one is a file with an implementation, its `mod` line, and one line in the catalogue.
pub(super) trait Forge: Debug + Sync {
    /// Returns its name, as `source` of an issue says it.
    fn name(&self) -> &'static str;

    /// Returns the host of the pages that a name without a host means.
    fn home(&self) -> &'static str;

    /// Returns whether a host, in lower case, is another name of [`home`](Forge::home).
    fn is_alias(&self, host: &str) -> bool;

    /// Returns the base of the interface that the configuration names, if it names one.
    fn configured<'c>(&self, configuration: &'c Configuration) -> Option<&'c str>;

    /// Lists further hosts of this kind that the configuration names.
    fn further_hosts<'c>(&self, configuration: &'c Configuration) -> &'c [String];

    /// Returns the base of its own interface, that of [`home`](Forge::home).
    fn own_interface(&self) -> &'static str;

    /// Returns the base of the interface of a server that somebody else runs.
    fn interface_of(&self, host: &str) -> String;

    /// Returns the host that a login for an interface's host is kept under.
    fn login_host(&self, authority: &str) -> String;

    /// Lists the environment variables that hold a token, the first that is set wins.
    fn token_variables(&self) -> &'static [&'static str];

    /// Returns the command that prints the token kept for a host, if there is a client that keeps one.
    fn token_command(&self, login_host: &str) -> Option<Vec<String>>;

    /// Says in one sentence how to log in.
    fn login_advice(&self) -> &'static str;

    /// Returns the headers of every request, names in lower case.
    fn headers(&self) -> &'static [(&'static str, &'static str)];

    /// Returns the header that shows a token.
    fn authorization(&self, token: &str) -> (&'static str, String);

    /// Reads what is left of the rate limit.
    fn rate_limit(&self, response: &Response) -> RateLimit;

    /// Returns the reason in the body of a refusal, as it came.
    fn message(&self, body: &[u8]) -> String {
        #[derive(Deserialize)]
        struct Reason {
            message: String,
        }
        serde_json::from_slice::<Reason>(body).map_or_else(
            |_| String::from_utf8_lossy(body).trim().to_owned(),
            |reason| reason.message,
        )
    }

    /// Reads an issue's name off the path of its page, split at its slashes.
    fn issue_on_page(&self, path: &[&str]) -> Option<IssueName>;

    /// Returns the path of an issue below the interface's base.
    fn issue_path(&self, issue: &IssueName) -> String;

    /// Returns the path of the first page of an issue's comments, oldest first, 100 a page.
    fn comments_path(&self, issue: &IssueName) -> String;

    /// Reads the answer to [`issue_path`](Forge::issue_path).
    fn read_issue(&self, body: &[u8]) -> Result<IssueRecord, serde_json::Error>;

    /// Reads a page of the answer to [`comments_path`](Forge::comments_path).
    fn read_comments(&self, body: &[u8]) -> Result<Vec<CommentRecord>, serde_json::Error>;
}
