//! Workers: processes that take tasks out of the queue and carry them out.
//!
//! Invariants: an attempt is started once, however many workers try and whatever is killed; nothing is written of it without
//! evidence of its end; and what a worker that is gone had under way is found before the task is tried again.

mod attempt;
mod attention;
mod call;
mod caller;
mod command;
mod control;
mod engine;
mod error;
mod gpu_lease;
mod local_run;
mod place;
mod prompt;
mod records;
mod session;
mod supervised;
mod table;
mod wish;

pub(crate) use caller::Caller;
pub(crate) use control::{
    Halt, Overview, Stopped, WorkerTask, overview, restart, run, sessions, start, stop,
};
pub(crate) use engine::Stop;
pub(crate) use place::forget;
pub(crate) use session::{Counts, Options, Session, SessionEnd, SessionState};
pub(crate) use table::SESSIONS;
