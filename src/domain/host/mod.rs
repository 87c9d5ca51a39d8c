//! Hosts: the machines work is sent to.

mod aliases;
mod catalogue;
mod disk;
mod error;
mod facts;
mod gpu;
mod probe;
mod scheduler;
mod table;
pub(crate) mod version;

pub(crate) use catalogue::{Origin, add, explain_failure, list, must_be_listed, remove, resolve};
pub(crate) use error::Error;
pub(crate) use facts::Facts;
pub(crate) use gpu::{Device, Gpus, State as GpuState, of as gpus};
pub(crate) use probe::{Probe, Program, probe, programs, root};
pub(crate) use table::HOSTS;
