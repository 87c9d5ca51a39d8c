//! Coding agents: how each is run, asked about itself, and how its log is read.
//!
//! Pure: nothing here starts a process. An [`Agent`] says what to run; a [`Log`] reads what came of it. What is known of
//! one agent's command line is an [`Adapter`] in `adapters`.

mod adapter;
mod adapters;
mod by_name;
mod catalogue;
mod error;
mod event;
mod excerpt;
mod log;
mod login;
mod project_settings;
mod report;
mod request;
mod session;

pub(crate) use adapter::Adapter;
pub(crate) use adapters::ADAPTERS;
pub(crate) use catalogue::{Agent, DEMO, names, programs, resolve};
pub(crate) use error::Error;
pub(crate) use event::Event;
pub(crate) use log::{Summary, decode, summarise};
pub(crate) use login::{Login, LoginState};
pub(crate) use project_settings::ProjectSettings;
pub(crate) use request::{Options, Request};
pub(crate) use session::session_id;
