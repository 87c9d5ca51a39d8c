//! Investigations: an agent at work on a problem, from its launch to its evidence.

mod apply;
mod artifacts;
mod briefing;
mod cancel;
mod command;
mod error;
mod job;
mod launch;
mod log;
mod observe;
mod readiness;
mod records;
mod told;
mod verify;
mod wait;

pub(crate) use apply::{Applied, ApplyRequest, Maker, Origin, apply};
pub(crate) use artifacts::{Condition, Examined, check_artifacts, fetch_artifacts};
pub(crate) use briefing::{Brief, render as render_prompt};
pub(crate) use cancel::cancel;
pub(crate) use error::Error;
pub(crate) use job::{Job, Limits, Outcome};
pub(crate) use launch::{Request, launch};
pub(crate) use log::{Chunk, Stream, read as read_log};
pub(crate) use observe::{Observed, poll};
pub(crate) use readiness::preflight;
pub(crate) use records::{Filter, changed_since, events, find, find_all, last_event, list};
pub(crate) use verify::{Request as VerifyRequest, Verdict, Verified, verify};
pub(crate) use wait::{Requirement, require, require_verdict, wait};
