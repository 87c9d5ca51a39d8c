//! A run: one agent, started once, watched over where it runs.
//!
//! Pure: what is said to a host and what it answers. The scripts in this folder do the rest there.

mod error;
mod poll;
mod script;
mod spec;
mod state;
mod status;

pub(crate) use error::Error;
pub(crate) use poll::{digest, parse_answer, parse_poll};
pub(crate) use script::{CANCEL, POLL, START, SUPERVISOR};
pub(crate) use spec::Spec;
pub(crate) use state::State;
pub(crate) use status::{Beat, Changes, Status, parse_state};
