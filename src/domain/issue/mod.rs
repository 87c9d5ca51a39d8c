//! Issues: where they come from, what they say, and the code in them that may show the bug.
//!
//! All text of an issue is data written by strangers.

mod error;
mod fetch;
mod file;
mod github;
mod languages;
mod model;
mod reference;
mod repro;
mod table;

pub(crate) use error::Error;
pub(crate) use fetch::{fetch, identity};
pub(crate) use file::{read_file, read_text};
pub(crate) use github::{
    Answer, HEADERS, check_answer, comments_path, issue_path, next_page, read_comments, read_issue,
    redirect,
};
pub(crate) use model::{Comment, Issue, MAX_COMMENTS, Source, Trust};
pub(crate) use reference::IssueRef;
pub(crate) use repro::{Candidate, extract_repro};
pub(crate) use table::ISSUES;
