//! Hooks: what is told of events, programs that are run and addresses that are sent to.
//!
//! Invariants: what is to be delivered is written in the transaction of its event, so that it is told of every event that was
//! committed, at least once; nothing that a hook does or fails to do reaches the call whose event it is told of; of all processes here one
//! delivers.

mod deliver;
mod error;
mod manage;
mod model;
mod outbox;
mod records;
mod send;
mod table;

pub(crate) use deliver::{FLAG, attend, deliver};
pub(crate) use manage::{Listed, add, list, remove, test};
pub(crate) use model::{Delivery, DeliveryState, Hook, Target, Try};
pub(crate) use outbox::{Happened, Watching};
pub(crate) use table::TABLES;
