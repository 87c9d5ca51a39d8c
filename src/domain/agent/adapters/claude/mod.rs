//! Claude Code, recorded from version 2.1.329.

mod adapter;
mod log;
mod login;

pub(super) use adapter::ADAPTER;
