//! What a worker writes at once: the ends of what it ran, renewals of what still runs, and new claims.
//!
//! One transaction waits for the disk once, however many tasks it ends and claims; that is most of what a short task costs. One
//! write of it that is refused, because somebody else has the task by now, keeps none of the others from being made.

use super::{
    claim::{self, Claim, Outcome},
    desk::{self, Desk, Stop},
    error::Error,
    hold::{Ending, renew_at_desk},
    id::TaskId,
    model::{Fence, Task, WorkerRun},
    records,
};
use crate::{
    contract::Name,
    system::{Context, store::Fault},
};

/// Tasks that somebody holds, of which one look reads so many.
const CLAIMED_AT_ONCE: u32 = 5000;

/// An attempt of a worker that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    /// Which.
    pub(crate) fence: Fence,
    /// How.
    pub(crate) ending: Ending,
}

/// What a worker writes at once.
#[derive(Clone, Debug)]
pub(crate) struct Turn<'a> {
    /// The session of the worker: what it does not hold any more is refused.
    pub(crate) session: &'a str,
    /// What has ended.
    pub(crate) finished: &'a [Finish],
    /// What goes on.
    pub(crate) renewed: &'a [Fence],
    /// Seconds of the renewed leases.
    pub(crate) lease_s: u64,
    /// What to claim, once the rest is written.
    pub(crate) claim: Option<Claim>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Turned {
    /// Of each end whether it was written, in their order.
    pub(crate) finished: Vec<Result<Task, Error>>,
    /// Of each renewal the task, in their order.
    pub(crate) renewed: Vec<Result<Task, Error>>,
    /// What was claimed, or why nothing was.
    pub(crate) claimed: Option<Outcome>,
    /// The version of the ledger afterwards.
    pub(crate) version: u64,
}

/// Writes a turn.
pub(crate) async fn turn(context: &Context, turn: &Turn<'_>) -> Result<Turned, Error> {
    let (turned, _) = desk::transact(context, false, |desk| {
        let session = Some(turn.session);
        let mut finished = Vec::new();
        for one in turn.finished {
            finished.push(by_itself(desk, &one.fence.task_id, |desk| {
                one.ending.clone().at_desk(desk, &one.fence, session)
            })?);
        }
        let mut renewed = Vec::new();
        for fence in turn.renewed {
            renewed.push(by_itself(desk, &fence.task_id, |desk| {
                let task = desk.task(&fence.task_id)?;
                if session_of(&task) != session {
                    return Err(Error::LeaseLost {
                        known: (&task).into(),
                        attempt: fence.attempt,
                    }
                    .into());
                }
                renew_at_desk(desk, fence, turn.lease_s)
            })?);
        }
        let claimed = match &turn.claim {
            Some(claim) => Some(claim::once(desk, claim)?),
            None => None,
        };
        Ok(Turned {
            finished,
            renewed,
            claimed,
            version: desk.version_after(),
        })
    })
    .await?;
    Ok(turned)
}

/// Makes one of several changes: a refusal, or a row that cannot be read, is its own and stops none of the others.
fn by_itself(
    desk: &mut Desk<'_>,
    task_id: &TaskId,
    change: impl FnOnce(&mut Desk<'_>) -> Result<Task, Stop>,
) -> Result<Result<Task, Error>, Stop> {
    if let Err(damage) = Fault::set_apart(records::find(desk.connection, task_id))? {
        tracing::warn!(%damage, "set aside");
        return Ok(Err(Error::NotFound {
            task_id: task_id.clone(),
        }));
    }
    match change(desk) {
        Ok(task) => Ok(Ok(task)),
        Err(Stop::Refused(error)) => Ok(Err(*error)),
        Err(stop) => Err(stop),
    }
}

/// Returns the session of the worker that looks after the run of a task.
fn session_of(task: &Task) -> Option<&str> {
    let run = task.lease.as_ref()?.run.as_ref()?;
    Some(&run.session)
}

/// Takes over what other sessions of workers left, where nobody else did meanwhile. The attempts stay the same.
pub(crate) async fn adopt(
    context: &Context,
    left: &[(TaskId, String)],
    (session, claimer): (&str, &Name),
    lease_s: u64,
) -> Result<Vec<Task>, Error> {
    let (adopted, _) = desk::transact(context, false, |desk| {
        let mut adopted = Vec::new();
        for (task_id, before_session) in left {
            let found = records::find(desk.connection, task_id);
            let Ok(Some(before)) = Fault::set_apart(found)? else {
                continue;
            };
            if session_of(&before) != Some(before_session) {
                continue;
            }
            let mut after = before.clone();
            if let Some(lease) = &mut after.lease {
                lease.claimer = claimer.clone();
                lease.until = desk.in_s(lease_s);
                lease.run = lease.run.take().map(|run| WorkerRun {
                    session: session.to_owned(),
                    ..run
                });
            }
            let data = serde_json::json!({"attempt": before.attempts, "claimer": claimer, "from": before_session});
            adopted.push(desk.save(&before, after, Some(("adopted", data)))?);
        }
        Ok(adopted)
    })
    .await?;
    Ok(adopted)
}

/// The tasks that somebody holds.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The tasks, by their numbers.
    pub(crate) tasks: Vec<Task>,
    /// The version of the ledger when they were read.
    pub(crate) version: u64,
    /// The time then, by the clock of the store (RFC 3339, UTC).
    pub(crate) now: String,
}

/// Lists the tasks that somebody holds.
pub(crate) fn claimed(context: &Context) -> Result<Held, Error> {
    Ok(context.store()?.read(|connection| {
        Ok(Held {
            version: desk::ledger(connection)?.0.version,
            tasks: records::claimed(connection, CLAIMED_AT_ONCE)?,
            now: connection.now_text()?,
        })
    })?)
}

/// Finds a task; nothing where there is none.
pub(crate) fn find(context: &Context, task_id: &TaskId) -> Result<Option<Task>, Error> {
    Ok(context
        .store()?
        .read(|connection| records::find(connection, task_id))?)
}

/// Returns the version of the ledger, which grows with every change of the queue, and whether a time has come by the clock of the
/// store.
pub(crate) fn ledger_version(context: &Context, due: Option<&str>) -> Result<(u64, bool), Error> {
    Ok(context.store()?.read(|connection| {
        let version = desk::ledger(connection)?.0.version;
        let is_due = match due {
            Some(due) => *due <= *connection.now_text()?,
            None => false,
        };
        Ok((version, is_due))
    })?)
}

impl Task {
    /// Returns what its holder shows with every write.
    pub(crate) fn fence(&self) -> Option<Fence> {
        let lease = self.lease.as_ref()?;
        Some(Fence {
            task_id: self.task_id.clone(),
            attempt: lease.attempt,
            token: lease.token.clone(),
        })
    }

    /// Returns whether its lease has run out by a time.
    pub(crate) fn is_unattended(&self, now: &str) -> bool {
        self.lease
            .as_ref()
            .is_some_and(|lease| lease.run.is_some() && *lease.until <= *now)
    }
}
