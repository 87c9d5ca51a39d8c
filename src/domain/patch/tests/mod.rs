//! Tests of putting diffs on branches.

mod branches;
mod checkouts;
mod hostile;
mod merging;
mod putting;
mod refusing;
mod world;
