//! FLOOR 5: the ways in. Each sees the registry, never one primitive.

mod batch;
pub mod cli;
mod command_line;
mod commands;
mod completions;
pub mod dispatch;
mod fields;
mod flags;
pub mod generate;
mod help;
mod hidden_commands;
mod lines;
mod logging;
mod manual;
mod mcp;
mod output;
mod plain_text;
mod pretty;
mod request;
mod serve;
mod services;
mod session;
mod signals;
mod tree;
mod worker;
