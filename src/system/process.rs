//! Programs run on this machine.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    process::Stdio,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A program to run, with all it needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invocation {
    /// The program, by name or path.
    pub(crate) program: String,
    /// Its arguments; no shell sees them.
    pub(crate) arguments: Vec<OsString>,
    /// Environment variables set on top of this process's own.
    pub(crate) environment: Vec<(String, OsString)>,
    /// Environment variables taken away.
    pub(crate) without: Vec<String>,
    /// The folder it runs in.
    pub(crate) directory: Option<PathBuf>,
    /// What it reads.
    pub(crate) stdin: Vec<u8>,
}

impl Invocation {
    /// Creates an invocation without arguments.
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            ..Self::default()
        }
    }

    /// Adds an argument.
    #[must_use]
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub(crate) fn args<T: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|it| it.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub(crate) fn env(mut self, name: impl Into<String>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Takes an environment variable away.
    #[must_use]
    pub(crate) fn without(mut self, name: impl Into<String>) -> Self {
        self.without.push(name.into());
        self
    }

    /// Sets the folder it runs in.
    #[must_use]
    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets what it reads.
    #[must_use]
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// The exit status; nothing where a signal ended it.
    pub(crate) status: Option<i32>,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// What it complained.
    pub(crate) stderr: Vec<u8>,
}

impl Exit {
    /// Returns whether it ended with status 0.
    pub(crate) fn success(&self) -> bool {
        self.status == Some(0)
    }

    /// Returns what it printed as text.
    pub(crate) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns what it complained as text.
    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Runs a program to its end; dropping the future kills it.
pub(crate) async fn run(invocation: Invocation) -> io::Result<Exit> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that starts processes"
    )]
    let mut command = tokio::process::Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .envs(
            invocation
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for name in &invocation.without {
        command.env_remove(name);
    }
    if let Some(directory) = &invocation.directory {
        command.current_dir(directory);
    }
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program that does not read all of it closes the pipe, which is its right.
            let _closed_early = stdin.write_all(&invocation.stdin).await;
        }
    };
    let ((), stdout, stderr) = tokio::join!(feed, read_all(stdout), read_all(stderr));
    let (stdout, stderr) = (stdout?, stderr?);
    let status = child.wait().await?;
    Ok(Exit {
        status: status.code(),
        stdout,
        stderr,
    })
}

async fn read_all(pipe: Option<impl AsyncReadExt + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
