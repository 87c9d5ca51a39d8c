//! FLOOR 2: the rules, one folder for each noun.

pub(crate) mod agent;
pub(crate) mod artifact;
pub(crate) mod asset;
pub(crate) mod attestation;
pub(crate) mod audit;
pub(crate) mod authorization;
pub(crate) mod demonstration;
pub(crate) mod forge;
pub(crate) mod gpu;
pub(crate) mod harness;
pub(crate) mod host;
pub(crate) mod investigation;
pub(crate) mod issue;
pub(crate) mod job;
pub(crate) mod patch;
pub(crate) mod preflight;
pub(crate) mod profile;
pub(crate) mod prompt;
pub(crate) mod repository;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod task;
pub(crate) mod test_run;
pub(crate) mod verification;
pub(crate) mod waiting;
pub(crate) mod workspace;
