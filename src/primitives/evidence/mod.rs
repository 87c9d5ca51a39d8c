//! Evidence: what came of a job, its proof, and its way back.

pub(crate) mod verify_fix;
