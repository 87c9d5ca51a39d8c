//! What waits for a person, of whatever kind, in one list.
//!
//! A noun of which something can wait gets one line in `sources`: its kind, and how its part of the list is read.

mod error;
mod list;
mod model;
mod sources;

pub(crate) use list::{Place, list};
pub(crate) use model::Waiting;
