//! FLOOR 5: the ways in. Each sees the registry, never one primitive.

mod backstage;
mod batch;
pub mod cli;
pub mod dispatch;
mod flags;
pub mod generate;
mod help;
mod logging;
mod mcp;
mod outlet;
mod request;
mod services;
mod session;
