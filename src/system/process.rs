//! Programs on this machine.

use std::{ffi::OsString, path::PathBuf, process::Stdio};

use tokio::io::AsyncWriteExt as _;

/// A program to run, with all it is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invocation {
    /// The program, by name or path.
    pub(crate) program: String,
    /// Its arguments, without a shell in between.
    pub(crate) arguments: Vec<OsString>,
    /// Variables added to the environment of this process.
    pub(crate) environment: Vec<(String, OsString)>,
    /// The folder to run in.
    pub(crate) directory: Option<PathBuf>,
    /// What it reads from its standard input.
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
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub(crate) fn args<A: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub(crate) fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets the folder it runs in.
    #[must_use]
    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets what it reads from its standard input.
    #[must_use]
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }
}

/// How a program ended, and what it printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exit {
    /// Its exit status; none where a signal ended it.
    pub(crate) status: Option<i32>,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// What it complained.
    pub(crate) stderr: Vec<u8>,
}

/// Runs a program to its end.
pub(crate) async fn run(invocation: Invocation) -> std::io::Result<Exit> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this module is the one that starts processes"
    )]
    let mut command = tokio::process::Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .envs(invocation.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(directory) = &invocation.directory {
        command.current_dir(directory);
    }
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let bytes = invocation.stdin;
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A program that stops reading early says why by its exit status.
            drop(stdin.write_all(&bytes).await);
            drop(stdin.shutdown().await);
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output?;
    Ok(Exit {
        status: output.status.code(),
        stdout: output.stdout,
        stderr: output.stderr,
    })
}
