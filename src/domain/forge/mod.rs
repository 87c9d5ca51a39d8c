//! Forges: the servers that hold repositories and their issues, and how they are asked.
//!
//! Everything a forge sends is data written by strangers. What may go wrong with a token or with a repeated request is
//! decided here once, for every noun that talks to a forge:
//!
//! - A token goes to the configured interface or to the forge's own, over a connection nobody can read, and to no other
//!   host: neither a redirect nor a link to the next page is followed out of the interface.
//! - A request that may change something is sent at most once: it follows no redirect and is never tried again.
//! - Whether a thing exists is an answer ([`Lookup`]), not an error: the noun that asked says what was not found.

mod address;
mod answer;
mod cache;
mod catalogue;
mod client;
mod endpoint;
mod error;
mod github;
mod interface;
mod record;

pub(crate) use cache::ISSUES;
pub(crate) use catalogue::{canonical_host, issue_on_page, names};
pub(crate) use client::{Client, Lookup, Missing};
pub(crate) use error::Error;
pub(crate) use record::{CommentRecord, IssueName, IssueRecord};
