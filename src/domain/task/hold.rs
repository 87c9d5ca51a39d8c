//! What the holder of a task does with it: renews its lease, reports, gives it back, ends it.
//!
//! Every one of these writes shows the fence of the claim, and is refused where somebody else has claimed the task since,
//! saying who holds it now. A write that ended the attempt before and is sent again finds that, and changes nothing.

use serde_json::{Value, json};

use super::{
    desk::{self, Desk, Stop},
    error::Error,
    model::{Attempt, AttemptEnd, Checkpoint, Fence, Lease, Progress, State, Task},
    records,
    spent::Spent,
};
use crate::{
    contract::Effect,
    system::{Context, digest},
};

/// Checkpoints that are kept of a task.
const CHECKPOINTS_KEPT: u32 = 10;

/// What a holder says of how it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// How much is done, in percent.
    pub(crate) done_percent: Option<f64>,
    /// One line on it.
    pub(crate) message: Option<String>,
    /// What the attempt cost so far.
    pub(crate) spent: Spent,
    /// What whoever claims it next should know.
    pub(crate) checkpoint: Option<Value>,
}

/// Renews a lease so that it runs so many seconds from now, unless nearly all of that is left.
pub(crate) async fn renew(
    context: &Context,
    fence: &Fence,
    lease_s: u64,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| renew_at_desk(desk, fence, lease_s)).await
}

/// Renews the lease of a fence.
pub(super) fn renew_at_desk(
    desk: &mut Desk<'_>,
    fence: &Fence,
    lease_s: u64,
) -> Result<Task, Stop> {
    let before = held(desk, fence)?;
    let mut after = before.clone();
    // What a second call a moment later would add is no effect, and costs no write.
    let enough = desk.in_ms(i64::try_from(lease_s.saturating_mul(900)).unwrap_or(i64::MAX));
    match &mut after.lease {
        Some(lease) if lease.until < enough => lease.until = desk.in_s(lease_s),
        _ => return Ok(before),
    }
    desk.save(&before, after, None)
}

/// How a holder ends its attempt.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It gives the task back.
    Released {
        /// Why, for the record of the attempt.
        note: Option<String>,
        /// Seconds that the task waits before the next attempt.
        delay_s: u64,
    },
    /// The work is done.
    Done {
        /// What was done, in a sentence.
        summary: Option<String>,
        /// What it brought back.
        result: Option<Value>,
        /// What it cost.
        spent: Spent,
    },
    /// The work failed.
    Failed {
        /// Why.
        error: String,
        /// Whether another attempt makes sense.
        retry: bool,
        /// What it brought back all the same; what was there before stays where it brought nothing.
        result: Option<Value>,
        /// What it cost.
        spent: Spent,
    },
    /// What did the work is gone, and nobody knows how far it came.
    Lost {
        /// What is known of it.
        note: String,
    },
}

impl Ending {
    /// Returns what the same ending is known by when it comes again.
    fn digest(&self) -> String {
        digest::canonical(&match self {
            Self::Released { note, delay_s } => json!(["release", note, delay_s]),
            Self::Done {
                summary, result, ..
            } => json!(["complete", summary, result]),
            Self::Failed { error, retry, .. } => json!(["fail", error, retry]),
            Self::Lost { note } => json!(["lost", note]),
        })
    }

    /// Ends the attempt of a task in this way; returns the event to note.
    fn apply(
        self,
        desk: &mut Desk<'_>,
        after: &mut Task,
        digest: String,
    ) -> Result<(&'static str, Value), Stop> {
        match self {
            Self::Released { note, delay_s } => {
                let note = note.as_deref();
                desk.end_attempt(after, AttemptEnd::Released, note, Some(digest))?;
                desk::put_back(after);
                if delay_s > 0 && after.state == State::Waiting {
                    after.back_off_until = Some(desk.in_s(delay_s));
                }
                Ok(("released", json!({"note": note, "state": after.state})))
            }
            Self::Done {
                summary,
                result,
                spent,
            } => {
                note_spent(after, spent);
                let (state, end) = if after.is_spent() {
                    (State::BudgetExhausted, AttemptEnd::BudgetExhausted)
                } else {
                    (State::Succeeded, AttemptEnd::Succeeded)
                };
                desk.end_attempt(after, end, summary.as_deref(), Some(digest))?;
                after.state = state;
                after.reason = (state == State::BudgetExhausted).then(|| "budget_spent".to_owned());
                after.asked = None;
                let data = json!({"summary": summary});
                after.summary = summary;
                after.result = result;
                Ok((state.name(), data))
            }
            Self::Failed {
                error,
                retry,
                result,
                spent,
            } => {
                note_spent(after, spent);
                let is_spent = after.is_spent();
                desk.end_attempt(after, AttemptEnd::Failed, Some(&error), Some(digest))?;
                after.failures += 1;
                after.error = Some(error.clone());
                after.result = result.or_else(|| after.result.take());
                if after.asked.is_some() {
                    desk::put_back(after);
                } else if is_spent {
                    after.state = State::BudgetExhausted;
                    after.reason = Some("budget_spent".to_owned());
                } else if retry && after.failures < after.spec.max_attempts {
                    after.state = State::Waiting;
                    after.back_off_until =
                        Some(desk.in_ms(after.spec.backoff.pause_ms(after.failures)));
                } else {
                    after.state = State::Failed;
                    let reason = if retry {
                        "attempts_exhausted"
                    } else {
                        "not_retryable"
                    };
                    after.reason = Some(reason.to_owned());
                }
                let data =
                    json!({"error": error, "state": after.state, "until": after.back_off_until});
                Ok(("attempt_failed", data))
            }
            // `at_desk` has no use of this: a loss is written by the desk itself.
            Self::Lost { note } => Ok(("lost", json!({"note": note}))),
        }
    }

