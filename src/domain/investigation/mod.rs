//! Investigations: putting an agent on a problem, proving what it made, and handing it back.

mod apply;
mod artifacts;
mod command;
mod error;
mod held_out;
mod job_diff;
mod launch;
mod prompt_input;
mod unwritten;
mod verify;

pub(crate) use apply::{Applied, AppliedProof, ApplyRequest, Origin, apply};
pub(crate) use artifacts::{Condition, Examined, LeakedSecret, check_artifacts, fetch_artifacts};
pub(crate) use error::Error;
pub(crate) use launch::{Request, launch};
pub(crate) use prompt_input::{Brief, check_message, render as render_prompt};
pub(crate) use verify::{FileDiff, Given, Repro, Request as VerifyRequest, verify, verify_file};
