//! What other agents need to know legwork by: slash commands, a skill, a Stop hook, a block in a file of instructions.

mod block;
mod bundle;
mod error;
mod install;
mod manifest;
mod place;
mod plan;
mod removal;
mod settings;
mod unit;

pub(crate) use error::Error;
pub(crate) use install::{Request, Written, check_hook, install, remove};
pub(crate) use place::Target;
pub(crate) use plan::Change;
