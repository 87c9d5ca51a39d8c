//! FLOOR 2: the rules, one folder for each noun.

pub(crate) mod agent;
pub(crate) mod host;
