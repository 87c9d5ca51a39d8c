//! FLOOR 2: the rules, one folder for each noun.

pub(crate) mod host;