    /// Ends the attempt of a fence; a holder that is a worker shows its session too.
    pub(super) fn at_desk(
        self,
        desk: &mut Desk<'_>,
        fence: &Fence,
        session: Option<&str>,
    ) -> Result<Task, Stop> {
        let task = desk.task(&fence.task_id)?;
        let digest = self.digest();
        let Some(lease) = lease_of(&task, fence).cloned() else {
            return ended_before(desk, fence, task, &digest);
        };
        let holder = lease.run.as_ref().map(|run| run.session.as_str());
        if session.is_some() && session != holder {
            return Err(lost(&task, fence));
        }
        if let Self::Lost { note } = &self {
            return desk.lose(&task, &lease, Some(note));
        }
        let mut after = task.clone();
        let event = self.apply(desk, &mut after, digest)?;
        desk.save(&task, after, Some(event))
    }
}

/// Gives a task back without an end; where its holder was asked to stop, it is paused or cancelled.
pub(crate) async fn release(
    context: &Context,
    fence: &Fence,
    note: Option<&str>,
    delay_s: u64,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    let ending = Ending::Released {
        note: note.map(str::to_owned),
        delay_s,
    };
    desk::transact(context, dry_run, |desk| ending.at_desk(desk, fence, None)).await
}

/// Ends a task as done. What it may cost and did is its end even then.
pub(crate) async fn complete(
    context: &Context,
    fence: &Fence,
    summary: Option<&str>,
    result: Option<Value>,
    spent: Spent,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    let ending = Ending::Done {
        summary: summary.map(str::to_owned),
        result: result.clone(),
        spent,
    };
    let ended = desk::transact(context, dry_run, |desk| ending.at_desk(desk, fence, None)).await;
    let Err(Error::Ended(_)) = &ended else {
        return ended;
    };
    match hand_in(context, fence, summary, result.as_ref(), dry_run).await? {
        Some(handed_in) => Ok(handed_in),
        None => ended,
    }
}

/// Ends an attempt as failed: the task waits for the next one, or has failed where none is left or wanted.
pub(crate) async fn fail(
    context: &Context,
    fence: &Fence,
    error: &str,
    retry: bool,
    spent: Spent,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    let ending = Ending::Failed {
        error: error.to_owned(),
        retry,
        result: None,
        spent,
    };
    desk::transact(context, dry_run, |desk| ending.at_desk(desk, fence, None)).await
}

/// Takes a write for an attempt that has ended: the one that ended it changes nothing, and no other one is taken.
fn ended_before(desk: &Desk<'_>, fence: &Fence, task: Task, digest: &str) -> Result<Task, Stop> {
    let attempt = attempt_of(desk, fence)?.filter(|attempt| attempt.token == fence.token);
    match attempt {
        Some(attempt) if attempt.end_digest.as_deref() == Some(digest) => Ok(task),
        Some(attempt) if task.state.is_final() && task.attempts == attempt.attempt => {
            Err(Error::Ended((&task).into()).into())
        }
        _ => Err(lost(&task, fence)),
    }
}

/// Hands in what was done until the budget was spent, once; nothing where the fence is of no such attempt.
async fn hand_in(
    context: &Context,
    fence: &Fence,
    summary: Option<&str>,
    result: Option<&Value>,
    dry_run: bool,
) -> Result<Option<(Task, Effect)>, Error> {
    let digest = digest::canonical(&json!(["complete", summary, result]));
    let (task, effect) = desk::transact(context, dry_run, |desk| {
        let task = desk.task(&fence.task_id)?;
        let Some(mut attempt) = attempt_of(desk, fence)? else {
            return Ok(None);
        };
        let is_open = attempt.token == fence.token
            && attempt.end == Some(AttemptEnd::BudgetExhausted)
            && attempt.end_digest.is_none()
            && task.attempts == attempt.attempt
            && task.state == State::BudgetExhausted;
        if !is_open {
            return Ok(None);
        }
        attempt.end_digest = Some(digest);
        attempt.note = summary.map(str::to_owned);
        records::put_attempt(desk.connection, &attempt)?;
        let mut after = task.clone();
        after.summary = summary.map(str::to_owned);
        after.result = result.cloned();
        desk.save(
            &task,
            after,
            Some(("handed_in", json!({"summary": summary}))),
        )
        .map(Some)
    })
    .await?;
    Ok(task.map(|task| (task, effect)))
}

