//! The run of a job that its host is asked about.

use super::{error::Error, model::Job};
use crate::domain::run::RunId;

impl Job {
    /// Names the current run.
    ///
    /// A run that an earlier legwork started has no token, and nothing of it is read, believed or signalled any more.
    pub(crate) fn run_id(&self) -> Result<RunId, Error> {
        let token = self.token.clone().ok_or_else(|| Error::unsupported(self))?;
        Ok(RunId::of_job(self.job_id.clone(), self.run, token))
    }
}
