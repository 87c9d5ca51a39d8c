//! Which run is meant.

use super::token::Token;
use crate::contract::JobId;

/// One run on a host: of a job's agent, or of a verification of a diff.
///
/// Both are runs alike: they are started, polled and cancelled in the same way, and lie in folders of the same layout.
/// What legwork believes of a run lies in its control folder, apart from the folder in which what is run may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunId {
    subject: JobId,
    number: u32,
    token: Token,
}

impl RunId {
    /// Names a run of a job's agent.
    pub(crate) const fn of_job(job: JobId, number: u32, token: Token) -> Self {
        Self {
            subject: job,
            number,
            token,
        }
    }

    /// Names the only run of a verification.
    pub(crate) const fn of_verification(verification: JobId, token: Token) -> Self {
        Self {
            subject: verification,
            number: FIRST,
            token,
        }
    }

    /// Names the same run by the token under which its host has it.
    #[must_use]
    pub(crate) fn with_token(mut self, token: Token) -> Self {
        self.token = token;
        self
    }

    /// Returns the number of the run, from 1.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Returns the random name of its control folder.
    pub(crate) const fn token(&self) -> &Token {
        &self.token
    }

    /// Returns the name that stands in the run's state line.
    pub(crate) fn subject(&self) -> &JobId {
        &self.subject
    }

    /// Returns the folder in which what is run may write, below legwork's root on the host.
    pub(crate) fn subject_folder(&self) -> String {
        format!("jobs/{}", self.subject)
    }

    /// Returns the control folder of the run, below legwork's root on the host.
    pub(crate) fn folder(&self) -> String {
        format!("control/{}/{}", self.subject(), self.token)
    }
}

/// The number of the first run of a job.
pub(crate) const FIRST: u32 = 1;

#[cfg(test)]
mod tests {
    use super::RunId;
    use crate::{contract::JobId, domain::run::Token};

    #[test]
    fn the_control_folder_is_apart_from_what_the_run_writes() {
        let token = Token::new("00112233445566778899aabbccddeeff").expect("a token");
        let work = RunId::of_job(JobId::fixed("widgets-1"), 2, token.clone());
        assert_eq!(work.subject_folder(), "jobs/widgets-1");
        assert_eq!(
            work.folder(),
            "control/widgets-1/00112233445566778899aabbccddeeff"
        );
        let verification = RunId::of_verification(JobId::fixed("v-0"), token);
        assert_eq!(verification.subject_folder(), "jobs/v-0");
        assert_eq!(
            verification.folder(),
            "control/v-0/00112233445566778899aabbccddeeff"
        );
        assert_eq!(verification.subject().as_str(), "v-0");
    }
}
