//! What somebody beside the holder does with a task: edits, pauses, resumes, cancels it, or lets it run again.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    approval,
    desk::{self, Desk, Stop},
    enqueue::{as_name, normal},
    error::Error,
    id::TaskId,
    model::{Asked, AttemptEnd, Occurrence, State, Task},
    records, series,
    spec::{Backoff, OnDependencyFailure, Resources, TaskSpec},
};
use crate::{
    contract::{Effect, Name},
    system::Context,
};

/// What can be taken out of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Clearable {
    /// Its title.
    Title,
    /// Its deadline.
    Deadline,
    /// The time before which it does not start.
    NotBefore,
    /// What it may cost.
    BudgetUsd,
    /// How long its attempts may take.
    MaxWallS,
    /// When it comes again: it is the last of its series then.
    Every,
}

/// What is to be otherwise about a task; what is not given stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    /// Its title.
    pub(crate) title: Option<String>,
    /// Its priority.
    pub(crate) priority: Option<u8>,
    /// What it depends on.
    pub(crate) depends_on: Option<Vec<TaskId>>,
    /// What becomes of it when one of those does not succeed.
    pub(crate) on_dependency_failure: Option<OnDependencyFailure>,
    /// What it takes of the limits.
    pub(crate) resources: Option<Resources>,
    /// Whether a person must let it run.
    pub(crate) requires_approval: Option<bool>,
    /// How many attempts may fail.
    pub(crate) max_attempts: Option<u32>,
    /// How long it waits after one that failed.
    pub(crate) backoff: Option<Backoff>,
    /// When it is too late to start it.
    pub(crate) deadline: Option<String>,
    /// Before when it does not start.
    pub(crate) not_before: Option<String>,
    /// When it comes again, and in which time zone that is read.
    pub(crate) every: Option<(String, Option<String>)>,
    /// What it may cost.
    pub(crate) budget_usd: Option<f64>,
    /// How long its attempts may take.
    pub(crate) max_wall_s: Option<u64>,
    /// The budgets that it spends of.
    pub(crate) budgets: Option<Vec<Name>>,
    /// Its labels.
    pub(crate) labels: Option<Vec<Name>>,
    /// What is taken out.
    pub(crate) clear: Vec<Clearable>,
}

impl Edit {
    fn applied(self, before: &TaskSpec) -> TaskSpec {
        let mut spec = before.clone();
        let keep = |clear: Clearable| !self.clear.contains(&clear);
        spec.title = self.title.or(spec.title).filter(|_| keep(Clearable::Title));
        spec.deadline = self
            .deadline
            .as_deref()
            .map(normal)
            .or(spec.deadline)
            .filter(|_| keep(Clearable::Deadline));
        spec.not_before = self
            .not_before
            .as_deref()
            .map(normal)
            .or(spec.not_before)
            .filter(|_| keep(Clearable::NotBefore));
        if let Some((every, time_zone)) = self.every {
            (spec.every, spec.time_zone) = (Some(every), time_zone);
        }
        if !keep(Clearable::Every) {
            (spec.every, spec.time_zone) = (None, None);
        }
        spec.budget_usd = self
            .budget_usd
            .or(spec.budget_usd)
            .filter(|_| keep(Clearable::BudgetUsd));
        spec.max_wall_s = self
            .max_wall_s
            .or(spec.max_wall_s)
            .filter(|_| keep(Clearable::MaxWallS));
        if let Some(others) = &self.depends_on {
            let unique: BTreeSet<&TaskId> = others.iter().collect();
            spec.depends_on = unique.into_iter().map(as_name).collect();
        }
        spec.priority = self.priority.unwrap_or(spec.priority);
        spec.on_dependency_failure = self
            .on_dependency_failure
            .unwrap_or(spec.on_dependency_failure);
        spec.resources = self.resources.unwrap_or(spec.resources);
        spec.requires_approval = self.requires_approval.unwrap_or(spec.requires_approval);
        spec.max_attempts = self.max_attempts.unwrap_or(spec.max_attempts);
        spec.backoff = self.backoff.unwrap_or(spec.backoff);
        spec.budgets = self.budgets.unwrap_or(spec.budgets);
        spec.budgets.sort();
        spec.budgets.dedup();
        spec.labels = self.labels.unwrap_or(spec.labels);
        spec.labels.sort();
        spec.labels.dedup();
        spec
    }
}

