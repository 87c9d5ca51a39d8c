//! The fixed shapes of `details`, one for each failure code.
//!
//! A shape is one struct with its constructor, and an `impl Facts`; a code names it in its row. The fields are private
//! and of bounded types: no constructor can exceed what the published schema promises.

mod authorization;
mod call;
mod evidence;
mod machine;
mod proof;
mod queue;
mod shape;

pub use authorization::{Approver, Authorization};
pub use call::{Input, Item, Items, Key, Limit, Nothing, Signal, Size, Unknown, Wait};
pub use evidence::{
    Artifact, Checkout, Conflict, Conflicted, Conformance, Diff, Finding, Forge, Job,
    Nonconformance, Requirement, Survivors,
};
pub use machine::{Config, DamagedRecord, File, Host, Step, Store, Tool};
pub use proof::{Discrepancy, Proof, Signing};
pub use queue::{Cycle, Task};
pub use shape::{Details, Facts, Shape};

#[cfg(test)]
mod tests;
