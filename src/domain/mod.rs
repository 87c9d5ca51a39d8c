//! FLOOR 2: the rules, one folder per noun.

pub(crate) mod agent;
