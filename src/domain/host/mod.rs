//! Hosts: the machines work is sent to.

mod agent_login;
mod aliases;
mod catalogue;
mod check;
mod disk;
mod error;
mod frames;
mod gpu;
mod judgement;
mod preflight;
mod probe;
mod programs;
mod scheduler;
mod seen;
mod ssh_agent;
mod table;
mod version;

pub(crate) use agent_login::{Agent, Login, Secret};
pub(crate) use catalogue::{Origin, add, list, remove, resolve};
pub(crate) use check::Check;
pub(crate) use error::Error;
pub(crate) use preflight::{Findings, Question, preflight};
pub(crate) use probe::{Probe, probe};
pub(crate) use table::{CHECKS, HOSTS};
