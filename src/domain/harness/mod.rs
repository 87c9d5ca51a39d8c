//! Harnesses: programs that call legwork, and whether they keep their side of the contract.

mod answer;
mod call;
mod call_state;
mod check;
mod error;
mod finding;
mod judge;
mod limits;
mod scenario;
mod script;
mod turn;

pub(crate) use check::{Played, Request, Verdict, check, require};
pub(crate) use error::Error;
pub(crate) use scenario::Scenario;
