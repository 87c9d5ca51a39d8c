//! What a call is asked to make of a workspace, what it works with, and what it reports.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Specification, Step};
use crate::{
    contract::{Effect, Name},
    domain::repository,
    system::{Context, machine::Machine},
};

/// The workspace to make.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The host; the default one where none is named.
    pub(crate) host: Option<Name>,
    /// What to clone, from where, at which ref.
    pub(crate) repository: repository::Spec,
    /// The Python version or interpreter, in place of the profile's.
    pub(crate) python: Option<String>,
    /// The packages, in place of the profile's.
    pub(crate) packages: Option<Vec<String>>,
    /// Whether to look for new commits on the ref.
    pub(crate) refresh: bool,
    /// Whether only to say what would be done.
    pub(crate) dry_run: bool,
    /// Seconds that the call may take.
    pub(crate) limit: u64,
}

/// How it is with a step. One that fails fails the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "State")]
pub(crate) enum StepState {
    /// It was done before.
    Done,
    /// This call did it.
    Ran,
    /// It is not part of this workspace.
    Skipped,
    /// It would be done; only in a dry run.
    Pending,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The step.
    pub(crate) step: Step,
    /// Whether it is done.
    pub(crate) state: StepState,
    /// Seconds it took when it was done.
    pub(crate) seconds: Option<u64>,
    /// What it found.
    pub(crate) evidence: Option<String>,
    /// What a caller should know of it.
    pub(crate) notes: Option<String>,
}

/// A workspace made, or in a dry run what would be made.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The host.
    pub(crate) host: Name,
    /// What the workspace is to be.
    pub(crate) specification: Specification,
    /// legwork's folder on the host, absolute.
    pub(crate) root: String,
    /// The commit that jobs start from, where it is known.
    pub(crate) base_commit: Option<String>,
    /// The digest of the mirror, where it is known.
    pub(crate) mirror: Option<String>,
    /// The store that environments are made from, below legwork's folder, where it is known.
    pub(crate) environment: Option<String>,
    /// All steps in order.
    pub(crate) reports: Vec<Report>,
    /// What the call did.
    pub(crate) effect: Effect,
}

impl Outcome {
    /// Returns whether the workspace is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.reports
            .iter()
            .all(|report| report.state != StepState::Pending)
    }
}

/// One call at work on one workspace.
pub(super) struct Work<'a> {
    pub(super) context: &'a Context,
    pub(super) machine: Machine,
    pub(super) repository: repository::Repository,
    pub(super) specification: Specification,
    pub(super) request: Request,
}
