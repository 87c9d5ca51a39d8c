//! `check-diff`: judge any diff by any command.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::verdict::{self, PlannedCheck, Require};
use crate::{
    contract::{
        Answer, Code, Effects, Failure, JobId, Name, Next, Reach, Scope, Scoped, Timeout,
        Violations,
    },
    domain::{
        investigation::{self, FileDiff, Given, VerifyRequest},
        job::{CaveatKind, DiffSource, Outcome, Verdict, Verified},
        patch,
        verification::Settings,
    },
    primitives::Primitive,
    system::Context,
};

/// Judges a diff, of a job or in a file here, by a command of yours: in trees made anew on a host, the command must fail without the
/// diff's code and pass with it, as `verify-fix` does with the check that a job was launched with.
///
/// The command is run on the host as the user there, so it is a caller's to give and never text that somebody else wrote. A
/// verdict about a job's diff is recorded with the job. A diff in a file needs `repository`, which has a ready workspace on
/// the host.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The job whose diff it is; give this or `diff`.
    #[serde(default)]
    pub(crate) job_id: Option<JobId>,
    /// Which diff of the job.
    #[serde(default)]
    pub(crate) which: DiffSource,
    /// A file here that holds the diff, in place of a job.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "file-path"))]
    pub(crate) diff: Option<String>,
    /// The repository of a diff from a file.
    #[serde(default)]
    pub(crate) repository: Option<Name>,
    /// The commit that a diff from a file was made on; the one that jobs start from where none is given.
    #[serde(default)]
    #[schemars(regex(pattern = r"^([0-9a-f]{40}|[0-9a-f]{64})$"))]
    pub(crate) base: Option<String>,
    /// The shell command that fails without the fix and passes with it, run at the top of each tree.
    #[schemars(length(min = 1, max = 65536))]
    pub(crate) check: String,
    /// Commands under which what passes before must pass with the fix, such as the whole test suite.
    #[serde(default)]
    #[schemars(length(max = 8), inner(length(min = 1, max = 65536)))]
    pub(crate) regression: Vec<String>,
    /// The host to judge it on; the job's own, or the default host, where none is named.
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
    /// Whether only to say what would be run.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take; the verification goes on without it, and the same call finds it.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<1800, 604_800>,
}

/// The verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The job, where the diff is one's.
    pub(crate) job_id: Option<JobId>,
    /// What was found; null in a dry run.
    pub(crate) verdict: Option<Verdict>,
    /// What the evidence now says of the job.
    pub(crate) outcome: Option<Outcome>,
    /// The kinds of caveats that stand in the way of `require`.
    pub(crate) blocked_by: Vec<CaveatKind>,
    /// How it was found; null in a dry run.
    pub(crate) verification: Option<Verified>,
    /// What would be run; only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Vec<PlannedCheck>>,
}

/// Carries the declaration of `check-diff`.
pub(crate) struct CheckDiff;

impl Primitive for CheckDiff {
    const NAME: &'static str = "check-diff";
    const SUMMARY: &'static str = "Judge a diff by a command of yours";
    const EFFECTS: Effects = Effects::RUNS;
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
        Code::RequirementUnmet,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("diff", Reach::File),
        ("base", Reach::Data),
        ("check", Reach::Command),
        ("regression", Reach::Command),
        ("on", Reach::Host),
        ("tests_from", Reach::File),
        ("tests", Reach::Data),
    ];
    // The command runs in clean trees of its own.
    const SCOPES: &'static [Scoped] = &[Scope::RunCommand.always(), Scope::RemoteWrite.always()];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |job_id: Option<&str>, diff: Option<&str>| Input {
            job_id: job_id.map(JobId::fixed),
            which: DiffSource::Supervisor,
            diff: diff.map(str::to_owned),
            repository: diff.map(|_| Name::fixed("widgets")),
            base: None,
            check: "python3 -m unittest -q tests.test_cart".to_owned(),
            regression: Vec::new(),
            on: diff.map(|_| Name::fixed("gpu-box")),
            tests_from: None,
            tests: Vec::new(),
            reds: None,
            greens: None,
            strict: false,
            limit_s: verdict::limit_s(),
            attempt: verdict::attempt(),
            require: None,
            accept: Vec::new(),
            dry_run: false,
            timeout_s: Timeout::default(),
        };
        vec![
            example(Some("widgets-12-0123456789ab"), None),
            example(None, Some("fix.diff")),
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        let is_whole = match (&input.job_id, &input.diff) {
            (Some(_), None) => input.repository.is_none() && input.base.is_none(),
            (None, Some(_)) => input.repository.is_some(),
            (None, None) | (Some(_), Some(_)) => false,
        };
        if is_whole {
            Violations::default()
        } else {
            Violations::found_by::<(), _>(Err(patch::Error::Unspecified))
        }
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let given = Given {
            check: input.check,
            regression: input.regression,
        };
        let request = VerifyRequest {
            which: input.which,
            repro: None,
            given: Some(given.clone()),
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
        let done = match (&input.job_id, input.diff, input.repository) {
            (Some(job_id), _, _) => investigation::verify(context, job_id, &request).await?,
            (None, Some(path), Some(repository)) => {
                let file = FileDiff {
                    path,
                    repository,
                    base: input.base,
                };
                investigation::verify_file(context, &file, &given, &request).await?
            }
            (None, _, _) => return Err(patch::Error::Unspecified.into()),
        };
        verdict::require(
            input.require,
            input.job_id.as_ref(),
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
        Ok(match input.job_id {
            Some(job_id) if is_proven => answer.with_next(Next::new(
                "apply-diff",
                json!({"job_id": job_id, "which": input.which, "checkout": "."}),
                "put the proven diff on a branch here",
            )),
            Some(_) | None => answer,
        })
    }
}
