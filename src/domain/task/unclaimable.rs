//! Why nothing can be claimed: told from the counts, without a look at the tasks.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    ledger::Ledger,
    model::{Lane, Readiness},
};

/// Why nothing was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhyNone {
    /// No task waits at all.
    Empty,
    /// What could run needs more of a limit than is free, or its budget is spent.
    Limits,
    /// What could run is for other agents or hosts.
    Others,
    /// The time of the next one has not come.
    NotYet,
    /// A person must let them run.
    Approval,
    /// They depend on tasks that have not succeeded.
    Dependencies,
    /// They are paused or held.
    Paused,
    /// All of them are claimed.
    Claimed,
}

/// How many tasks could not be claimed, by what is in their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Unclaimable {
    /// A limit, or a budget that is spent.
    pub(crate) limits: u64,
    /// They are for other agents or hosts.
    pub(crate) others: u64,
    /// Their time.
    pub(crate) not_yet: u64,
    /// A person's approval.
    pub(crate) approval: u64,
    /// Tasks that they depend on.
    pub(crate) dependencies: u64,
    /// Somebody paused them, or must decide.
    pub(crate) paused: u64,
    /// Somebody holds them.
    pub(crate) claimed: u64,
}

/// Says why nothing can be claimed, from the counts alone.
pub(super) fn why_none(
    ledger: &Ledger,
    is_wanted: impl Fn(&Lane) -> bool,
) -> (WhyNone, Unclaimable) {
    let others: u64 = ledger
        .open_lanes()
        .filter(|(lane, _)| !is_wanted(lane))
        .map(|(_, count)| count)
        .sum();
    let counts = Unclaimable {
        limits: ledger.kept_by(Readiness::Ready).saturating_sub(others),
        others,
        not_yet: ledger.kept_by(Readiness::NotYet),
        approval: ledger.kept_by(Readiness::Approval),
        dependencies: ledger.kept_by(Readiness::Dependencies),
        paused: ledger.kept_by(Readiness::Paused) + ledger.kept_by(Readiness::Held),
        claimed: ledger.kept_by(Readiness::Claimed),
    };
    let why = [
        (counts.limits, WhyNone::Limits),
        (counts.others, WhyNone::Others),
        (counts.not_yet, WhyNone::NotYet),
        (counts.approval, WhyNone::Approval),
        (counts.dependencies, WhyNone::Dependencies),
        (counts.paused, WhyNone::Paused),
        (counts.claimed, WhyNone::Claimed),
    ];
    let first = why.into_iter().find(|(count, _)| *count > 0);
    (first.map_or(WhyNone::Empty, |(_, why)| why), counts)
}
