//! The shared engine: one `PostgreSQL` database for many machines.

mod address;
mod dialect;
mod differences;
mod engine;
mod failure;
mod hints;
mod pool;
mod session;
mod values;
mod worker;

pub(crate) use address::{Address, BadAddress};
pub(super) use engine::{Hold, Postgres};
pub(super) use failure::{Failure, Meaning};
pub(crate) use hints::Hints;
pub(super) use session::Session;
pub(super) use values::value;
