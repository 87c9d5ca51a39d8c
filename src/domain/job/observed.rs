//! What one look at a job's host found out about the job.

use super::model::Job;
use crate::contract::Code;

/// A job by the last evidence, and how good that evidence is.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is a fact of its own"
)]
pub(crate) struct Observed {
    /// The job, as the last evidence has it.
    pub(crate) job: Job,
    /// Why its host gave no answer, where it gave none.
    pub(crate) unreachable: Option<Unreachable>,
    /// Whether its supervisor gave no sign for too long although the host answers.
    pub(crate) stalled: bool,
    /// Whether another machine that shares the folder supervises it, of which its host cannot tell more.
    pub(crate) supervised_elsewhere: bool,
    /// Whether its control folder is gone from the host.
    pub(crate) missing: bool,
    /// Whether its host answers and has no state of its run.
    pub(crate) stateless: bool,
}

/// Why a host gave no answer.
#[derive(Clone, Debug)]
pub(crate) struct Unreachable {
    /// The stable name of the failure.
    pub(crate) code: Code,
    /// One sentence on it.
    pub(crate) message: String,
}

impl Observed {
    /// Takes a job as it is recorded, without asking its host.
    pub(super) const fn recorded(job: Job) -> Self {
        Self {
            job,
            unreachable: None,
            stalled: false,
            supervised_elsewhere: false,
            missing: false,
            stateless: false,
        }
    }
}
