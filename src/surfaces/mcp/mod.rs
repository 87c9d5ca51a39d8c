//! `serve-mcp`: the primitives as tools of the Model Context Protocol.

mod message;
mod options;
mod server;
mod tool;
mod tool_filter;
mod transport;

pub(super) use options::Options;
pub(super) use server::Server;
