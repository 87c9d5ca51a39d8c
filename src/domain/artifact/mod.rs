//! Artifacts: the files that a job leaves behind on its host, and their copies here.
//!
//! What comes from a host may be hostile: names are checked against a list, links and special files are refused, sizes
//! are capped, and a file is written only once all of it is here and has the digest that the host announced.

mod error;
mod fetch;
mod folder;
mod look;
mod manifest;
mod names;
mod pack;

pub(crate) use error::Error;
pub(crate) use fetch::{FetchSpec, Fetched, MAX_BYTES, fetch};
pub(crate) use folder::{File, Folder, Ignored, State, StoredManifest};
pub(crate) use look::look;
pub(crate) use names::check_names;
