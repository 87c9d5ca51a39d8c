//! The lock that a launch of a job holds, from before the job is recorded until the host's answer is.
//!
//! It is a lock among all who share the store: a job that another machine is launching is recorded there too.

use super::error::Error;
use crate::{
    contract::JobId,
    system::{
        Context,
        named_lock::{self, Guard},
    },
};

/// Waits for the lock.
pub(crate) async fn lock(context: &Context, job_id: &JobId) -> Result<Guard, Error> {
    Ok(named_lock::everywhere(context, job_id.as_str()).await?)
}

/// Takes the lock where nobody holds it.
pub(super) async fn try_lock(context: &Context, job_id: &JobId) -> Result<Option<Guard>, Error> {
    Ok(named_lock::try_everywhere(context, job_id.as_str()).await?)
}
