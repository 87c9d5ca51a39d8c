//! Which run is meant.

use crate::contract::JobId;

/// One run on a host: of a job's agent, or of a verification of its diff.
///
/// Both are runs alike: they are started, polled and cancelled in the same way, and lie in folders of the same layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunId {
    job: JobId,
    verification: Option<JobId>,
    number: u32,
}

impl RunId {
    /// Names a run of a job's agent.
    pub(crate) const fn of_job(job: JobId, number: u32) -> Self {
        Self {
            job,
            verification: None,
            number,
        }
    }

    /// Names the only run of a verification of a job's diff.
    pub(crate) const fn of_verification(job: JobId, verification: JobId) -> Self {
        Self {
            job,
            verification: Some(verification),
            number: FIRST,
        }
    }

    /// Returns the number of the run, from 1.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Returns the name that stands in the run's state line.
    pub(crate) fn subject(&self) -> &JobId {
        self.verification.as_ref().unwrap_or(&self.job)
    }

    /// Returns the folder of what is run, below the folder of all jobs on the host.
    pub(crate) fn subject_folder(&self) -> String {
        match &self.verification {
            None => self.job.to_string(),
            Some(verification) => format!("{}/verify/{verification}", self.job),
        }
    }

    /// Returns the folder of the run, below legwork's root on the host.
    pub(crate) fn folder(&self) -> String {
        format!("jobs/{}/runs/{}", self.subject_folder(), self.number)
    }
}

/// The number of the first run of a job.
pub(crate) const FIRST: u32 = 1;

#[cfg(test)]
mod tests {
    use super::RunId;
    use crate::contract::JobId;

    #[test]
    fn a_verification_is_a_run_below_its_job() {
        let job = JobId::fixed("widgets-1");
        let work = RunId::of_job(job.clone(), 2);
        assert_eq!(work.folder(), "jobs/widgets-1/runs/2");
        let verification = RunId::of_verification(job, JobId::fixed("v-0"));
        assert_eq!(verification.folder(), "jobs/widgets-1/verify/v-0/runs/1");
        assert_eq!(verification.subject().as_str(), "v-0");
    }
}
