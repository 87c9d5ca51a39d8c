//! Runs: programs that are started once on a host and supervised there, even when no call of legwork is left.

mod diff_note;
mod direct;
mod environment;
mod error;
mod poll;
mod protocol;
mod run_id;
mod runner;
mod runners;
mod script;
mod state;
mod status;
mod token;

pub(crate) use diff_note::DiffNote;
pub(crate) use environment::{exports, kept_environment};
pub(crate) use error::Error;
pub(crate) use run_id::{FIRST, RunId};
pub(crate) use runner::{
    Absence, Cancelled, Limits, Preparation, Question, Refusal, Runner, Sighting, Start, Started,
    Supervision, Worktree,
};
pub(crate) use runners::{default_runner, runner};
pub(crate) use state::State;
pub(crate) use status::{Beat, Changes, Contained, Status, parse_state};
pub(crate) use token::Token;
