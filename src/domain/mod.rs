//! FLOOR 2: the rules, one folder for each noun.

pub(crate) mod host;
pub(crate) mod profile;
pub(crate) mod repository;
pub(crate) mod workspace;
