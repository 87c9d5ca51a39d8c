//! What tests stand on: a world of their own, and real components in it.

mod agents;
mod call;
mod machine;
mod model;
mod sshd;
mod world;

pub(crate) use agents::{Agents, Cli};
pub(crate) use call::Call;
pub(crate) use machine::{TestBed, assert_isolated, data, ways_out};
pub(crate) use model::{Model, Script};
pub(crate) use sshd::{Limits, Sshd};
pub(crate) use world::{SYSTEM_PATH, World};
