//! The id under which an agent keeps its session.

use crate::system::digest;

/// Makes the id of the session of a run, the same each time, so that a later run can resume it: a UUID of version 8, the version for
/// ids of one's own making.
pub(crate) fn session_id(run: &str) -> String {
    let digest = digest::sha256(run.as_bytes());
    format!(
        "{}-{}-8{}-8{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    )
}
