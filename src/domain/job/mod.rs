//! Jobs: what is known here of an agent's work on one problem, how that is found out, and how it is ended.

mod cancel;
mod error;
mod launch_lock;
mod log;
mod model;
mod observe;
mod observed;
mod progress;
mod records;
mod run_of;
mod status_line;
mod table;
mod verdict;
mod wait;

pub(crate) use cancel::cancel;
pub(crate) use error::Error;
pub(crate) use launch_lock::lock as launch_lock;
pub(crate) use log::{Chunk, Stream, read as read_log};
pub(crate) use model::{IssueRepro, Job, JobSpec, Limits, Outcome, Progress};
pub(crate) use observe::poll;
pub(crate) use observed::Observed;
pub(crate) use progress::note_status;
pub(crate) use records::{
    EventFilter, Filter, Recorded, changed_since, events, find, find_all, find_by_diff,
    find_by_key, insert, last_event, list, update, withdraw,
};
pub(crate) use table::{EVENT_KINDS, EVENTS, EVENTS_BY_KIND, Event, JOBS};
pub(crate) use verdict::{
    Author, Caveat, CaveatKind, Check, CheckFile, CheckRun, Counts, DiffSource, Flip, HeldOut,
    Purpose, RunResult, TestState, Tree, Trees, Verdict, Verified, likelihood_ratio,
};
pub(crate) use wait::{Requirement, ended, require, wait};
