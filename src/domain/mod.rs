//! FLOOR 2: the rules, one folder per noun.

#[cfg_attr(not(test), expect(dead_code, reason = "the primitives come next"))]
#[expect(unused_imports, reason = "the primitives come next")]
pub(crate) mod run;
