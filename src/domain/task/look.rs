//! Looking at tasks without changing anything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    desk,
    error::Error,
    id::TaskId,
    ledger::Ledger,
    limit::Limit,
    model::{Attempt, Checkpoint, Event, State, Task},
    readiness::Reason,
    records::{self, EventFilter, Filter, Head},
    upkeep::LimitUse,
};
use crate::{
    contract::Name,
    system::{
        Context,
        store::{Connection, Damage, Fault, Page},
    },
};

/// Attempts, events and dependents that are shown of a task.
const SHOWN: u32 = 50;

/// Heads that are shown of the queue.
const HEADS: u32 = 5;

/// All that is known of a task.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    /// The task.
    pub(crate) task: Task,
    /// Every reason why it does not run now.
    pub(crate) reasons: Vec<Reason>,
    /// What it depends on.
    pub(crate) dependencies: Vec<(TaskId, Option<State>)>,
    /// What depends on it, the first so many.
    pub(crate) dependents: Vec<(TaskId, Option<State>)>,
    /// Its newest attempts, the newest first.
    pub(crate) attempts: Vec<Attempt>,
    /// Its checkpoints, the newest first.
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// Its newest events, the newest first.
    pub(crate) events: Vec<Event>,
    /// Rows of it that cannot be read.
    pub(crate) damaged: Vec<Damage>,
}

/// Shows a task.
pub(crate) fn show(context: &Context, task_id: &TaskId) -> Result<Detail, Error> {
    let found = at_one_moment(context, |moment| {
        let Some(task) = records::find(moment, task_id)? else {
            return Ok(None);
        };
        let (ledger, damage) = desk::ledger(moment)?;
        let limits = records::limits(moment)?.at(moment.now()?);
        let attempts = records::attempts(moment, task_id, SHOWN)?;
        let checkpoints = records::checkpoints(moment, task_id, SHOWN)?;
        let events = records::events(moment, task_id, SHOWN)?;
        let parts = [
            limits.damaged,
            attempts.damaged,
            checkpoints.damaged,
            events.damaged,
        ];
        Ok(Some(Detail {
            reasons: desk::reasons(moment, &task, &ledger, &limits.read, moment.now()?)?,
            dependencies: records::dependencies(moment, task_id)?,
            dependents: records::dependents(moment, task_id, SHOWN)?,
            attempts: attempts.read,
            checkpoints: checkpoints.read,
            events: events.read,
            damaged: damage
                .into_iter()
                .chain(parts.into_iter().flatten())
                .collect(),
            task,
        }))
    })?;
    found.ok_or_else(|| Error::NotFound {
        task_id: task_id.clone(),
    })
}

/// Lists tasks, newest first.
pub(crate) fn list(context: &Context, filter: &Filter) -> Result<Page<Task>, Error> {
    Ok(context
        .store()?
        .read(|connection| records::list(connection, filter))?)
}

/// Lists events of all tasks or of one, oldest first, each with its number. Beside them the number up to which all were looked at.
///
/// The numbers are those of the ledger, so that what is committed later has a larger one.
pub(crate) fn events(
    context: &Context,
    filter: &EventFilter,
) -> Result<(Page<(i64, Event)>, i64), Error> {
    if let Some(task_id) = &filter.task_id {
        let found = context
            .store()?
            .read(|connection| records::find(connection, task_id))?;
        if found.is_none() {
            return Err(Error::NotFound {
                task_id: task_id.clone(),
            });
        }
    }
    at_one_moment(context, |moment| {
        let page = records::events_in_order(moment, filter)?;
        let last = match page.last_number() {
            Some(last) if page.more => last,
            Some(_) | None => desk::ledger(moment)?.0.last_event.max(filter.after),
        };
        Ok((page, last))
    })
}

/// Lists tasks that wait for a person to let them run, oldest first, behind a number.
pub(crate) fn awaiting_approval(
    context: &Context,
    after: Option<i64>,
    limit: u32,
) -> Result<Page<Task>, Error> {
    Ok(context
        .store()?
        .read(|connection| records::awaiting_approval(connection, after.unwrap_or(0), limit))?)
}

/// Lists tasks that are held until somebody decides, oldest first, behind a number.
pub(crate) fn held(context: &Context, after: Option<i64>, limit: u32) -> Result<Page<Task>, Error> {
    Ok(context
        .store()?
        .read(|connection| records::held(connection, after.unwrap_or(0), limit))?)
}

/// Tasks, each with how far away it is, and the place from which more follow.
type Branches = (Vec<(Task, u32)>, Option<usize>);

