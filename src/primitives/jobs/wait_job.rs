//! `wait-job`: the end of a job.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::JobView;
use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Timeout},
    domain::job::{self, CaveatKind, Requirement},
    primitives::Primitive,
    system::Context,
};

/// Waits until a job has ended, and says how.
///
/// Without `require` any end is an answer. With it, a pipeline can branch on the exit status: the call fails with
/// `requirement_unmet` where the job ended otherwise. Connections that break meanwhile are taken up again. When the
/// time is over the job runs on, and the call fails with `wait_timed_out`, or `job_unreachable` where its host is silent.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// Seconds to wait.
    #[serde(default = "wait_s")]
    #[schemars(range(min = 0, max = 604_800))]
    pub(crate) wait_s: u64,
    /// What the ended job must be: `succeeded` (ended well, and changed something) or `fixed` (verified).
    #[serde(default)]
    pub(crate) require: Option<Requirement>,
    /// Caveats of its verification that `require` does not mind.
    #[serde(default)]
    #[schemars(length(max = 30))]
    pub(crate) accept: Vec<CaveatKind>,
    /// Seconds the call may take, waiting aside.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

const fn wait_s() -> u64 {
    600
}

/// The ended job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job.
    pub(crate) job: JobView,
}

/// Carries the declaration of `wait-job`.
pub(crate) struct WaitJob;

impl Primitive for WaitJob {
    const NAME: &'static str = "wait-job";
    const SUMMARY: &'static str = "Wait for the end of a job";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::WaitTimedOut,
        Code::JobUnreachable,
        Code::JobFolderMissing,
        Code::RequirementUnmet,
        Code::HostScriptFailed,
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-20-00112233aabb"),
            wait_s: wait_s(),
            require: Some(Requirement::Succeeded),
            accept: Vec::new(),
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.beside_wait(input.wait_s))
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let observed = job::wait(context, &input.job_id, input.wait_s).await?;
        if let Some(require) = input.require {
            job::require(&observed.job, require, &input.accept)?;
        }
        let changed = observed
            .job
            .progress
            .diff_bytes
            .is_some_and(|bytes| bytes > 0);
        let answer = Answer::read(Output {
            job: observed.into(),
        })
        .with_next(Next::new(
            "fetch-artifacts",
            json!({"job_id": input.job_id}),
            "bring its report, diff and logs here",
        ));
        Ok(if changed {
            answer.with_next(Next::new(
                "verify-fix",
                json!({"job_id": input.job_id}),
                "prove that the diff fixes the problem",
            ))
        } else {
            answer
        })
    }
}
