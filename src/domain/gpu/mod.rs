//! GPUs of hosts without a scheduler: what there is, who holds what, and leases that end with their holder.
//!
//! The truth is on the host: a GPU is taken while a process there holds the lock on its file (`locks.sh`). Nothing of it
//! is recorded here, so that any number of people, machines and agents can share a host, and none of them is asked.
//!
//! Invariants: a GPU is never in two leases; a lease holds all that was asked for or nothing; what a host says of its
//! GPUs, locks and leases is held to its bounds again.

mod ask;
mod choose;
mod error;
mod lease;
mod pool;
mod set_pool;
mod survey;

pub(crate) use error::Error;
pub(crate) use lease::{Request, release, reserve};
pub(crate) use pool::Pool;
pub(crate) use set_pool::set_pool;
pub(crate) use survey::{Survey, survey};
