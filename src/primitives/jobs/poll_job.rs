//! `poll-job`: where jobs stand.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::JobView;
use crate::{
    contract::{
        Answer, Code, Cursor, Effect, Effects, Failure, JobId, Next, Pager, Reach, Timeout, details,
    },
    domain::job::{self, Filter},
    primitives::Primitive,
    system::Context,
};

/// Says where jobs stand: one, many, or all that have not ended.
///
/// Hosts are asked at once, each in one round trip; jobs that have ended cost none. A host that does not answer makes
/// its jobs `unreachable` beside their last known state, never ended. With `wait_s` the hosts answer as soon as
/// something changes. The failure of a job is data here.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The jobs; all that have not ended, at most 500, where none is named.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub(crate) job_ids: Vec<JobId>,
    /// `next_cursor` of an earlier answer, whichever jobs it was about: only jobs to which something has happened since
    /// are listed.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
    /// Seconds to wait for a change.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86_400))]
    pub(crate) wait_s: u64,
    /// Seconds the call may take, waiting aside.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

/// Where the jobs stand.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The jobs, in the order asked for.
    pub(crate) jobs: Vec<JobView>,
    /// How many of them have not ended.
    pub(crate) active: u64,
    /// What to send as `cursor` to hear only of what happens from now on.
    pub(crate) next_cursor: Cursor,
}

/// Carries the declaration of `poll-job`.
pub(crate) struct PollJob;

impl Primitive for PollJob {
    const NAME: &'static str = "poll-job";
    const SUMMARY: &'static str = "Say where jobs stand";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[
        Code::JobNotFound,
        Code::PartialFailure,
        Code::CursorInvalid,
        Code::HostUnknown,
        Code::HostScriptFailed,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![
            Input {
                job_ids: vec![
                    JobId::fixed("widgets-12-0123456789ab"),
                    JobId::fixed("widgets-15-ba9876543210"),
                ],
                cursor: None,
                wait_s: 0,
                timeout_s: Timeout::default(),
            },
            Input {
                job_ids: Vec::new(),
                cursor: None,
                wait_s: 30,
                timeout_s: Timeout::default(),
            },
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.beside_wait(input.wait_s))
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &Value::Null);
        let since: Option<i64> = match &input.cursor {
            Some(cursor) => Some(pager.position(cursor)?),
            None => None,
        };
        let next_cursor = pager.cursor(&job::last_event(context)?);
        let mut warnings = Vec::new();
        let jobs = if input.job_ids.is_empty() {
            let filter = Filter {
                active: Some(true),
                limit: 500,
                ..Filter::default()
            };
            let listed = job::list(context, &filter)?;
            warnings.extend(listed.warnings());
            listed.read
        } else {
            named(context, &input.job_ids)?
        };
        let observed = job::poll(context, jobs, input.wait_s).await?;
        let changed = match since {
            Some(since) => Some(job::changed_since(context, since)?),
            None => None,
        };
        // What was noted while polling is newer than the cursor read before it: it may be listed twice, and is never lost.
        let active = observed
            .iter()
            .filter(|observed| !observed.job.state.is_terminal())
            .count();
        let jobs: Vec<JobView> = observed
            .into_iter()
            .filter(|observed| {
                observed.unreachable.is_some()
                    || changed
                        .as_ref()
                        .is_none_or(|changed| changed.contains(observed.job.job_id.as_str()))
            })
            .map(JobView::from)
            .collect();
        let next = jobs
            .iter()
            .find(|job| job.ended && job.changes.is_some())
            .map(|job| {
                Next::new(
                    "fetch-artifacts",
                    json!({"job_id": job.job_id}),
                    "bring its report, diff and logs here",
                )
            });
        let mut answer = Answer::read(Output {
            jobs,
            active: active as u64,
            next_cursor,
        });
        answer.warnings.extend(warnings);
        Ok(match next {
            Some(next) => answer.with_next(next),
            None => answer,
        })
    }
}

/// Finds the jobs of all ids; an id that is unknown or whose row is damaged fails the call, and says how to ask for the
/// others.
fn named(context: &Context, ids: &[JobId]) -> Result<Vec<job::Job>, Failure> {
    if let [only] = ids {
        return Ok(vec![job::find(context, only)?]);
    }
    let mut jobs = Vec::new();
    let mut failed = Vec::new();
    for (id, found) in ids.iter().zip(job::find_all(context, ids)?) {
        let (error_code, message) = match found {
            Ok(Some(job)) => {
                jobs.push(job);
                continue;
            }
            Ok(None) => (Code::JobNotFound, "there is no such job".to_owned()),
            Err(damage) => (Code::StoreDamaged, damage.to_string()),
        };
        failed.push(details::Item::new(id.as_str(), error_code, &message));
    }
    if failed.is_empty() {
        return Ok(jobs);
    }
    let others: Vec<&JobId> = jobs.iter().map(|job| &job.job_id).collect();
    let mut failure = Failure::new(
        Code::PartialFailure,
        format!("{} of {} jobs cannot be found", failed.len(), ids.len()),
        "Leave out the ids in details.items; next holds the call for the others.",
    )
    .with_effect(Effect::None)
    .with_details(details::Items::new(failed).into());
    if !others.is_empty() {
        failure = failure.with_next(Next::new(
            "poll-job",
            json!({"job_ids": others}),
            "look at the jobs that are known",
        ));
    }
    Err(failure)
}
