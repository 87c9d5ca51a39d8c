//! SSH: one master connection for each host, kept open between calls and shared by all processes.

mod connection;
mod error;
mod limiter;

pub(crate) use connection::{Target, connect, last_answer_at, note_answer, run};
pub(crate) use error::{ConnectFailure, Error};