/// Lists a task and what it depends on, directly or not, the nearest first, each with how far away it is; some of them,
/// and the place from which the next ones follow, where more do.
pub(crate) fn tree(
    context: &Context,
    task_id: &TaskId,
    skip: usize,
    limit: usize,
) -> Result<Branches, Error> {
    let found = at_one_moment(context, |moment| {
        if records::find(moment, task_id)?.is_none() {
            return Ok(None);
        }
        let mut seen = BTreeSet::from([task_id.clone()]);
        let mut open = VecDeque::from([(task_id.clone(), 0_u32)]);
        let (mut place, mut listed) = (0, Vec::new());
        while let Some((next, depth)) = open.pop_front() {
            if listed.len() == limit {
                return Ok(Some((listed, Some(place))));
            }
            for (other, _) in records::dependencies(moment, &next)? {
                if seen.insert(other.clone()) {
                    open.push_back((other, depth + 1));
                }
            }
            place += 1;
            if place > skip {
                // One that cannot be read is named by the lists, and is in nobody's way here.
                let found = Fault::set_apart(records::find(moment, &next))?;
                listed.extend(found.ok().flatten().map(|task| (task, depth)));
            }
        }
        Ok(Some((listed, None)))
    })?;
    found.ok_or_else(|| Error::NotFound {
        task_id: task_id.clone(),
    })
}

/// The queue as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    /// The counts.
    pub(crate) ledger: Ledger,
    /// How many ready tasks do not fit the limits now.
    pub(crate) over_limits: u64,
    /// The limits, with what is taken of them.
    pub(crate) limits: Vec<LimitUse>,
    /// The tasks that come first, whether or not they fit the limits.
    pub(crate) heads: Vec<Task>,
    /// When time alone changes something next (RFC 3339, UTC).
    pub(crate) next_due_at: Option<String>,
    /// Rows that cannot be read.
    pub(crate) damaged: Vec<Damage>,
}

/// Sums the queue up, at a cost that does not depend on its length.
pub(crate) fn peek(context: &Context) -> Result<Summary, Error> {
    at_one_moment(context, |moment| {
        let (ledger, damage) = desk::ledger(moment)?;
        let limits = records::limits(moment)?.at(moment.now()?);
        let mut heads: Vec<(bool, Head)> = Vec::new();
        for (lane, _) in ledger.open_lanes() {
            let found = records::heads(moment, &lane.text(), HEADS)?;
            heads.extend(found.into_iter().map(|head| (lane.has_gpu(), head)));
        }
        heads.sort_by_key(|(has_gpu, head)| (-head.priority, *has_gpu, head.number));
        let mut damaged: Vec<Damage> = damage.into_iter().chain(limits.damaged).collect();
        let mut first = Vec::new();
        for (_, head) in heads.into_iter().take(HEADS as usize) {
            match Fault::set_apart(records::find(moment, &head.task_id))? {
                Ok(found) => first.extend(found),
                Err(damage) => damaged.push(damage),
            }
        }
        Ok(Summary {
            over_limits: ledger.over_limits(&limits.read),
            limits: in_use(&ledger, &limits.read, &limits.unknown),
            heads: first,
            next_due_at: desk::next_due(moment, &limits.read)?,
            ledger,
            damaged,
        })
    })
}

/// Lists the limits, and what is taken of names that have none.
pub(crate) fn limits(context: &Context) -> Result<(Vec<LimitUse>, Vec<Damage>), Error> {
    at_one_moment(context, |moment| {
        let (ledger, damage) = desk::ledger(moment)?;
        let limits = records::limits(moment)?.at(moment.now()?);
        let in_use = in_use(&ledger, &limits.read, &limits.unknown);
        Ok((in_use, damage.into_iter().chain(limits.damaged).collect()))
    })
}

/// Lists the limits with what is taken of each; what cannot be read is not said to be without a limit.
fn in_use(ledger: &Ledger, limits: &[Limit], unknown: &[Name]) -> Vec<LimitUse> {
    let mut all: BTreeMap<Name, Option<&Limit>> = ledger
        .used
        .keys()
        .filter_map(|name| Some((Name::new(name.as_str()).ok()?, None)))
        .filter(|(name, _)| !unknown.contains(name))
        .collect();
    all.extend(limits.iter().map(|limit| (limit.name.clone(), Some(limit))));
    all.into_iter()
        .map(|(name, limit)| LimitUse {
            used: ledger.used(name.as_str()),
            name,
            total: limit.and_then(|limit| limit.total),
            budget: limit.and_then(|limit| limit.budget.clone()),
        })
        .collect()
}

/// Reads several things as they were at one moment.
fn at_one_moment<T>(
    context: &Context,
    ask: impl FnOnce(&Connection<'_>) -> Result<T, Fault>,
) -> Result<T, Error> {
    Ok(context
        .store()?
        .read(|connection| connection.at_one_moment(|| ask(connection)))?)
}
