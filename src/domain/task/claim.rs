//! Claiming tasks: by id, or the first that can run.
//!
//! Tasks that need the same wait in one lane, in the order of priority and number, in one index. A claim looks at the
//! heads of the lanes whose needs are free, takes the first of them, and so costs the same however many tasks wait
//! behind limits, dependencies, approvals or pauses. Waiting for a task looks at one row, the ledger.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde_json::json;

use super::{
    desk::{self, Desk, Stop},
    error::Error,
    id::TaskId,
    model::{Attempt, AttemptEnd, Lane, Lease, Readiness, State, Task, WorkerRun},
    records::{self, Head},
    spent::Spent,
    unclaimable::{Unclaimable, WhyNone, why_none},
};
use crate::{
    contract::{Effect, Name},
    system::{Context, awaited, clock, digest, files, store::Fault},
};

/// Bytes of randomness in a token.
const RANDOM: usize = 8;

/// Bytes of randomness in the key of a run.
const RUN_KEY: usize = 16;

/// Heads read of a lane beyond those that are wanted, because one that cannot be read is passed over.
const SPARE: u32 = 8;

/// How often one claim takes up what time has changed, so that no transaction lasts for ever.
const DUE_ROUNDS: u32 = 20;

/// What to claim.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Who claims.
    pub(crate) claimer: Name,
    /// The id of the call: the same again gets the same tasks.
    pub(crate) request_id: Name,
    /// The one task that is wanted; the first that can run where there is none.
    pub(crate) task_id: Option<TaskId>,
    /// At most so many.
    pub(crate) count: u32,
    /// Only tasks for these agents, or for none in particular; any where empty.
    pub(crate) agents: Vec<Name>,
    /// Only tasks for these hosts, or for none in particular; any where empty.
    pub(crate) hosts: Vec<Name>,
    /// Seconds of the lease.
    pub(crate) lease_s: u64,
    /// The session of the worker that claims, where one does.
    pub(crate) session: Option<String>,
}

impl Claim {
    /// Returns whether tasks of a lane are for these agents and hosts.
    pub(super) fn wants(&self, lane: &Lane) -> bool {
        let fits = |wanted: &[Name], name: Option<&Name>| {
            wanted.is_empty() || name.is_none_or(|name| wanted.contains(name))
        };
        fits(&self.agents, lane.agent.as_ref()) && fits(&self.hosts, lane.host.as_ref())
    }
}

/// A task that was claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    /// The task as it stands.
    pub(crate) task: Task,
    /// The attempt that this claim began.
    pub(crate) attempt: u32,
    /// Its token.
    pub(crate) token: String,
    /// Whether the claimer holds the task by it now; a claim that is repeated late may find that it does not.
    pub(crate) is_held: bool,
    /// The attempt before this one, where its lease ran out.
    pub(crate) took_over: Option<Attempt>,
}

/// What came of a claim.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The tasks, in their order.
    pub(crate) tasks: Vec<Claimed>,
    /// Why there are none.
    pub(crate) none: Option<(WhyNone, Unclaimable)>,
    /// When time alone changes something about any task (RFC 3339, UTC).
    pub(crate) next_due_at: Option<String>,
    /// The version of the ledger, by which a change is noticed.
    pub(super) version: u64,
}

/// Claims tasks, waiting for one for at most so long; a dry run does not wait.
pub(crate) async fn claim(
    context: &Context,
    claim: &Claim,
    wait_s: u64,
    dry_run: bool,
) -> Result<(Outcome, Effect), Error> {
    let since = clock::instant();
    let allowed = Duration::from_secs(if dry_run { 0 } else { wait_s });
    let mut any = Effect::None;
    loop {
        let (outcome, effect) = desk::transact(context, dry_run, |desk| once(desk, claim)).await?;
        if effect == Effect::Applied {
            any = effect;
        }
        if !outcome.tasks.is_empty() {
            return Ok((outcome, effect));
        }
        let left = allowed.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Ok((outcome, any));
        }
        let changed = awaited::found(context, left, "waiting for a task", || {
            let (version, now) = context.store()?.read(|connection| {
                let ledger = desk::ledger(connection)?.0;
                Ok((ledger.version, connection.now_text()?))
            })?;
            let is_due = outcome.next_due_at.as_ref().is_some_and(|due| *due <= now);
            Ok::<_, Error>((version != outcome.version || is_due).then_some(()))
        });
        if changed.await?.is_none() {
            return Ok((outcome, any));
        }
    }
}

