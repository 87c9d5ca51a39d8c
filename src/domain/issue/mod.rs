//! Issues: where they come from, what they say, and the code in them that may show the bug.
//!
//! All text of an issue is data written by strangers.

mod blocks;
mod error;
mod fetch;
mod file;
mod guess;
mod kind;
mod languages;
mod model;
mod reference;
mod repro;
mod score;
mod sessions;

pub(crate) use error::Error;
pub(crate) use fetch::{fetch, identity};
pub(crate) use file::{read_file, read_text};
pub(crate) use model::{Comment, Issue, MAX_COMMENTS, MAX_PAGES, Source, Trust};
pub(crate) use reference::IssueRef;
pub(crate) use repro::{Candidate, extract_repro};
