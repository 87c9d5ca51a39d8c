//! Diffs: what they hold, what in them is refused, and how one gets onto a branch.

mod apply;
mod branch;
mod checkout;
mod conflict;
mod diff;
mod error;
mod git;
mod header;
mod identity;
mod parse;
mod path;
mod rules;
mod scratch_repository;
#[cfg(test)]
mod tests;

pub(crate) use apply::{Changed, Outcome, Request, apply};
pub(crate) use branch::check_branch;
pub(crate) use diff::{Change, MAX_BYTES, Patch};
pub(crate) use error::Error;
pub(crate) use identity::Identity;

pub(crate) use path::RawPath;
pub(crate) use rules::Rule;
