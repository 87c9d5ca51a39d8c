//! FLOOR 1: the outside world, one small module for each thing.

pub(crate) mod clock;
pub(crate) mod configuration;
pub(crate) mod confirmation;
mod context;
pub(crate) mod digest;
pub(crate) mod environment;
pub(crate) mod failpoint;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod input;
pub(crate) mod limits;
pub(crate) mod lock_file;
pub(crate) mod machine;
pub(crate) mod meter;
pub(crate) mod named_lock;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod quote;
pub(crate) mod reaper;
pub(crate) mod records;
mod regular_file;
pub(crate) mod reply;
pub(crate) mod script;
pub(crate) mod script_failure;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod shell;
pub(crate) mod ssh;
pub(crate) mod standard_output;
pub(crate) mod store;
pub(crate) mod stub;
pub(crate) mod temporary;
pub(crate) mod terminal;

pub use context::Context;
