//! FLOOR 5: the ways in. Each sees the registry, never one primitive.

pub mod cli;
pub mod dispatch;
mod flags;
pub mod generate;
mod help;
mod logging;
mod outlet;
mod request;
