//! FLOOR 5: the ways in. Each sees the registry, never one primitive.

mod backstage;
mod batch;
pub mod cli;
mod command_line;
mod completions;
pub mod dispatch;
mod fields;
mod flags;
pub mod generate;
mod help;
mod logging;
mod manual;
mod mcp;
mod outlet;
mod people;
mod pretty;
mod request;
mod services;
mod session;
mod tree;
