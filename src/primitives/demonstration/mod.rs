//! Demonstration: the main job from end to end, on a bug that legwork brings along.

pub(crate) mod demo;
