//! Runs of tests: which runner spoke, what ran and how it went, and which files of a tree are tests or are read before them.
//!
//! Pure: nothing here runs a test. [`read`] takes what a command left behind and says whether it was red, green, or did
//! not run. Exit codes lie in both directions, see the table in `read.rs`; so a run is green only where a finished report
//! counts at least one pass, no failure, and the exit code agrees.

mod command;
mod configuration;
mod error;
mod failure_text;
mod files;
mod model;
mod module_names;
mod pattern;
mod read;
mod report;
mod runners;
#[cfg(test)]
mod tests;
mod text;
mod weakened;

pub(crate) use command::spoken;
pub(crate) use configuration::configuration_changed;
pub(crate) use error::Error;
pub(crate) use files::{TestFiles, is_environment, is_runner_configuration, is_startup, shadowed};
pub(crate) use model::{End, Output, Source, TestResult, TestRun};
pub(crate) use read::{ENVIRONMENT, read};
pub(crate) use weakened::{WeakeningKind, weakened};