/// Notes how it goes. Where the task has cost what it may, it ends, and what was done can still be handed in.
pub(crate) async fn report(
    context: &Context,
    fence: &Fence,
    report: Report,
    dry_run: bool,
) -> Result<(Task, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let before = held(desk, fence)?;
        let mut after = before.clone();
        note_spent(&mut after, report.spent);
        let reported = |progress: &Progress| (progress.done_percent, progress.message.clone());
        let wanted = (report.done_percent, report.message);
        if wanted != (None, None) && before.progress.as_ref().map(reported) != Some(wanted.clone())
        {
            after.progress = Some(Progress {
                done_percent: wanted.0,
                message: wanted.1,
                at: desk.now_text(),
            });
        }
        let event = match report.checkpoint {
            Some(payload) => save_checkpoint(desk, &mut after, fence, payload)?,
            None => None,
        };
        if after == before {
            return Ok(before);
        }
        if !after.is_spent() {
            return desk.save(&before, after, event);
        }
        let middle = desk.save(&before, after, event)?;
        let mut after = middle.clone();
        desk.end_attempt(&mut after, AttemptEnd::BudgetExhausted, None, None)?;
        after.state = State::BudgetExhausted;
        after.reason = Some("budget_spent".to_owned());
        after.asked = None;
        let spent = after.spent();
        desk.save(&middle, after, Some(("budget_exhausted", json!(spent))))
    })
    .await
}

fn save_checkpoint(
    desk: &Desk<'_>,
    after: &mut Task,
    fence: &Fence,
    payload: Value,
) -> Result<Option<(&'static str, Value)>, Stop> {
    let bytes = digest::canonical_json(&payload).unwrap_or_default();
    let sha256 = digest::sha256(&bytes);
    let newest = records::checkpoints(desk.connection, &fence.task_id, 1)?
        .read
        .pop();
    if newest.is_some_and(|newest| newest.sha256 == sha256) {
        return Ok(None);
    }
    after.checkpoints += 1;
    let checkpoint = Checkpoint {
        task_id: fence.task_id.clone(),
        checkpoint: after.checkpoints,
        attempt: fence.attempt,
        sha256,
        size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        payload,
        at: desk.now_text(),
    };
    let first_kept = after.checkpoints.saturating_sub(CHECKPOINTS_KEPT - 1);
    records::put_checkpoint(desk.connection, &checkpoint, first_kept)?;
    let data = json!({"checkpoint": checkpoint.checkpoint, "sha256": checkpoint.sha256});
    Ok(Some(("checkpoint", data)))
}

/// Finds a checkpoint of a task: one by its number, or the newest.
pub(crate) fn checkpoint(
    context: &Context,
    task_id: &super::TaskId,
    number: Option<u32>,
) -> Result<Checkpoint, Error> {
    let (task, rows) = context.store()?.read(|connection| {
        let task = records::find(connection, task_id)?;
        Ok((
            task,
            records::checkpoints(connection, task_id, CHECKPOINTS_KEPT)?,
        ))
    })?;
    if task.is_none() {
        return Err(Error::NotFound {
            task_id: task_id.clone(),
        });
    }
    let mut kept = rows.read.into_iter();
    let found = kept.find(|one| number.is_none_or(|number| one.checkpoint == number));
    found.ok_or_else(|| Error::NoCheckpoint {
        task_id: task_id.clone(),
    })
}

fn note_spent(task: &mut Task, spent: Spent) {
    if let Some(lease) = &mut task.lease {
        lease.spent = lease.spent.at_least(spent);
    }
}

/// Finds the task of a fence, and refuses where the fence is not that of its holder.
fn held(desk: &Desk<'_>, fence: &Fence) -> Result<Task, Stop> {
    let task = desk.task(&fence.task_id)?;
    if lease_of(&task, fence).is_some() {
        Ok(task)
    } else {
        Err(lost(&task, fence))
    }
}

fn lease_of<'t>(task: &'t Task, fence: &Fence) -> Option<&'t Lease> {
    let lease = task.lease.as_ref()?;
    (lease.attempt == fence.attempt && lease.token == fence.token).then_some(lease)
}

fn attempt_of(desk: &Desk<'_>, fence: &Fence) -> Result<Option<Attempt>, Stop> {
    let found = records::attempt(desk.connection, &fence.task_id, fence.attempt)?;
    Ok(found)
}

fn lost(task: &Task, fence: &Fence) -> Stop {
    Error::LeaseLost {
        known: task.into(),
        attempt: fence.attempt,
    }
    .into()
}