/// Changes what is asked of a task that has not ended and has the version that is expected.
///
/// One that is so already stays as it is, whatever its version.
pub(crate) async fn edit(
    context: &Context,
    task_id: &TaskId,
    expected: u64,
    edit: Edit,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let before = desk.task(task_id)?;
        let spec = edit.applied(&before.spec);
        if same_but_order(&spec, &before.spec) {
            return Ok(before);
        }
        if before.state.is_final() {
            return Err(Error::Ended((&before).into()).into());
        }
        if before.version != expected {
            return Err(Error::VersionConflict {
                known: (&before).into(),
                expected,
            }
            .into());
        }
        // What is taken of the limits is given back as it was taken.
        let takes_otherwise = spec.resources != before.spec.resources;
        // A person let run what they saw.
        let is_another = before.is_approved() && approval::differs(&before.spec, &spec);
        if before.state == State::Claimed && (takes_otherwise || is_another) {
            return Err(Error::Claimed((&before).into()).into());
        }
        let others: Vec<TaskId> = spec.depends_on.iter().map(TaskId::from).collect();
        if spec.depends_on != before.spec.depends_on {
            refuse_circle(desk, task_id, &others)?;
            records::replace_dependencies(desk.connection, task_id, &others)?;
        }
        let mut after = before.clone();
        after.spec = spec;
        if is_another {
            after.decision = None;
        }
        if after.spec.labels != before.spec.labels {
            records::replace_labels(desk.connection, &after)?;
        }
        if after.spec.every.is_some() && after.occurrence.is_none() {
            after.occurrence = Some(Occurrence {
                series: task_id.clone(),
                number: 1,
                scheduled_at: desk.now_text(),
                followed_by: None,
            });
            series::begin(desk.connection, &after)?;
        }
        let after = desk.save(&before, after, Some(("edited", json!({}))))?;
        if after.state == State::Waiting {
            desk.weigh_dependencies(after)
        } else {
            Ok(after)
        }
    })
    .await
}

/// Returns whether two are the same but for the order of what they depend on.
fn same_but_order(one: &TaskSpec, other: &TaskSpec) -> bool {
    let sorted = |spec: &TaskSpec| {
        let mut spec = spec.clone();
        spec.depends_on.sort();
        spec
    };
    sorted(one) == sorted(other)
}

fn refuse_circle(desk: &Desk<'_>, task_id: &TaskId, others: &[TaskId]) -> Result<(), Stop> {
    for other in others {
        desk.task(other)?;
        if let Some(way) = way(desk, other, task_id)? {
            let circle = std::iter::once(task_id).chain(&way).map(TaskId::to_string);
            return Err(Error::Cycle(circle.collect()).into());
        }
    }
    Ok(())
}

/// Returns by which way one task depends on another, directly or not; nothing where it does not.
fn way(desk: &Desk<'_>, from: &TaskId, to: &TaskId) -> Result<Option<Vec<TaskId>>, Stop> {
    let mut seen = BTreeSet::new();
    let mut open = vec![vec![from.clone()]];
    while let Some(way) = open.pop() {
        let Some(last) = way.last() else { continue };
        if last == to {
            return Ok(Some(way));
        }
        if !seen.insert(last.clone()) {
            continue;
        }
        for (next, _) in records::dependencies(desk.connection, last)? {
            let mut longer = way.clone();
            longer.push(next);
            open.push(longer);
        }
    }
    Ok(None)
}

/// Pauses a task that waits; the holder of one that is claimed is asked to give it back.
pub(crate) async fn pause(
    context: &Context,
    task_id: &TaskId,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let before = desk.task(task_id)?;
        let mut after = before.clone();
        let event = match before.state {
            State::Waiting | State::Held => {
                after.state = State::Paused;
                after.reason = Some("pause_requested".to_owned());
                ("paused", json!({}))
            }
            State::Claimed if before.asked.is_none() => {
                after.asked = Some(Asked::Pause);
                ("asked", json!({"asked": Asked::Pause}))
            }
            // To be cancelled is more than to be paused.
            State::Paused | State::Claimed => return Ok(before),
            State::Succeeded
            | State::Failed
            | State::Cancelled
            | State::Skipped
            | State::BudgetExhausted => return Err(Error::Ended((&before).into()).into()),
        };
        desk.save(&before, after, Some(event))
    })
    .await
}

