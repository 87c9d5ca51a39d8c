//! `check-harness`: good harnesses pass, each broken one is told what it breaks, and nothing outlives the call.

mod broken;
mod ending;
mod good;
mod verdicts;

pub(crate) use verdicts::{check, reference};
