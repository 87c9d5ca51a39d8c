//! The adapters, a file or a folder for each.

mod claude;
mod codex;
mod command;
mod list;
mod presets;

pub(crate) use list::ADAPTERS;
