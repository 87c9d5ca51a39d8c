//! The scripted model behind an agent's command line.

mod anthropic;
mod http;
mod responses;
mod script;
mod server;

pub(crate) use script::Script;
pub(crate) use server::Model;
