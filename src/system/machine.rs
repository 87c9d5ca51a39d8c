//! A machine that runs programs: this one, or one behind SSH, through the same path.

use std::io;

use super::{
    Context, files, process,
    process::Invocation,
    script::{Reply, Script},
    ssh,
};
use crate::contract::{Code, Coded, Name, details, details::Details};

/// Why a machine gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// SSH did not bring one.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
    /// This machine could not run a shell.
    #[error("cannot run /bin/sh on this machine")]
    Shell(#[source] io::Error),
    /// A shell on this machine ended before its program did.
    #[error("the shell on this machine ended before its program did")]
    CutOff {
        /// What it complained.
        stderr: String,
    },
}

impl Error {
    /// Returns whether the machine was certainly sent nothing.
    pub(crate) const fn is_before_sending(&self) -> bool {
        match self {
            Self::Ssh(inner) => inner.is_before_sending(),
            Self::Shell(_) => true,
            Self::CutOff { .. } => false,
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Ssh(inner) => inner.code(),
            Self::Shell(_) => Code::HostToolMissing,
            Self::CutOff { .. } => Code::ContactLost,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Ssh(inner) => inner.remediation(),
            Self::Shell(_) => "Make /bin/sh work on this machine.".to_owned(),
            Self::CutOff { .. } => {
                "Send the same call again: it finds what happened and carries on from there."
                    .to_owned()
            }
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Ssh(inner) => inner.details(),
            Self::Shell(source) => details::Tool {
                tool: "/bin/sh".to_owned(),
                host: "local".to_owned(),
                evidence: source.to_string(),
            }
            .into(),
            Self::CutOff { stderr } => details::Host {
                host: "local".to_owned(),
                stderr: stderr.clone(),
                last_evidence_at: None,
            }
            .into(),
        }
    }
}

/// How a machine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is this one.
    Local,
    /// Over SSH.
    Ssh(ssh::Target),
}

/// A machine that runs programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Its name here.
    pub(crate) name: Name,
    /// How it is reached.
    pub(crate) reach: Reach,
    /// The folder legwork keeps its things in there.
    pub(crate) root: String,
    /// Folders put in front of PATH there.
    pub(crate) path: Vec<String>,
}

impl Machine {
    /// Runs a program there and returns its acknowledged answer.
    pub(crate) async fn run(&self, context: &Context, script: Script) -> Result<Reply, Error> {
        let _progress = context.waiting_for(self.name.as_str());
        let nonce = files::random_hexadecimal(12).map_err(Error::Shell)?;
        let program = script
            .with_root(&self.root)
            .with_path(&self.path)
            .render(&nonce);
        match &self.reach {
            Reach::Ssh(target) => Ok(ssh::run(context, target, &program, &nonce).await?),
            Reach::Local => {
                let exit = process::run(
                    Invocation::new("/bin/sh")
                        .without("LEGWORK_FAILPOINT")
                        .stdin(program),
                )
                .await
                .map_err(Error::Shell)?;
                let stderr = exit.stderr_text();
                Reply::parse(exit.stdout, &exit.stderr, &nonce).ok_or(Error::CutOff { stderr })
            }
        }
    }

    /// Returns when it last gave a whole answer; this machine always does.
    pub(crate) fn last_seen(&self, context: &Context) -> Option<String> {
        match &self.reach {
            Reach::Local => None,
            Reach::Ssh(target) => ssh::last_seen(context, target),
        }
    }
}
