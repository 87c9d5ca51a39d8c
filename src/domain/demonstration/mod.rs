//! The demonstration: the main job from end to end, on a small repository with a genuine bug.

mod error;
mod tour;

pub(crate) use tour::{Request, Stage, tour};
