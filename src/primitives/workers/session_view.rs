//! How a session of a worker looks from outside; the primitives of the chapter share it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    contract::Name,
    domain::{
        task::TaskId,
        worker::{Counts, Session, SessionEnd, SessionState, Stopped},
    },
};

/// A session: one process of a worker, from its start to its end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkerSession")]
pub(crate) struct SessionView {
    /// Its id.
    pub(crate) session_id: Name,
    /// The name of its worker.
    pub(crate) name: Name,
    /// Whether it goes on: `running` and `gone` by a look at its process, of one on another machine by what it wrote.
    pub(crate) state: SessionState,
    /// Whether `start-worker` started it.
    pub(crate) background: bool,
    /// Its process.
    pub(crate) pid: u32,
    /// When that process started, in ticks since the boot; with `boot_id` it tells it from a later one of the same number.
    pub(crate) start_ticks: u64,
    /// The boot of the machine in which it started.
    pub(crate) boot_id: String,
    /// The machine on which it runs.
    pub(crate) node: String,
    /// How many tasks it runs at once.
    pub(crate) concurrency: u32,
    /// Only tasks for these agents; any where empty.
    pub(crate) agents: Vec<Name>,
    /// Only tasks for these hosts; any where empty.
    pub(crate) hosts: Vec<Name>,
    /// Seconds of its leases.
    pub(crate) lease_s: u64,
    /// When it started (RFC 3339, UTC).
    pub(crate) started_at: String,
    /// When it last wrote that it lives (RFC 3339, UTC).
    pub(crate) seen_at: String,
    /// Since when it takes no more tasks, because it was asked to end (RFC 3339, UTC).
    pub(crate) draining_since: Option<String>,
    /// When it ended, or was found gone (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
    /// Why it ended.
    pub(crate) end: Option<SessionEnd>,
    /// What became of the attempts that it had.
    pub(crate) counts: Counts,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            state: session.state(),
            session_id: session.session_id,
            name: session.worker,
            background: session.background,
            pid: session.process.pid,
            start_ticks: session.process.start_ticks,
            boot_id: session.process.boot_id,
            node: session.node,
            concurrency: session.options.concurrency,
            agents: session.options.agents,
            hosts: session.options.hosts,
            lease_s: session.options.lease_s,
            started_at: session.started_at,
            seen_at: session.seen_at,
            draining_since: session.draining_since,
            ended_at: session.ended_at,
            end: session.end,
            counts: session.counts,
        }
    }
}

/// A worker that was asked to end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StoppedWorker")]
pub(crate) struct StoppedView {
    /// Its session.
    pub(crate) session: SessionView,
    /// Whether it has ended.
    pub(crate) ended: bool,
    /// The tasks that it has under way, or left so: what runs goes on, and the next worker takes it over.
    pub(crate) under_way: Vec<TaskId>,
}

impl From<Stopped> for StoppedView {
    fn from(stopped: Stopped) -> Self {
        Self {
            session: stopped.session.into(),
            ended: stopped.has_ended,
            under_way: stopped.left,
        }
    }
}
