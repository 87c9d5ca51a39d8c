//! Workspaces: a repository on a host, cloned, with its environment, ready for jobs.

mod check;
mod clone;
mod environment;
mod error;
mod install_arguments;
mod notes;
mod offers;
mod provision;
mod record;
mod specification;
mod state;
mod step;
mod take;
mod variables;
mod work;

pub(crate) use check::{Status, check};
pub(crate) use clone::{clone_failure, clone_script};
pub(crate) use environment::{environment_failure, environment_script};
pub(crate) use error::{CloneReason, Error};
pub(crate) use notes::warnings;
pub(crate) use provision::provision;
pub(crate) use record::{Record, WORKSPACES, list, ready};
pub(crate) use specification::{Specification, mirror};
pub(crate) use step::Step;
pub(crate) use variables::exports;
pub(crate) use work::{Request, StepState};
