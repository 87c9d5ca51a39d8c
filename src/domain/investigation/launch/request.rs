//! What a launch is asked for, and what came of it.

use crate::{
    contract::{Effect, Name},
    domain::{job::Job, prompt},
};

/// What to launch.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The host; the default one where none is named.
    pub(crate) host: Option<Name>,
    /// The repository.
    pub(crate) repository: Name,
    /// The agent; the default one where none is named.
    pub(crate) agent: Option<Name>,
    /// The model.
    pub(crate) model: Option<String>,
    /// The issue: a reference or a file.
    pub(crate) issue: Option<String>,
    /// What to do, in words.
    pub(crate) message: Option<String>,
    /// The command that fails without a fix and passes with it.
    pub(crate) verify: Option<String>,
    /// Commands under which what passes before must pass with the fix.
    pub(crate) regression: Vec<String>,
    /// Seconds the agent may run.
    pub(crate) max_wall_s: Option<u64>,
    /// Seconds the agent may be silent.
    pub(crate) max_idle_s: Option<u64>,
    /// Turns the agent may take.
    pub(crate) max_turns: Option<u32>,
    /// US dollars the agent may spend.
    pub(crate) max_cost_usd: Option<f64>,
    /// The key under which the same launch finds its job.
    pub(crate) idempotency_key: Option<String>,
    /// Whether only to report what would be done.
    pub(crate) dry_run: bool,
}

impl Request {
    /// Asks for a launch on a repository, everything else by default.
    pub(crate) fn new(repository: Name) -> Self {
        Self {
            repository,
            host: None,
            agent: None,
            model: None,
            issue: None,
            message: None,
            verify: None,
            regression: Vec::new(),
            max_wall_s: None,
            max_idle_s: None,
            max_turns: None,
            max_cost_usd: None,
            idempotency_key: None,
            dry_run: false,
        }
    }
}

/// A job after its launch.
#[derive(Clone, Debug)]
pub(crate) struct Launched {
    /// The job.
    pub(crate) job: Job,
    /// What this call did.
    pub(crate) effect: Effect,
    /// The prompt, where this call made one.
    pub(crate) prompt: Option<prompt::Prompt>,
    /// The agent's program and arguments, where this call made them.
    pub(crate) argv: Vec<String>,
}
