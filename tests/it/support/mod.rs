//! What tests stand on: a world of their own, and real components in it.

mod agents;
mod call;
mod desk;
mod faults;
mod forge;
mod furnished;
mod gpus;
mod machine;
mod model;
mod mounts;
mod postgres;
mod processes;
pub(crate) mod schemas;
pub(crate) mod snapshot;
mod sshd;
pub(crate) mod terminal;
mod workplace;
mod world;

pub(crate) use agents::{Agents, Cli};
pub(crate) use call::Call;
pub(crate) use desk::{Desk, KEY, KEY_VARIABLE, Surface, sha256};
pub(crate) use faults::Faults;
pub(crate) use forge::{Forge, Reply};
pub(crate) use furnished::Furnished;
pub(crate) use gpus::Gpus;
pub(crate) use machine::{TestBed, assert_isolated, data, files_with, ways_out};
pub(crate) use model::{Model, Script};
pub(crate) use mounts::{in_own_mounts, run_in_own_mounts};
pub(crate) use postgres::{GUARDED, Postgres, name_of};
pub(crate) use processes::{
    at_once, await_catching, descendants, end_workers, fed, json_lines, kill, signal, start,
};
pub(crate) use sshd::{Limits, Sshd, masters};
pub(crate) use workplace::{CHECK, MEND, Workplace, control, eventually};
pub(crate) use world::{SYSTEM_PATH, World};