/// Claims what can be claimed now.
pub(super) fn once(desk: &mut Desk<'_>, claim: &Claim) -> Result<Outcome, Stop> {
    let asked = digest::canonical(&json!([
        claim.task_id,
        claim.count,
        claim.agents,
        claim.hosts,
        claim.lease_s
    ]));
    let before = records::attempts_of_request(desk.connection, &claim.claimer, &claim.request_id)?;
    if !before.is_empty() {
        return again(desk, claim, &asked, before);
    }
    for _ in 0..DUE_ROUNDS {
        if desk.take_due()?.is_empty() {
            break;
        }
    }
    let mut tasks = Vec::new();
    if let Some(task_id) = &claim.task_id {
        let task = desk.task(task_id)?;
        refuse_unless_free(desk, &task)?;
        tasks.push(take(desk, claim, &asked, &task)?);
    } else {
        let mut line = Line::of(desk, claim)?;
        while tasks.len() < claim.count as usize {
            let Some(task) = line.next(desk)? else { break };
            tasks.push(take(desk, claim, &asked, &task)?);
        }
    }
    let none = if tasks.is_empty() {
        Some(why_none(&desk.ledger, |lane| claim.wants(lane)))
    } else {
        None
    };
    outcome(desk, tasks, none)
}

fn outcome(
    desk: &Desk<'_>,
    tasks: Vec<Claimed>,
    none: Option<(WhyNone, Unclaimable)>,
) -> Result<Outcome, Stop> {
    Ok(Outcome {
        tasks,
        none,
        next_due_at: desk.next_due()?,
        version: desk.version_after(),
    })
}

/// Answers a claim that was made before with the same tasks, as they stand now.
fn again(
    desk: &Desk<'_>,
    claim: &Claim,
    asked: &str,
    mut before: Vec<Attempt>,
) -> Result<Outcome, Stop> {
    if let Some(other) = before
        .iter()
        .find(|attempt| attempt.request_digest != asked)
    {
        return Err(Error::KeyReused {
            key: claim.request_id.to_string(),
            primitive: "claim-tasks",
            task_id: other.task_id.clone(),
        }
        .into());
    }
    let mut tasks = Vec::new();
    before.sort_by(|one, other| {
        (&one.claimed_at, one.task_id.number()).cmp(&(&other.claimed_at, other.task_id.number()))
    });
    for attempt in before {
        let found = records::find(desk.connection, &attempt.task_id);
        let Ok(Some(task)) = Fault::set_apart(found)? else {
            continue;
        };
        let is_held = task
            .lease
            .as_ref()
            .is_some_and(|lease| lease.token == attempt.token);
        tasks.push(Claimed {
            took_over: lost_before(desk, &task, attempt.attempt)?,
            attempt: attempt.attempt,
            token: attempt.token,
            is_held,
            task,
        });
    }
    tasks.sort_by_key(|claimed| {
        (
            u8::MAX - claimed.task.spec.priority,
            claimed.task.lane().has_gpu(),
            claimed.task.number(),
        )
    });
    outcome(desk, tasks, None)
}

fn refuse_unless_free(desk: &Desk<'_>, task: &Task) -> Result<(), Stop> {
    if task.state.is_final() {
        return Err(Error::Ended(task.into()).into());
    }
    if task.state == State::Claimed {
        return Err(Error::Claimed(task.into()).into());
    }
    if desk.can_run(task) {
        return Ok(());
    }
    Err(Error::NotReady {
        known: task.into(),
        reasons: desk.reasons(task)?,
    }
    .into())
}

