//! What keeps the queue in order: leases that ran out, tasks that ended long ago, the limits.

use std::collections::BTreeSet;

use super::{
    budget::{Budget, Terms},
    desk,
    error::Error,
    id::TaskId,
    limit::Limit,
    model::Task,
    records,
};
use crate::{
    contract::{Effect, Name},
    system::Context,
};

/// Tasks that are kept because others depend on them, of which an answer names so many.
const KEPT_NAMED: u32 = 50;

/// Takes up all leases that have run out; returns each task before and after, and whether there may be more.
pub(crate) async fn recover(
    context: &Context,
    dry_run: bool,
) -> Result<((Vec<(Task, Task)>, Option<String>), Effect), Error> {
    let ((taken, due), effect) = desk::transact(context, dry_run, |desk| {
        let mut all = Vec::new();
        loop {
            let taken = desk.take_due()?;
            let is_done = taken.is_empty() || all.len() > 5000;
            all.extend(taken);
            if is_done {
                break;
            }
        }
        Ok((all, desk.next_due()?))
    })
    .await?;
    let lost = taken
        .into_iter()
        .filter(|(before, after)| before.lease.is_some() && after.lease.is_none());
    Ok(((lost.collect(), due), effect))
}

/// What was removed, and what was kept.
#[derive(Clone, Debug)]
pub(crate) struct Collected {
    /// The tasks that were removed.
    pub(crate) removed: Vec<Task>,
    /// Tasks that ended long enough ago and that others depend on, each with some of those.
    pub(crate) kept: Vec<(TaskId, Vec<TaskId>)>,
    /// Whether more could be removed by the same call again.
    pub(crate) is_cut: bool,
}

/// Removes tasks that ended at least so many seconds ago and that no task left depends on, the longest ended first.
pub(crate) async fn collect(
    context: &Context,
    older_than_s: u64,
    limit: u32,
    dry_run: bool,
) -> Result<(Collected, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let span = i64::try_from(older_than_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        let before = desk.in_ms(-span);
        let mut removed: Vec<Task> = Vec::new();
        let mut is_cut = false;
        // Where a task goes, those that it depended on may be the next.
        loop {
            let left = limit.saturating_sub(u32::try_from(removed.len()).unwrap_or(u32::MAX));
            let next = records::collectable(desk.connection, &before, left + 1)?;
            if left == 0 || next.is_empty() {
                is_cut |= !next.is_empty();
                break;
            }
            for task in next.into_iter().take(left as usize) {
                desk.ledger.leave(&task);
                records::delete(desk.connection, &task.task_id)?;
                if task.occurrence.is_some() {
                    records::delete_series(desk.connection, &task.task_id)?;
                }
                desk.has_changed();
                removed.push(task);
            }
        }
        let mut kept = Vec::new();
        for task in records::depended_upon(desk.connection, &before, KEPT_NAMED)? {
            let others = records::dependents(desk.connection, &task.task_id, KEPT_NAMED)?;
            let others: BTreeSet<TaskId> = others.into_iter().map(|(other, _)| other).collect();
            kept.push((task.task_id, others.into_iter().collect()));
        }
        Ok(Collected {
            removed,
            kept,
            is_cut,
        })
    })
    .await
}

/// A limit, with what is taken of it.
#[derive(Clone, Debug)]
pub(crate) struct LimitUse {
    /// Its name.
    pub(crate) name: Name,
    /// How much there is; none where it is not limited.
    pub(crate) total: Option<u64>,
    /// How much claimed tasks have taken.
    pub(crate) used: u64,
    /// What may be spent, and what of it is, where it is a budget.
    pub(crate) budget: Option<Budget>,
}

/// How much there is of what a limit names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    /// Any: there is no limit.
    Unlimited,
    /// So much, to be taken and given back.
    Total(u64),
    /// So much, to be spent.
    Budget(Terms),
}

/// Sets a limit or a budget, or takes it away.
///
/// A limit below what is taken keeps tasks from being claimed until enough of them have ended. Of a budget whose terms
/// change, what was spent stays spent.
pub(crate) async fn set_limit(
    context: &Context,
    name: &Name,
    amount: Amount,
    dry_run: bool,
) -> Result<(LimitUse, Effect), Error> {
    desk::transact(context, dry_run, |desk| {
        let is_unknown = desk.unknown_limits.contains(name);
        let there = desk.limits.iter().find(|limit| limit.name == *name);
        // A row that cannot be read is written over or removed.
        let there = there.filter(|_| !is_unknown);
        let budget = match amount {
            Amount::Budget(terms) => Some(match there.and_then(|limit| limit.budget.clone()) {
                Some(budget) => budget.with(terms, desk.now),
                None => Budget::new(terms, desk.now),
            }),
            Amount::Unlimited | Amount::Total(_) => None,
        };
        let total = match amount {
            Amount::Total(total) => Some(total),
            Amount::Unlimited | Amount::Budget(_) => None,
        };
        let wanted = (amount != Amount::Unlimited).then(|| Limit {
            name: name.clone(),
            total,
            budget,
        });
        if let Some(limit) = wanted.as_ref().filter(|limit| there != Some(*limit)) {
            records::put_limit(desk.connection, limit)?;
            desk.has_changed();
        } else if wanted.is_none() && records::has_limit(desk.connection, name)? {
            records::delete_limit(desk.connection, name)?;
            desk.has_changed();
        }
        Ok(LimitUse {
            name: name.clone(),
            total,
            used: desk.ledger.used(name.as_str()),
            budget: wanted.and_then(|limit| limit.budget),
        })
    })
    .await
}
