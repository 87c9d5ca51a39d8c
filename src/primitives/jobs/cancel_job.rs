//! `cancel-job`: end a job, and be sure of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::JobView;
use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Scope, Scoped, Timeout},
    domain::job,
    primitives::Primitive,
    system::Context,
};

/// Ends a job: TERM to all its processes, KILL to those that stay, and a look whether they are gone.
///
/// What the agent changed until then is kept as its diff. Answers only once the end is certain; processes that did
/// not end are the failure `processes_survived`. A job that has ended is left as it is, unless something of it may live on, which
/// is then ended: `job.contained` says how sure it is that nothing does.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// Seconds between TERM and KILL.
    #[serde(default = "grace_s")]
    #[schemars(range(min = 0, max = 600))]
    pub(crate) grace_s: u64,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<120, 3600>,
}

const fn grace_s() -> u64 {
    10
}

/// The job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job, as it stands.
    pub(crate) job: JobView,
    /// Whether its processes would be ended; only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) would_cancel: Option<bool>,
}

/// Carries the declaration of `cancel-job`.
pub(crate) struct CancelJob;

impl Primitive for CancelJob {
    const NAME: &'static str = "cancel-job";
    const SUMMARY: &'static str = "End a job and be sure of it";
    const EFFECTS: Effects = Effects::REMOVES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::JobNotEnded,
        Code::ProcessesSurvived,
    ];
    const NEEDS_HOST: bool = true;
    // What the agent did so far stays, so it is no loss of work but an end of it.
    const SCOPES: &'static [Scoped] = &[Scope::WorkerControl.always(), Scope::RemoteWrite.always()];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-15-ba9876543210"),
            grace_s: grace_s(),
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let cancelled = job::cancel(context, &input.job_id, input.grace_s, input.dry_run).await?;
        let would_cancel = input.dry_run.then(|| !cancelled.job.state.is_terminal());
        let answer = Answer::new(
            cancelled.effect,
            Output {
                job: cancelled.job.into(),
                would_cancel,
            },
        );
        Ok(if input.dry_run {
            answer
        } else {
            answer.with_next(Next::new(
                "fetch-artifacts",
                json!({"job_id": input.job_id}),
                "bring what it made until then here",
            ))
        })
    }
}
