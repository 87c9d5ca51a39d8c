//! Tasks: what waits in the queue, who claims it, and how it ends.

mod approval;
mod budget;
mod change;
mod claim;
mod desk;
mod enqueue;
mod error;
mod every;
mod hold;
mod id;
mod ledger;
mod limit;
mod look;
mod model;
mod readiness;
mod records;
mod series;
mod spec;
mod spent;
mod table;
mod turn;
mod unclaimable;
mod upkeep;

pub(crate) use approval::{approve, reject};
pub(crate) use budget::{Budget, Period, Terms};
pub(crate) use change::{Clearable, Edit, cancel, edit, pause, resume, retry};
pub(crate) use claim::{Claim, claim};
pub(crate) use enqueue::enqueue;
pub(crate) use error::Error;
pub(crate) use hold::{Ending, Report, checkpoint, complete, fail, release, renew, report};
pub(crate) use id::TaskId;
pub(crate) use look::{awaiting_approval, events, held, limits, list, peek, show, tree};
pub(crate) use model::{
    Asked, AttemptEnd, EVENT_KINDS, Event, Fence, Progress, Readiness, State, Task,
};
pub(crate) use readiness::Reason;
pub(crate) use records::{EventFilter, Filter};
pub(crate) use spec::{
    Backoff, OnDependencyFailure, Resources, TaskSpec, recurrence, resources, times,
};
pub(crate) use spent::Spent;
pub(crate) use table::{BY_APPROVAL, EVENTS_IN_ORDER, SERIES, TABLES};
pub(crate) use turn::{Finish, Turn, Turned, adopt, claimed, find, ledger_version, turn};
pub(crate) use unclaimable::{Unclaimable, WhyNone};
pub(crate) use upkeep::{Amount, LimitUse, collect, recover, set_limit};
