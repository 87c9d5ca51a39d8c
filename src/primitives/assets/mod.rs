//! Assets: slash commands, skill and instructions, for agents that are to use legwork.

pub(crate) mod install_assets;
pub(crate) mod remove_assets;
mod written;
