//! FLOOR 2: the rules, one folder for each noun.
#![expect(
    dead_code,
    unused_imports,
    reason = "the primitives that use it come next"
)]

pub(crate) mod issue;
pub(crate) mod patch;
pub(crate) mod prompt;
