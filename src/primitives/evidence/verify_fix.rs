//! `verify-fix`: prove that a diff fixes what it claims to fix.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Next, Timeout},
    domain::{
        investigation::{self, VerifyRequest},
        job::{self, Outcome, Verdict, Verified},
    },
    primitives::Primitive,
    system::Context,
};

/// Proves whether a job's diff fixes its problem: in clean worktrees at the base commit on the job's host, the check must
/// fail without the diff and pass with it.
///
/// The check is the command in `verify`, else the one the job was launched with, else the job's `repro.py`, `repro.sh`
/// or `repro.js`. A file that the check names and only the diff brings along is put beside the unfixed code too, so that a
/// test cannot fail for being absent. A check that did not run, or ran out of time, makes the verdict `inconclusive`,
/// which is no failure of this call. The verdict decides the job's outcome. The same call again returns the verdict made
/// before; `attempt` makes it anew.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// The shell command that judges the fix.
    #[serde(default)]
    #[schemars(length(min = 1, max = 65536))]
    pub(crate) verify: Option<String>,
    /// Seconds each of the two runs of the check may take.
    #[serde(default = "limit_s")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(crate) limit_s: u64,
    /// Which try this is; a number not used before makes the check anew.
    #[serde(default = "attempt")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) attempt: u32,
    /// What the verdict of this call must be for it to succeed: only `fixed` passes.
    #[serde(default)]
    pub(crate) require: Option<Require>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take; the verification goes on without it, and the same call finds it.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<1800, 604_800>,
}

/// What the verdict must be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Require {
    /// The fix is verified.
    Fixed,
}

const fn limit_s() -> u64 {
    600
}

const fn attempt() -> u32 {
    1
}

/// The verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job.
    pub(crate) job_id: JobId,
    /// What was found; null in a dry run.
    pub(crate) verdict: Option<Verdict>,
    /// What the evidence now says of the job.
    pub(crate) outcome: Option<Outcome>,
    /// How it was found; null in a dry run.
    pub(crate) verification: Option<Verified>,
}

/// Carries the declaration of `verify-fix`.
pub(crate) struct VerifyFix;

impl Primitive for VerifyFix {
    const NAME: &'static str = "verify-fix";
    const SUMMARY: &'static str = "Prove that a diff fixes its problem";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::JobNotEnded,
        Code::JobUnreachable,
        Code::JobFolderMissing,
        Code::HostFolderUnwritable,
        Code::DiffEmpty,
        Code::VerifyUnspecified,
        Code::RequirementUnmet,
    ];
    const NEEDS_HOST: bool = true;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-12-0123456789ab"),
            verify: Some("python3 -m unittest -q tests.test_cart".to_owned()),
            limit_s: limit_s(),
            attempt: attempt(),
            require: Some(Require::Fixed),
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let request = VerifyRequest {
            check: input.verify,
            limit_s: input.limit_s,
            attempt: input.attempt,
            dry_run: input.dry_run,
        };
        let done = investigation::verify(context, &input.job_id, &request).await?;
        let (job, verified) = (done.job, done.verified);
        let verdict = verified.as_ref().map(|verified| verified.verdict);
        if let (Some(Require::Fixed), Some(verdict)) = (input.require, verdict) {
            job::require_verdict(&job, verdict)?;
        }
        let fixed = job.outcome == Some(Outcome::Fixed);
        let answer = Answer::new(
            done.effect,
            Output {
                job_id: job.job_id,
                verdict,
                outcome: job.outcome,
                verification: verified,
            },
        );
        Ok(if fixed {
            answer.with_next(Next::new(
                "apply-diff",
                json!({"job_id": input.job_id, "checkout": "."}),
                "put the proven diff on a branch here",
            ))
        } else {
            answer
        })
    }
}
