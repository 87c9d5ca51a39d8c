//! Evidence: what came of a job, its proof, and its way back.

pub(crate) mod apply_diff;
pub(crate) mod check_artifacts;
pub(crate) mod check_diff;
pub(crate) mod check_proof;
mod claims;
pub(crate) mod fetch_artifacts;
pub(crate) mod fetch_proof;
mod verdict;
pub(crate) mod verify_fix;
