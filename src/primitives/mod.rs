//! FLOOR 3: one file per primitive, in folders that are the chapters of the reference.

pub(crate) mod approvals;
pub(crate) mod assets;
pub(crate) mod demonstration;
pub(crate) mod discovery;
mod entry;
pub(crate) mod evidence;
pub(crate) mod gpus;
mod grants;
pub(crate) mod harnesses;
pub(crate) mod hosts;
mod input;
pub(crate) mod issues;
pub(crate) mod jobs;
mod primitive;
pub(crate) mod queue;
mod task_view;
pub(crate) mod workers;
pub(crate) mod workspaces;

pub use entry::{Admitted, Authorized, Entry, Outcome, input_schema};
pub use grants::Grants;
pub(crate) use primitive::Primitive;
