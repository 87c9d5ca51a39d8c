//! The lock that a launch of a job holds, from before the job is recorded until the host's answer is.
//!
//! It is a lock of this machine: a job that is being launched elsewhere is recorded elsewhere.

use super::error::Error;
use crate::{
    contract::JobId,
    system::{Context, files::Lock, named_lock},
};

/// Waits for the lock.
pub(crate) async fn lock(context: &Context, job_id: &JobId) -> Result<Lock, Error> {
    Ok(named_lock::lock(context, job_id.as_str()).await?)
}

/// Takes the lock where nobody holds it.
pub(super) fn try_lock(context: &Context, job_id: &JobId) -> Result<Option<Lock>, Error> {
    Ok(named_lock::try_lock(context, job_id.as_str())?)
}
