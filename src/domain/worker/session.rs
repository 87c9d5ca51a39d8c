//! A session of a worker: one process that takes tasks out of the queue, from its start to its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::Name,
    system::living_process::{self, LivingProcess},
};

/// How an id begins.
const PREFIX: &str = "session-";

/// What a worker takes and how much at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    /// The name of the worker.
    pub(crate) worker: Name,
    /// How many tasks it runs at once.
    pub(crate) concurrency: u32,
    /// Only tasks for these agents, or for none in particular; any where empty.
    pub(crate) agents: Vec<Name>,
    /// Only tasks for these hosts, or for none in particular; any where empty.
    pub(crate) hosts: Vec<Name>,
    /// Seconds of its leases.
    pub(crate) lease_s: u64,
    /// Ends after it has ended so many tasks; never where none is given.
    pub(crate) max_tasks: Option<u64>,
    /// Ends when for so many seconds there was nothing to do; never where none is given.
    pub(crate) idle_exit_s: Option<u64>,
    /// Seconds that what runs may take to end when the worker is to end.
    pub(crate) drain_s: u64,
}

/// What became of the tasks of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WorkerCounts")]
pub(crate) struct Counts {
    /// Attempts that it claimed.
    pub(crate) claimed: u64,
    /// Attempts that it took over from sessions that are gone.
    pub(crate) adopted: u64,
    /// Attempts that were done.
    pub(crate) succeeded: u64,
    /// Attempts that failed.
    pub(crate) failed: u64,
    /// Attempts that were given back, because somebody paused or cancelled the task or it could not be started.
    pub(crate) released: u64,
    /// Attempts whose process was gone without a word.
    pub(crate) lost: u64,
    /// Attempts that somebody else had when they ended; nothing was written of them.
    pub(crate) refused: u64,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionEnd {
    /// It was asked to end.
    Stopped,
    /// There was nothing to do for the time it was given.
    Idle,
    /// It ended as many tasks as it was to.
    Done,
    /// The folder with its queue was taken away.
    StoreGone,
    /// Its process was found gone, and it had left no word.
    Killed,
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionState {
    /// Its process lives.
    Running,
    /// It ended by itself or when it was asked to.
    Ended,
    /// Its process is gone and left no word.
    Gone,
    /// It runs on another machine or for another home, and has not written for longer than its leases last.
    Unknown,
}

/// From where a session is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sight {
    /// From where it runs: its process can be looked at.
    #[default]
    Here,
    /// From elsewhere, and it wrote lately that it lives.
    Heard,
    /// From elsewhere, and it has been silent for too long.
    Silent,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) session_id: Name,
    /// The name of its worker.
    pub(crate) worker: Name,
    /// Whether `start-worker` started it.
    pub(crate) background: bool,
    /// Its process.
    pub(crate) process: LivingProcess,
    /// The machine on which that runs.
    pub(crate) node: String,
    /// The place whose processes can look at it; none of a session that was written before there were several.
    #[serde(default)]
    pub(crate) station: Option<String>,
    /// From where it is looked at.
    #[serde(skip)]
    pub(crate) sight: Sight,
    /// What it takes.
    pub(crate) options: Options,
    /// When it started (RFC 3339, UTC).
    pub(crate) started_at: String,
    /// When it last said that it lives (RFC 3339, UTC).
    pub(crate) seen_at: String,
    /// Since when it is ending (RFC 3339, UTC).
    pub(crate) draining_since: Option<String>,
    /// When it ended (RFC 3339, UTC).
    pub(crate) ended_at: Option<String>,
    /// Why.
    pub(crate) end: Option<SessionEnd>,
    /// What became of its tasks.
    pub(crate) counts: Counts,
}

impl Session {
    /// Returns whether it goes on: by a look at its process, or where that cannot be seen by what it wrote.
    pub(crate) fn state(&self) -> SessionState {
        if self.end == Some(SessionEnd::Killed) {
            SessionState::Gone
        } else if self.ended_at.is_some() {
            SessionState::Ended
        } else {
            match self.sight {
                Sight::Here if self.process.is_alive() => SessionState::Running,
                Sight::Here => SessionState::Gone,
                Sight::Heard => SessionState::Running,
                Sight::Silent => SessionState::Unknown,
            }
        }
    }

    /// Returns whether neither its process nor the files of its runs can be looked at from here.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.sight != Sight::Here
    }

    /// Returns whether it runs, or may run, out of sight.
    pub(super) fn runs_elsewhere(&self) -> bool {
        self.is_elsewhere() && self.state() == SessionState::Running
    }

    /// Returns whether its process is certainly gone: only the machine on which it ran can say so.
    pub(super) fn is_certainly_gone(&self) -> bool {
        !self.is_elsewhere() && self.node == living_process::node() && !self.process.is_alive()
    }
}

/// Makes an id.
pub(super) fn id(number: i64, random: &str) -> Name {
    Name::fixed(&format!("{PREFIX}{number}-{random}"))
}

/// Returns the number in an id.
pub(super) fn number(session_id: &Name) -> Option<i64> {
    let rest = session_id.as_str().strip_prefix(PREFIX)?;
    rest.split_once('-')?.0.parse().ok()
}