/// Takes a task that can run.
fn take(desk: &mut Desk<'_>, claim: &Claim, asked: &str, before: &Task) -> Result<Claimed, Stop> {
    let random = files::random_hexadecimal(RANDOM).map_err(Error::Random)?;
    desk.ledger.last_token += 1;
    let token = format!("{}-{random}", desk.ledger.last_token);
    let mut task = before.clone();
    task.attempts += 1;
    task.state = State::Claimed;
    task.reason = None;
    task.back_off_until = None;
    task.progress = None;
    let run = match &claim.session {
        Some(session) => Some(WorkerRun {
            session: session.clone(),
            key: files::random_hexadecimal(RUN_KEY).map_err(Error::Random)?,
        }),
        None => None,
    };
    let lease = Lease {
        run,
        attempt: task.attempts,
        token: token.clone(),
        claimer: claim.claimer.clone(),
        until: desk.in_s(claim.lease_s),
        spent: Spent::default(),
    };
    let attempt = Attempt {
        task_id: task.task_id.clone(),
        attempt: task.attempts,
        token: token.clone(),
        claimer: claim.claimer.clone(),
        request_id: claim.request_id.clone(),
        request_digest: asked.to_owned(),
        claimed_at: desk.now_text(),
        end: None,
        ended_at: None,
        note: None,
        end_digest: None,
        spent: Spent::default(),
    };
    records::put_attempt(desk.connection, &attempt)?;
    let took_over = lost_before(desk, &task, attempt.attempt)?;
    let data = json!({
        "attempt": attempt.attempt, "claimer": claim.claimer, "lease_until": lease.until,
        "took_over": took_over.as_ref().map(|lost| lost.attempt),
    });
    task.lease = Some(lease);
    let task = desk.save(before, task, Some(("claimed", data)))?;
    Ok(Claimed {
        attempt: attempt.attempt,
        token,
        is_held: true,
        took_over,
        task,
    })
}

/// Returns the attempt before this one, where its lease ran out.
fn lost_before(desk: &Desk<'_>, task: &Task, attempt: u32) -> Result<Option<Attempt>, Stop> {
    let Some(before) = attempt.checked_sub(1).filter(|before| *before > 0) else {
        return Ok(None);
    };
    let found = records::attempt(desk.connection, &task.task_id, before);
    let found = Fault::set_apart(found)?.ok().flatten();
    Ok(found.filter(|attempt| attempt.end == Some(AttemptEnd::Lost)))
}

/// The heads of all lanes from which may be taken.
struct Line {
    lanes: BTreeMap<Lane, VecDeque<Head>>,
}

impl Line {
    fn of(desk: &Desk<'_>, claim: &Claim) -> Result<Self, Stop> {
        let mut lanes = BTreeMap::new();
        for (lane, _) in desk.ledger.open_lanes() {
            if claim.wants(&lane) && desk.ledger.fits(&lane, &desk.limits) {
                let heads = records::heads(desk.connection, &lane.text(), claim.count + SPARE)?;
                lanes.insert(lane, heads.into());
            }
        }
        Ok(Self { lanes })
    }

    /// Takes the first task that can run out of the line: by priority, those without GPUs before those with, the oldest first.
    fn next(&mut self, desk: &Desk<'_>) -> Result<Option<Task>, Stop> {
        loop {
            self.lanes
                .retain(|lane, _| desk.ledger.fits(lane, &desk.limits));
            let first = self.lanes.iter_mut().min_by_key(|(lane, heads)| {
                heads.front().map_or((true, 0, false, 0), |head| {
                    (false, -head.priority, lane.has_gpu(), head.number)
                })
            });
            let Some(head) = first.and_then(|(_, heads)| heads.pop_front()) else {
                return Ok(None);
            };
            let found = records::find(desk.connection, &head.task_id);
            match Fault::set_apart(found)? {
                Ok(Some(task)) if task.readiness == Readiness::Ready => return Ok(Some(task)),
                Ok(_) => {}
                Err(damage) => tracing::warn!(%damage, "set aside"),
            }
        }
    }
}
