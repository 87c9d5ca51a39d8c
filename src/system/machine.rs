//! A machine that runs programs: this one, or one behind SSH, through the same path.

use std::io;

use super::{
    Context, files,
    process::{self, Exit, Invocation},
    reply::{self, Reply, Unfinished},
    script::Script,
    ssh,
};
use crate::contract::{Code, Coded, Name, Retry, details, details::Details};

/// Why a machine gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// SSH did not bring one.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
    /// This machine could not run a shell.
    #[error("cannot run /bin/sh on this machine")]
    Shell(#[source] io::Error),
    /// What came back is no whole answer.
    #[error(transparent)]
    Unfinished(Box<Unfinished>),
}

impl Error {
    /// Returns whether the machine was certainly sent nothing.
    pub(crate) fn is_before_sending(&self) -> bool {
        match self {
            // Once a shell was started there, every fault is one of its answer.
            Self::Ssh(_) | Self::Shell(_) => true,
            Self::Unfinished(inner) => inner.is_before_beginning(),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Ssh(inner) => inner.code(),
            Self::Shell(_) => Code::HostToolMissing,
            Self::Unfinished(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Ssh(inner) => inner.remediation(),
            Self::Shell(_) => "Make /bin/sh work on this machine.".to_owned(),
            Self::Unfinished(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Ssh(inner) => inner.details(),
            Self::Shell(source) => {
                details::Tool::new("/bin/sh", "local", source.to_string()).into()
            }
            Self::Unfinished(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Ssh(inner) => inner.retry(),
            Self::Shell(_) => self.code().retry(),
            Self::Unfinished(inner) => inner.retry(),
        }
    }
}

/// How a machine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
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
    pub(crate) transport: Transport,
    /// The folder legwork keeps its things in there.
    pub(crate) root: String,
    /// Folders put in front of PATH there.
    pub(crate) path: Vec<String>,
    /// Names of variables that runs there keep although they are not on the short list of those that any run keeps.
    pub(crate) environment: Vec<String>,
    /// Whether runs there are kept together by the kernel where it can.
    pub(crate) contain: bool,
    /// The folder in which the locks of its GPUs lie; the script's own choice where none is set.
    pub(crate) gpu_locks: Option<String>,
}

impl Machine {
    /// Runs a program there and returns its whole answer.
    pub(crate) async fn run(&self, context: &Context, script: Script) -> Result<Reply, Error> {
        let _progress = context.waiting_for(self.name.as_str());
        let nonce = files::random_hexadecimal(12).map_err(Error::Shell)?;
        let (limit, look) = (script.limit(), script.is_look());
        let program = script
            .with_root(&self.root)
            .with_path(&self.path)
            .render(&nonce);
        let exit = match &self.transport {
            Transport::Ssh(target) => ssh::run(context, target, &program, limit).await?,
            Transport::Local => here(program, limit, look).await.map_err(Error::Shell)?,
        };
        let reply = Reply::parse(exit, &nonce)
            .map_err(|(fault, exit)| self.unfinished(context, fault, &exit))?;
        if let Transport::Ssh(target) = &self.transport {
            ssh::note_answer(context, target);
        }
        Ok(reply)
    }

    fn unfinished(&self, context: &Context, fault: reply::Fault, exit: &Exit) -> Error {
        Error::Unfinished(Box::new(Unfinished {
            host: self.name.to_string(),
            fault,
            stdout: reply::excerpt(&exit.stdout),
            stderr: reply::end_of(&exit.stderr),
            last_evidence_at: self.last_answer_at(context),
        }))
    }

    /// Returns when it last gave a whole answer; this machine always does.
    pub(crate) fn last_answer_at(&self, context: &Context) -> Option<String> {
        match &self.transport {
            Transport::Local => None,
            Transport::Ssh(target) => ssh::last_answer_at(context, target),
        }
    }
}

/// Runs a program in a shell of this machine.
async fn here(program: String, limit: u64, look: bool) -> io::Result<Exit> {
    process::run(
        Invocation::new("/bin/sh")
            .without("LEGWORK_FAILPOINT")
            .stdin(program)
            .look(look)
            .limit(limit),
    )
    .await
}
