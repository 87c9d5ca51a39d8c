//! `verify-fix`: prove that a job's diff fixes what it claims to fix.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::verdict::{self, PlannedCheck, Require};
use crate::{
    contract::{Answer, Code, Effects, Failure, JobId, Name, Next, Reach, Timeout},
    domain::{
        investigation::{self, Repro, VerifyRequest},
        job::{CaveatKind, DiffSource, Outcome, Verdict, Verified},
        verification::Settings,
    },
    primitives::Primitive,
    system::Context,
};

/// Proves whether a job's diff fixes its problem, by the check that was given with the launch, or is configured. It takes no command:
/// `check-diff` does.
///
/// The diff is brought here first; its bytes are what is judged, and the verdict belongs to their SHA-256. Trees are made anew: the
/// base with the diff's tests, where the check must fail; the base with the whole diff, where it must pass; and, where the
/// diff has tests, the base and the base with the diff's code alone, where nothing that passed before may fail. The check is
/// run several times on each side, by turns, each time with an empty home. What ran is compared by the names of the tests where
/// the runner gives them; a check that ran nothing is neither red nor green, and the verdict is then `inconclusive`, which is no
/// failure of this call. `caveats` say what a reader has to know before believing it.
///
/// The same call again returns the verdict made before. What is asked again with another `attempt`, `reds` or `greens`
/// counts together with what was run before.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job.
    pub(crate) job_id: JobId,
    /// Which diff of the job.
    #[serde(default)]
    pub(crate) which: DiffSource,
    /// Judge it by code that came with the issue or that the agent left, in place of the job's check. Somebody else wrote it: look at it
    /// with `dry_run` first.
    #[serde(default)]
    pub(crate) repro: Option<Repro>,
    /// The host to judge it on; the job's own where none is named. It needs a ready workspace of the repository.
    #[serde(default)]
    pub(crate) on: Option<Name>,
    /// A folder here with files that only the trees of the verification get, at the same places; the agent never sees them.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "directory-path"))]
    pub(crate) tests_from: Option<String>,
    /// Patterns of the files that are tests, such as `checks/**`; the rules for each language where none is given.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 1, max = 300)))]
    pub(crate) tests: Vec<String>,
    /// Runs without the fix that must fail; with neither this nor `greens` two on each side, and up to five where they are quick.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) reds: Option<u32>,
    /// Runs with the fix that must pass.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) greens: Option<u32>,
    /// Whether to run as often as a likelihood ratio of 100 needs, and to take each hunk away in turn.
    #[serde(default)]
    pub(crate) strict: bool,
    /// Seconds each run of a check may take.
    #[serde(default = "verdict::limit_s")]
    #[schemars(range(min = 1, max = 86_400))]
    pub(crate) limit_s: u64,
    /// Which try this is; a number not used before runs the checks again, and what ran before counts too.
    #[serde(default = "verdict::attempt")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) attempt: u32,
    /// What the verdict of this call must be for it to succeed: only `fixed` passes, without a caveat that blocks.
    #[serde(default)]
    pub(crate) require: Option<Require>,
    /// Caveats that `require` does not mind.
    #[serde(default)]
    #[schemars(length(max = 30))]
    pub(crate) accept: Vec<CaveatKind>,
    /// Whether only to say what would be run, who wrote it, and its bytes.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take; the verification goes on without it, and the same call finds it.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<1800, 604_800>,
}

/// The verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job.
    pub(crate) job_id: JobId,
    /// What was found; null in a dry run.
    pub(crate) verdict: Option<Verdict>,
    /// What the evidence now says of the job: of the diff that its supervisor made.
    pub(crate) outcome: Option<Outcome>,
    /// The kinds of caveats that stand in the way of `require`.
    pub(crate) blocked_by: Vec<CaveatKind>,
    /// How it was found; null in a dry run.
    pub(crate) verification: Option<Verified>,
    /// What would be run; only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Vec<PlannedCheck>>,
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
        Code::ArtifactMissing,
        Code::ArtifactRefused,
        Code::ArtifactChanged,
        Code::WorkspaceNotFound,
        Code::WorkspaceNotReady,
        Code::DiffEmpty,
        Code::DiffInvalid,
        Code::VerifyUnspecified,
        Code::RequirementUnmet,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("on", Reach::Host),
        ("tests_from", Reach::File),
        ("tests", Reach::Data),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            job_id: JobId::fixed("widgets-12-0123456789ab"),
            which: DiffSource::Supervisor,
            repro: None,
            on: None,
            tests_from: None,
            tests: Vec::new(),
            reds: None,
            greens: None,
            strict: false,
            limit_s: verdict::limit_s(),
            attempt: verdict::attempt(),
            require: Some(Require::Fixed),
            accept: vec![CaveatKind::OwnTestOnly],
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let request = VerifyRequest {
            which: input.which,
            repro: input.repro,
            given: None,
            on: input.on,
            tests_from: input.tests_from,
            settings: Settings {
                tests: input.tests,
                held_out: Vec::new(),
                reds: input.reds,
                greens: input.greens,
                strict: input.strict,
                limit_s: input.limit_s,
                attempt: input.attempt,
            },
            dry_run: input.dry_run,
        };
        let done = investigation::verify(context, &input.job_id, &request).await?;
        verdict::require(
            input.require,
            Some(&input.job_id),
            done.verified.as_ref(),
            &input.accept,
        )?;
        let blocked_by = verdict::blocked_by(done.verified.as_ref(), &input.accept);
        let verdict = done.verified.as_ref().map(|verified| verified.verdict);
        let is_proven = verdict == Some(Verdict::Fixed) && blocked_by.is_empty();
        let answer = Answer::new(
            done.effect,
            Output {
                job_id: input.job_id.clone(),
                verdict,
                outcome: done.job.and_then(|job| job.outcome),
                blocked_by,
                verification: done.verified,
                plan: input.dry_run.then(|| verdict::plan(context, &done.checks)),
            },
        );
        Ok(if is_proven {
            answer.with_next(Next::new(
                "apply-diff",
                json!({"job_id": input.job_id, "which": input.which, "checkout": "."}),
                "put the proven diff on a branch here",
            ))
        } else {
            answer
        })
    }
}
