//! Preflight: everything that would make a launch on a host fail, found beforehand.

mod agent_login;
mod check;
mod checks;
mod connection;
mod endings;
mod error;
mod findings;
mod folder;
mod observation;
mod observe;
mod programs;
mod repository;
mod round_trip;
mod ssh_agent;
mod table;

pub(crate) use check::Check;
pub(crate) use error::Error;
pub(crate) use findings::preflight;
pub(crate) use table::PASSES;
