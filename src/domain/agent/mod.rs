//! Coding agents: how each is run, asked about itself, and read.
//!
//! Pure: nothing here starts a process. An [`Agent`] says what to run; a [`Log`] reads what came of it.

mod adapter;
mod catalogue;
mod claude;
mod codex;
mod command;
mod error;
mod event;
mod excerpt;
mod log;
mod login;

pub(crate) use adapter::{Adapter, Options, Request};
pub(crate) use catalogue::{Agent, DEMO, names, resolve};
pub(crate) use error::Error;
pub(crate) use event::Event;
pub(crate) use log::{Summary, decode, summarise};
pub(crate) use login::{Login, LoginState};
