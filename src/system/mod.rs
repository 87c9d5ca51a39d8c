//! FLOOR 1: the outside world, one small module for each thing in it.

pub(crate) mod failpoint;
pub(crate) mod process;
pub(crate) mod scratch;
