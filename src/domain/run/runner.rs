//! What starts runs on hosts, polls them and ends them.
//!
//! A runner is how a host runs things: `direct` under a supervisor of legwork's own, later under a scheduler. Everything
//! above speaks of [`RunId`]s and of this trait only. What a runner deploys, which arguments its scripts take and how it
//! hands a run its description is known in its own file.

use std::fmt;

use futures_util::future::BoxFuture;

use super::{
    error::Error,
    run_id::RunId,
    status::{Beat, Status},
    token::Token,
};
use crate::system::{Context, machine::Machine};

/// Starts runs on a machine, polls them and ends them.
pub(crate) trait Runner: fmt::Debug + Sync {
    /// Returns the name that is recorded with each job.
    fn name(&self) -> &'static str;

    /// Starts a run, once: a run that was started before is found and left as it is. Costs one round trip.
    fn start<'a>(
        &'a self,
        context: &'a Context,
        machine: &'a Machine,
        start: &'a Start,
    ) -> BoxFuture<'a, Result<Started, Error>>;

    /// Reads the states of many runs in one round trip; with `wait_s` the machine answers once something changes.
    ///
    /// The sightings are in the order of the questions.
    fn poll<'a>(
        &'a self,
        context: &'a Context,
        machine: &'a Machine,
        questions: &'a [Question],
        wait_s: u64,
    ) -> BoxFuture<'a, Result<Vec<Sighting>, Error>>;

    /// Ends a run: TERM to all its processes, KILL after `grace_s`. A run that has not arrived yet will never start.
    fn cancel<'a>(
        &'a self,
        context: &'a Context,
        machine: &'a Machine,
        run: &'a RunId,
        grace_s: u64,
    ) -> BoxFuture<'a, Result<Cancelled, Error>>;
}

/// A run to start.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// The run.
    pub(crate) run: RunId,
    /// Its limits.
    pub(crate) limits: Limits,
    /// The program, as a shell script: `$1` is the folder of what is run, `$2` legwork's root on the host.
    pub(crate) command: String,
    /// What the program reads.
    pub(crate) stdin: String,
    /// What only the run may know, as shell commands that its program's shell runs first; empty for nothing.
    ///
    /// It goes through pipes, into no file, and an exported variable of it is in the program's environment alone.
    pub(crate) secrets: String,
    /// Where the program runs and whose changes are recorded at the end; in the subject's folder, and nothing, where none is given.
    pub(crate) worktree: Option<Worktree>,
    /// What else must be in place first.
    pub(crate) preparation: Preparation,
}

/// Limits of a run, enforced where it runs.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Seconds the program may run.
    pub(crate) wall_s: u64,
    /// Seconds the program may be silent; 0 for any number.
    pub(crate) idle_s: u64,
    /// Seconds between TERM and KILL.
    pub(crate) grace_s: u64,
    /// Bytes kept of each log.
    pub(crate) log_bytes: u64,
}

/// The worktree of a run.
#[derive(Clone, Debug)]
pub(crate) struct Worktree {
    /// Its folder, below the subject's.
    pub(crate) folder: &'static str,
    /// The commit that its changes are compared with.
    pub(crate) base: String,
}

/// Files that a run needs beside its own.
#[derive(Clone, Debug)]
pub(crate) struct Preparation {
    /// A shell script that defines `prepare_run`; `submit.sh` says what it finds and how it refuses.
    pub(crate) script: String,
    /// The arguments of `prepare_run`.
    pub(crate) arguments: Vec<String>,
    /// The payloads of `prepare_run`.
    pub(crate) files: Vec<Vec<u8>>,
}

/// What came of a start.
#[derive(Clone, Debug)]
pub(crate) enum Started {
    /// The run is there.
    Run {
        /// Its state.
        status: Box<Status>,
        /// The token under which the machine has it: another one than was sent where an earlier start came from elsewhere.
        token: Token,
        /// Whether it had been started before.
        found: bool,
    },
    /// Nothing was started.
    Refused(Refusal),
    /// It was asked to start and has not written a state yet.
    Silent(Refusal),
}

/// Why nothing was started, by the answer of the machine.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The step that failed.
    pub(crate) step: String,
    /// The file that could not be written, where one could not, with what is known of its disk.
    pub(crate) unwritten: Option<Unwritten>,
    /// Everything that the script printed.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

/// A file that could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unwritten {
    /// The file.
    pub(crate) path: String,
    /// Whether its folder could be written at all.
    pub(crate) is_writable: bool,
    /// Whether the disk has no room left.
    pub(crate) is_full: bool,
}

/// A run to look at.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The run.
    pub(crate) run: RunId,
    /// Its state by the last look.
    pub(crate) known: Option<Status>,
}

/// A run as its machine reports it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sighting {
    /// Its state; none where it has written none.
    pub(crate) status: Option<Status>,
    /// Its heartbeat.
    pub(crate) beat: Option<Beat>,
    /// Seconds since that heartbeat, by the machine's own clock.
    pub(crate) beat_age_s: u64,
    /// What is not there of a run without a state.
    pub(crate) absence: Option<Absence>,
    /// Whether it has no state although its folder is there.
    pub(crate) is_stateless: bool,
    /// Whether a legwork of another protocol started it.
    pub(crate) is_unsupported: bool,
    /// Who watches over it.
    pub(crate) supervision: Supervision,
}

/// What a machine does not have of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// The folder of its subject.
    Folder,
    /// A supervisor that has claimed it.
    Claim,
}

/// Who watches over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Supervision {
    /// A supervisor on the machine that was asked, as far as it can tell.
    #[default]
    Here,
    /// Its supervisor was found gone; another one was called.
    Gone,
    /// Another machine that shares the folder, of which the one that was asked cannot tell more.
    Elsewhere,
}

/// What came of ending a run.
#[derive(Clone, Debug)]
pub(crate) enum Cancelled {
    /// Its state now.
    Run(Box<Status>),
    /// It had not been started, and now it never will be.
    NeverStarted,
    /// It was claimed and has written no state.
    Silent,
}
