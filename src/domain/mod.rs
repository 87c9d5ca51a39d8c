//! FLOOR 2: the rules, one folder for each noun.

pub(crate) mod agent;
pub(crate) mod host;
#[expect(unused_imports, reason = "the primitives that use it come next")]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the primitives that use it come next")
)]
pub(crate) mod issue;
#[expect(unused_imports, reason = "the primitives that use it come next")]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the primitives that use it come next")
)]
pub(crate) mod patch;
#[expect(
    dead_code,
    unused_imports,
    reason = "the primitives that use it come next"
)]
pub(crate) mod prompt;
pub(crate) mod run;
