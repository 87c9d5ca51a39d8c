//! `decide-approval`: say yes or no to what waits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AuthorizationView, RequestView};
use crate::{
    contract::{
        Answer, Code, Effects, Failure, Name, Next, Reach, Scope, Scoped, Violation, Violations,
    },
    domain::{
        authorization,
        task::{self, TaskId},
    },
    primitives::{Primitive, task_view::TaskView},
    system::Context,
};

/// Says yes or no to a request or a task that `list-waiting` shows. For a person alone.
///
/// The person shows to be one at the terminal, where all of the call is shown and its primitive has to be typed, or by the key
/// (`[authorization]` of the configuration). A request that was approved lets its call through once, within a day; one that was
/// rejected answers the same call with `authorization_rejected` for as long as it would have waited. A decision can be
/// turned as long as the call has not begun.
///
/// A task that was approved runs when its turn comes, with the attempts that it has; what a person lets run is what they saw, so an
/// edit of that makes it wait again, and so does `retry-task`. One that was rejected is `cancelled`, with the reason `rejected`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The request; either this or `task_id` is given.
    #[serde(default)]
    pub(crate) request_id: Option<Name>,
    /// The task of the queue.
    #[serde(default)]
    pub(crate) task_id: Option<TaskId>,
    /// With `task_id`: the version that was looked at, as `list-waiting` shows it. Where it has another one by now, nothing is decided.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) expected_version: Option<u64>,
    /// What is decided.
    pub(crate) decision: Verdict,
    /// Why, for those who read the audit log, and for the caller or `show-task` where it is rejected.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1000))]
    pub(crate) note: Option<String>,
    /// Whether only to report how it stands.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The call may run, once.
    Approve,
    /// It may not.
    Reject,
}

/// The request or the task as it stands now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The request; null where a task was decided.
    pub(crate) request: Option<RequestView>,
    /// What lets the request through; null where it was rejected, in a dry run, or where a task was decided.
    pub(crate) authorization: Option<AuthorizationView>,
    /// The task; null where a request was decided.
    pub(crate) task: Option<TaskView>,
}

/// Carries the declaration of `decide-approval`.
pub(crate) struct DecideApproval;

/// How long an approval holds.
const APPROVAL_S: u32 = 86_400;

impl Primitive for DecideApproval {
    const NAME: &'static str = "decide-approval";
    const SUMMARY: &'static str = "Approve or reject what waits for a person";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[
        Code::RequestUnknown,
        Code::RequestClosed,
        Code::ApproverUnverified,
        Code::TaskNotFound,
        Code::TaskEnded,
        Code::TaskClaimed,
        Code::VersionConflict,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[("note", Reach::Data)];
    // It is the leave.
    const SCOPES: &'static [Scoped] = Scope::NONE;
    const NEEDS_PERSON: bool = true;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let of = |request_id, task_id, decision, note: Option<&str>| Input {
            request_id,
            task_id,
            expected_version: None,
            decision,
            note: note.map(str::to_owned),
            dry_run: false,
        };
        let request = || Some(Name::fixed("req-0123456789abcdef"));
        let task = || Some(TaskId::fixed("task-5-00000005"));
        let note = Some("The box is still in use.");
        vec![
            of(request(), None, Verdict::Approve, None),
            of(request(), None, Verdict::Reject, note),
            of(None, task(), Verdict::Approve, None),
            of(None, task(), Verdict::Reject, note),
        ]
    }

    fn check(input: &Input) -> Violations {
        let mut found = Vec::new();
        match (&input.request_id, &input.task_id) {
            (None, None) => found.push(Violation::new(
                "/request_id",
                "oneOf",
                "either a request or a task has to be named",
            )),
            (Some(_), Some(_)) => found.push(Violation::new(
                "/task_id",
                "oneOf",
                "one thing is decided at a time: leave out `task_id`, or `request_id`",
            )),
            (Some(_), None) if input.expected_version.is_some() => found.push(Violation::new(
                "/expected_version",
                "oneOf",
                "it belongs to `task_id`; a request never changes",
            )),
            (Some(_), None) | (None, Some(_)) => {}
        }
        found.into_iter().collect()
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let note = input.note.as_deref();
        let Some(id) = &input.request_id else {
            return of_task(context, &input).await;
        };
        let decided = match input.decision {
            Verdict::Approve => {
                authorization::approve(context, id, APPROVAL_S, note, input.dry_run).await?
            }
            Verdict::Reject => authorization::reject(context, id, note, input.dry_run).await?,
        };
        let is_approved = decided.authorization.is_some();
        let answer = Answer::new(
            decided.effect,
            Output {
                request: Some((&decided.request).into()),
                authorization: decided.authorization.map(Into::into),
                task: None,
            },
        );
        Ok(if is_approved {
            answer.with_next(Next::new(
                "resume-call",
                json!({"request_id": id}),
                "run the call that was let through",
            ))
        } else {
            answer
        })
    }
}

/// Decides about a task.
async fn of_task(context: &Context, input: &Input) -> Result<Answer<Output>, Failure> {
    let Some(id) = &input.task_id else {
        return Err(Failure::internal("neither a request nor a task is named"));
    };
    let (expected, note) = (input.expected_version, input.note.as_deref());
    let (task, effect) = match input.decision {
        Verdict::Approve => task::approve(context, id, expected, note, input.dry_run).await?,
        Verdict::Reject => task::reject(context, id, expected, note, input.dry_run).await?,
    };
    let output = Output {
        request: None,
        authorization: None,
        task: Some(task.into()),
    };
    Ok(Answer::new(effect, output))
}
