//! `serve-mcp`: the primitives as tools of the Model Context Protocol.

mod offer;
mod options;
mod server;
mod tool;

pub(super) use options::Options;
pub(super) use server::Server;
