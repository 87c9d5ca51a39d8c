//! Why a task does not run: the first reason for the column by which tasks are claimed, and all of them for a reader.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    id::TaskId,
    ledger::Ledger,
    limit::{self, Limit},
    model::{Readiness, State, Task},
};
use crate::system::clock;

/// Returns what is in the way of a task, and when time alone changes something about it (RFC 3339, UTC).
pub(super) fn of(task: &Task, unmet: u64, now: Timestamp) -> (Readiness, Option<String>) {
    match task.state {
        State::Waiting => waiting(task, unmet, now),
        State::Claimed => {
            let until = task.lease.as_ref().map(|lease| lease.until.clone());
            // Once it has run out, time alone changes nothing about a run that a worker has to look at.
            let is_left = |until: &String| {
                let is_run = task.lease.as_ref().is_some_and(|lease| lease.run.is_some());
                !is_run || *until > clock::text(now)
            };
            (Readiness::Claimed, until.filter(is_left))
        }
        State::Paused => (Readiness::Paused, task.spec.deadline.clone()),
        State::Held => (Readiness::Held, task.spec.deadline.clone()),
        State::Succeeded
        | State::Failed
        | State::Cancelled
        | State::Skipped
        | State::BudgetExhausted => (Readiness::Ended, None),
    }
}

fn waiting(task: &Task, unmet: u64, now: Timestamp) -> (Readiness, Option<String>) {
    let deadline = task.spec.deadline.clone();
    let starts = start(task, now);
    // What needs a person comes first: they are asked at once and not when all else is done.
    let readiness = if task.awaits_approval() {
        Readiness::Approval
    } else if unmet > 0 {
        Readiness::Dependencies
    } else if starts.is_some() {
        Readiness::NotYet
    } else {
        return (Readiness::Ready, deadline);
    };
    // Whoever waits for others is looked at again when they end; only a pause ends by itself.
    let starts = starts.filter(|_| readiness == Readiness::NotYet);
    let due = starts.into_iter().chain(deadline).min();
    (readiness, due)
}

/// Returns the time before which a waiting task does not start, where that has not come.
fn start(task: &Task, now: Timestamp) -> Option<String> {
    let now = clock::text(now);
    let times = [&task.spec.not_before, &task.back_off_until];
    times
        .into_iter()
        .flatten()
        .filter(|time| **time > now)
        .max()
        .cloned()
}

/// What kind of thing is in the way of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasonKind {
    /// A task that it depends on has not succeeded: `task_id`, `state`.
    Dependency,
    /// A person must let it run: `decide-approval`.
    Approval,
    /// Too little of a limit is free: `limit`, `needed`, `free`, `total`.
    Limit,
    /// A budget is spent: `limit`, and `until` where it starts anew by itself.
    Budget,
    /// Its own `not_before` has not come: `until`.
    NotBefore,
    /// It pauses after an attempt: `until`.
    BackingOff,
    /// It is paused: `resume-task`.
    Paused,
    /// It is held, because one that it depends on did not succeed: `resume-task` or `cancel-task`.
    Held,
    /// Somebody holds it: `until`.
    Claimed,
    /// It has ended.
    Ended,
}

/// One reason why a task does not run now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskReason")]
pub(crate) struct Reason {
    /// What kind of thing it is.
    pub(crate) kind: ReasonKind,
    /// One sentence for a reader.
    pub(crate) message: String,
    /// The task that is waited for.
    pub(crate) task_id: Option<TaskId>,
    /// The state that it is in; null where it is gone.
    pub(crate) state: Option<State>,
    /// The limit of which too little is free.
    pub(crate) limit: Option<String>,
    /// How much is needed of it.
    pub(crate) needed: Option<u64>,
    /// How much of it is free.
    pub(crate) free: Option<u64>,
    /// How much of it there is.
    pub(crate) total: Option<u64>,
    /// When it ends by itself (RFC 3339, UTC).
    pub(crate) until: Option<String>,
}

impl Reason {
    fn new(kind: ReasonKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            task_id: None,
            state: None,
            limit: None,
            needed: None,
            free: None,
            total: None,
            until: None,
        }
    }

    fn until(mut self, until: &str) -> Self {
        self.until = Some(until.to_owned());
        self
    }
}

/// Lists every reason why a task does not run now; none where it can be claimed.
pub(super) fn reasons(
    task: &Task,
    unmet: &[(TaskId, Option<State>)],
    ledger: &Ledger,
    limits: &[Limit],
    now: Timestamp,
) -> Vec<Reason> {
    let now = clock::text(now);
    let mut found = Vec::new();
    if task.state.is_final() {
        let why = task
            .reason
            .as_deref()
            .map_or_else(String::new, |reason| format!(": {reason}"));
        let message = format!("it is {}{why}", task.state.name());
        return vec![Reason::new(ReasonKind::Ended, message)];
    }
    if let Some(lease) = &task.lease {
        let message = if lease.until > now {
            format!("{} holds it until {}", lease.claimer, lease.until)
        } else if lease.run.is_some() {
            format!(
                "the lease of the worker {} ran out at {}: it waits for a worker that looks what became of its run",
                lease.claimer, lease.until
            )
        } else {
            format!(
                "the lease of {} ran out at {}: it can be claimed",
                lease.claimer, lease.until
            )
        };
        found.push(Reason::new(ReasonKind::Claimed, message).until(&lease.until));
        return found;
    }
    match task.state {
        State::Paused => found.push(Reason::new(ReasonKind::Paused, "it is paused: resume-task")),
        State::Held => found.push(Reason::new(
            ReasonKind::Held,
            "one that it depends on did not succeed: resume-task or cancel-task",
        )),
        State::Waiting
        | State::Claimed
        | State::Succeeded
        | State::Failed
        | State::Cancelled
        | State::Skipped
        | State::BudgetExhausted => {}
    }
    for (task_id, state) in unmet {
        let stands = state.map_or("gone", State::name);
        found.push(Reason {
            task_id: Some(task_id.clone()),
            state: *state,
            ..Reason::new(
                ReasonKind::Dependency,
                format!("it depends on {task_id}, which is {stands}"),
            )
        });
    }
    if task.awaits_approval() {
        found.push(Reason::new(
            ReasonKind::Approval,
            "a person must let it run: decide-approval",
        ));
    }
    for (kind, time) in [
        (ReasonKind::NotBefore, &task.spec.not_before),
        (ReasonKind::BackingOff, &task.back_off_until),
    ] {
        if let Some(time) = time.as_ref().filter(|time| **time > now) {
            found.push(Reason::new(kind, format!("it does not start before {time}")).until(time));
        }
    }
    for (limit, needed, free) in ledger.lacking(&task.lane().needs, limits) {
        let (name, total) = (&limit.name, limit.total.unwrap_or_default());
        let never = if needed > total {
            ", which is never enough"
        } else {
            ""
        };
        found.push(Reason {
            limit: Some(name.to_string()),
            needed: Some(needed),
            free: Some(free),
            total: Some(total),
            ..Reason::new(
                ReasonKind::Limit,
                format!("it needs {needed} of {name}, and {free} of {total} are free{never}"),
            )
        });
    }
    for (name, budget) in limit::spent(&task.spec.budgets, limits) {
        let anew = budget.starts_anew_at();
        let then = match &anew {
            Some(time) => format!("it starts anew at {time}"),
            None => "set-limit gives it more".to_owned(),
        };
        found.push(Reason {
            limit: Some(name.to_string()),
            until: anew,
            ..Reason::new(
                ReasonKind::Budget,
                format!("the budget {name} is spent, {}: {then}", budget.shown()),
            )
        });
    }
    found
}
