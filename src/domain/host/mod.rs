//! Hosts: the machines work is sent to.

mod aliases;
mod catalogue;
mod error;

pub(crate) use catalogue::{Origin, add, list, remove, resolve};
pub(crate) use error::Error;
