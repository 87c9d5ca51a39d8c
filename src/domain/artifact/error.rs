//! What can go wrong with artifacts.

use crate::{
    contract::{
        Code, Coded, JobId, Violation,
        details::{self, Details},
    },
    system::{files, machine},
};

/// What a caller may ask for, for a reader.
const EXAMPLES: &str = "report.md, pr_title.txt, worklog.md, fix.diff, issue.md, prompt.md, repro.*, changes.diff, changes.err, agent.log, agent.err, exit.json, or state";

/// Why artifacts did not come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A name that no artifact has was asked for.
    #[error("{name:?} is not the name of an artifact")]
    Name {
        /// The name.
        name: String,
        /// Where in the list it stands.
        index: usize,
    },
    /// The job's folder is not on its host.
    #[error("the folder of {job_id} is not on {host}")]
    NoFolder {
        /// The job.
        job_id: JobId,
        /// The host.
        host: String,
    },
    /// The host lacks a program.
    #[error("{tool} was not found on {host}")]
    ToolMissing {
        /// The program.
        tool: String,
        /// The host.
        host: String,
    },
    /// The host's list of files cannot be read.
    #[error("the list of files from {host} cannot be read: {reason}")]
    Garbled {
        /// The host.
        host: String,
        /// What is wrong with it.
        reason: String,
        /// The program's exit status.
        status: i32,
        /// The end of its stderr.
        stderr: String,
    },
    /// The archive holds what was not asked for, or not what was announced.
    #[error("the archive of {job_id} is refused: {reason}")]
    Archive {
        /// The job.
        job_id: JobId,
        /// The name in question, made printable.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of a run that has ended changed while it was fetched.
    #[error("{name} of {job_id} changed while it was fetched")]
    Changed {
        /// The job.
        job_id: JobId,
        /// The file.
        name: String,
    },
    /// The host gave no whole answer.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// The disk here cannot be used.
    #[error(transparent)]
    Files(#[from] files::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Name { .. } => Code::SpecInvalid,
            Self::NoFolder { .. } => Code::JobFolderMissing,
            Self::ToolMissing { .. } => Code::HostToolMissing,
            Self::Garbled { .. } => Code::HostScriptFailed,
            Self::Archive { .. } => Code::ArtifactRefused,
            Self::Changed { .. } => Code::ArtifactChanged,
            Self::Machine(inner) => inner.code(),
            Self::Files(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Name { .. } => {
                "Use names such as report.md, repro.*, changes.diff, agent.log.".to_owned()
            }
            Self::NoFolder { host, .. } => {
                format!(
                    "Find out who removed the job's folder on {host}; what was fetched before is kept here."
                )
            }
            Self::ToolMissing { tool, host } => format!("Install {tool} on {host}."),
            Self::Garbled { .. } => {
                "Read details.stderr, repair the host, and send the same call again.".to_owned()
            }
            Self::Archive { .. } => {
                "Look at the tar program of the host: its archive does not hold the files that it was given."
                    .to_owned()
            }
            Self::Changed { .. } => "Send the same call again.".to_owned(),
            Self::Machine(inner) => inner.remediation(),
            Self::Files(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        let artifact = |job_id: &JobId, name: &str, reason: String| {
            Details::from(details::Artifact::new(job_id.to_string(), name, reason))
        };
        match self {
            Self::Name { index, .. } => details::Input::new(
                Violation::new(format!("/include/{index}"), "enum", self.to_string())
                    .expecting(EXAMPLES),
                None,
            )
            .into(),
            Self::NoFolder { job_id, .. } => {
                details::Job::new(job_id.to_string(), None::<&str>).into()
            }
            Self::ToolMissing { tool, host } => {
                details::Tool::new(tool, host, "it is not on PATH there").into()
            }
            Self::Garbled {
                reason,
                status,
                stderr,
                ..
            } => details::Step::new("fetch-artifacts", reason, stderr)
                .exited(Some(i64::from(*status)))
                .into(),
            Self::Archive {
                job_id,
                name,
                reason,
            } => artifact(job_id, name, reason.clone()),
            Self::Changed { job_id, name } => artifact(job_id, name, "it changed".to_owned()),
            Self::Machine(inner) => inner.details(),
            Self::Files(inner) => inner.details(),
        }
    }
}