/// Lets a task that is paused or held wait again; a holder who was asked to pause is not any more.
pub(crate) async fn resume(
    context: &Context,
    task_id: &TaskId,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let before = desk.task(task_id)?;
        let mut after = before.clone();
        match before.state {
            State::Paused | State::Held => {
                after.state = State::Waiting;
                after.reason = None;
            }
            State::Claimed if before.asked == Some(Asked::Pause) => after.asked = None,
            State::Waiting | State::Claimed => return Ok(before),
            State::Succeeded
            | State::Failed
            | State::Cancelled
            | State::Skipped
            | State::BudgetExhausted => return Err(Error::Ended((&before).into()).into()),
        }
        let after = desk.save(&before, after, Some(("resumed", json!({}))))?;
        if before.state == State::Paused {
            // What became of the tasks that it depends on meanwhile counts now; who resumes one that is held knows it.
            return desk.weigh_dependencies(after);
        }
        Ok(after)
    })
    .await
}

/// Cancels a task; the holder of one that is claimed is asked to stop, unless it is taken from them by `force`.
pub(crate) async fn cancel(
    context: &Context,
    task_id: &TaskId,
    reason: Option<&str>,
    force: bool,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let before = desk.task(task_id)?;
        let mut after = before.clone();
        let event = match before.state {
            State::Cancelled => return Ok(before),
            State::Claimed if !force => {
                if before.asked == Some(Asked::Cancel) {
                    return Ok(before);
                }
                after.asked = Some(Asked::Cancel);
                ("asked", json!({"asked": Asked::Cancel, "reason": reason}))
            }
            State::Claimed | State::Waiting | State::Paused | State::Held => {
                desk.end_attempt(&mut after, AttemptEnd::Cancelled, reason, None)?;
                after.state = State::Cancelled;
                after.asked = None;
                after.reason = Some("cancel_requested".to_owned());
                ("cancelled", json!({"reason": reason}))
            }
            State::Succeeded | State::Failed | State::Skipped | State::BudgetExhausted => {
                refuse_where_followed(desk, &before)?;
                return Err(Error::Ended((&before).into()).into());
            }
        };
        desk.save(&before, after, Some(event))
    })
    .await
}

/// Refuses what is asked of an ended task whose series goes on with another one.
fn refuse_where_followed(desk: &Desk<'_>, task: &Task) -> Result<(), Stop> {
    match series::goes_on_with(desk.connection, task)? {
        Some(by) => Err(Error::Followed {
            known: task.into(),
            by,
        }
        .into()),
        None => Ok(()),
    }
}

/// Lets a task that ended without success run again.
///
/// `after_attempt` is the attempt after which that is wanted: where a later one was made, nothing is done.
pub(crate) async fn retry(
    context: &Context,
    task_id: &TaskId,
    after_attempt: Option<u32>,
    reset_failures: bool,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let before = desk.task(task_id)?;
        if after_attempt.is_some_and(|attempt| before.attempts > attempt) {
            return Ok(before);
        }
        match before.state {
            State::Waiting => return Ok(before),
            State::Failed | State::Cancelled | State::Skipped | State::BudgetExhausted => {}
            State::Succeeded => {
                refuse_where_followed(desk, &before)?;
                return Err(Error::Ended((&before).into()).into());
            }
            State::Claimed | State::Paused | State::Held => {
                return Err(Error::NotEnded((&before).into()).into());
            }
        }
        refuse_where_followed(desk, &before)?;
        series::revive(desk.connection, &before)?;
        let mut after = before.clone();
        after.state = State::Waiting;
        after.reason = None;
        after.back_off_until = None;
        // A person let it run once, with all attempts that it had; this is more.
        after.decision = None;
        after.losses = 0;
        if reset_failures {
            after.failures = 0;
        } else {
            // One more attempt is what was asked for.
            after.failures = after
                .failures
                .min(after.spec.max_attempts.saturating_sub(1));
        }
        desk.save(
            &before,
            after,
            Some(("retried", json!({"reset_failures": reset_failures}))),
        )
    })
    .await
}
