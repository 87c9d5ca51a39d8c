//! Verifications: whether a diff fixes what it claims to fix, found out by running checks in clean trees.
//!
//! The problem: whoever made the diff may have written tests, start-up files and build scripts too, and what is judged runs as
//! the same user as the judge. What always holds:
//!
//! - The bytes that are judged are sent from here, and so are the checks; everything is bound to their digests.
//! - Four trees are made anew for each verification. The side without the fix gets the tests of the diff, so that a test
//!   cannot fail for being absent; the side with the fix is also run with the tests as they were, so that none passes
//!   for having been changed.
//! - Red and green are what a test runner reports in full, compared test by test; what did not run is neither.
//! - The result is sealed with a key that only the judging shell and this machine have.
//! - What cannot be excluded is said: every verdict has its counts and its caveats.

mod error;
mod examine;
mod judge;
mod pieces;
mod program;
mod records;
mod request;
mod result;
mod task;

pub(crate) use error::Error;
pub(crate) use records::VERIFICATIONS;
pub(crate) use request::{CheckSpec, Place, Plan, Settings, Subject};
pub(crate) use task::verify;
