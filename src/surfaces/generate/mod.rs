//! Files made from the registry: schemas and reference pages.

mod files;
mod pages;
mod schemas;
mod tables;

pub use files::files;
pub(super) use tables::{Side, kind};
