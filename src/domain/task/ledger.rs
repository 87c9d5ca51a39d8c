//! The counts over all tasks, kept by the transactions that change tasks.
//!
//! They are one record, so that a look at the queue costs the same whatever its length, and so that two transactions
//! never count at once. Counts and sequences can all be made again from the tasks; a record that is damaged is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    limit::{self, Limit},
    model::{Lane, Readiness, State, Task},
};

/// The name of the one row.
pub(super) const NAME: &str = "queue";

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Grows with each transaction, so that a waiting claim sees that something changed.
    pub(crate) version: u64,
    /// The number of the newest task.
    pub(super) last_number: i64,
    /// The number of the newest event. Events get theirs in the transaction that writes them, one after another, so that none with a
    /// smaller number is committed later.
    #[serde(default)]
    pub(super) last_event: i64,
    /// The sequence in the newest token.
    pub(super) last_token: u64,
    /// Tasks by state.
    pub(super) states: BTreeMap<State, u64>,
    /// Tasks by what is in their way.
    pub(super) readiness: BTreeMap<Readiness, u64>,
    /// Ready tasks by lane.
    pub(super) lanes: BTreeMap<String, u64>,
    /// What claimed tasks have taken of the limits.
    pub(super) used: BTreeMap<String, u64>,
}

impl Ledger {
    /// Counts a task in.
    pub(super) fn enter(&mut self, task: &Task) {
        *self.states.entry(task.state).or_default() += 1;
        *self.readiness.entry(task.readiness).or_default() += 1;
        if task.readiness == Readiness::Ready {
            *self.lanes.entry(task.lane().text()).or_default() += 1;
        }
        if task.state == State::Claimed {
            for (name, amount) in task.lane().needs {
                *self.used.entry(name).or_default() += amount;
            }
        }
        self.last_number = self.last_number.max(task.number());
    }

    /// Counts a task out.
    pub(super) fn leave(&mut self, task: &Task) {
        take(&mut self.states, &task.state, 1);
        take(&mut self.readiness, &task.readiness, 1);
        if task.readiness == Readiness::Ready {
            take(&mut self.lanes, &task.lane().text(), 1);
        }
        if task.state == State::Claimed {
            for (name, amount) in task.lane().needs {
                take(&mut self.used, &name, amount);
            }
        }
    }

    /// Returns how many tasks are in a state.
    pub(crate) fn in_state(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// Returns how many tasks have this in their way.
    pub(crate) fn kept_by(&self, readiness: Readiness) -> u64 {
        self.readiness.get(&readiness).copied().unwrap_or(0)
    }

    /// Returns what is taken of a limit.
    pub(crate) fn used(&self, name: &str) -> u64 {
        self.used.get(name).copied().unwrap_or(0)
    }

    /// Lists the lanes in which tasks are ready, with how many.
    pub(super) fn open_lanes(&self) -> impl Iterator<Item = (Lane, u64)> + '_ {
        self.lanes
            .iter()
            .filter_map(|(text, count)| Some((serde_json::from_str(text).ok()?, *count)))
    }

    /// Returns how many ready tasks do not fit the limits now.
    pub(crate) fn over_limits(&self, limits: &[Limit]) -> u64 {
        let over = self
            .open_lanes()
            .filter(|(lane, _)| !self.fits(lane, limits));
        over.map(|(_, count)| count).sum()
    }

    /// Returns whether a task of a lane fits the limits now: all that it needs, or nothing.
    pub(super) fn fits(&self, lane: &Lane, limits: &[Limit]) -> bool {
        self.lacking(&lane.needs, limits).next().is_none()
            && limit::spent(&lane.budgets, limits).next().is_none()
    }

    /// Lists the limits of which too little is free: the name, what is needed, and what is free. What has no limit is free.
    pub(super) fn lacking<'a>(
        &'a self,
        needs: &'a BTreeMap<String, u64>,
        limits: &'a [Limit],
    ) -> impl Iterator<Item = (&'a Limit, u64, u64)> {
        limits.iter().filter_map(move |limit| {
            let needed = *needs.get(limit.name.as_str())?;
            let free = limit.total?.saturating_sub(self.used(limit.name.as_str()));
            (needed > free).then_some((limit, needed, free))
        })
    }
}

fn take<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K, amount: u64) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(amount);
        if *count == 0 {
            counts.remove(key);
        }
    }
}
