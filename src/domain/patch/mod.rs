//! Diffs: what they hold, what in them is refused, and how one gets onto a branch.

mod allow;
mod apply;
mod binary;
mod branch;
mod checkout;
mod conflict;
mod diff;
mod difference;
mod error;
mod git;
mod header;
mod identity;
mod leaks;
mod missing;
mod notes;
mod pack;
mod parse;
mod path;
mod place;
mod place_names;
mod putting;
mod request;
mod rule;
mod rules;
mod scratch_repository;
mod storing;
#[cfg(test)]
mod tests;
mod uncommitted;

pub(crate) use allow::{Allow, Allowances};
pub(crate) use apply::apply;
pub(crate) use branch::check_branch;
pub(crate) use diff::{Change, FileDiff, MAX_BYTES, Patch};
pub(crate) use error::Error;
pub(crate) use identity::Identity;
pub(crate) use notes::{CommitFacts, annotate, commit_facts, note};

pub(crate) use path::RawPath;
pub(crate) use request::{Changed, Outcome, Request};
pub(crate) use rule::Rule;
pub(crate) use rules::other_diff;
