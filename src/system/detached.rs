//! Programs that outlive the process that starts them: in a session of their own, with their output in a file.
#![expect(
    clippy::disallowed_methods,
    reason = "it starts processes and opens their logs, as `process` and `files` do"
)]

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
};

use tokio::io::AsyncWriteExt as _;

use super::environment::Environment;

/// A program to start.
#[derive(Clone, Debug)]
pub(crate) struct Detached {
    /// The program, by its path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// All of its environment.
    pub(crate) environment: Vec<(String, OsString)>,
    /// The file to whose end it writes.
    pub(crate) log: PathBuf,
    /// Whether it reads one line from a pipe; else there is nothing to read.
    pub(crate) reads: bool,
}

/// Variables that say what a caller is part of: what it leaves behind is no part of that.
pub(crate) const OF_THE_CALLER: &[&str] = &[
    "LEGWORK_TASK_RUN",
    "LEGWORK_TASK_ID",
    "LEGWORK_TASK_ATTEMPT",
    "LEGWORK_TASK_TOKEN",
    "LEGWORK_RUN",
    "LEGWORK_FAILPOINT",
];

impl Detached {
    /// Describes this program with other arguments, which reads nothing and is no part of what the caller is part of.
    pub(crate) fn of_this_program(
        environment: &Environment,
        arguments: Vec<OsString>,
        log: PathBuf,
    ) -> Self {
        Self {
            program: environment
                .program()
                .map_or_else(|| PathBuf::from("/proc/self/exe"), Path::to_owned),
            arguments,
            environment: environment
                .iter()
                .filter(|(name, _)| !OF_THE_CALLER.contains(name))
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            log,
            reads: false,
        }
    }
}

/// A program that was started.
#[derive(Debug)]
pub(crate) struct Started {
    child: tokio::process::Child,
}

impl Started {
    /// Returns its number; nothing once its end was waited for.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its end. What became of it is for it to say elsewhere.
    pub(crate) async fn ended(&mut self) {
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "cannot wait for a program");
        }
    }

    /// Gives it the line that it reads.
    pub(crate) async fn tell(&mut self, line: &str) -> io::Result<()> {
        let Some(mut pipe) = self.child.stdin.take() else {
            return Ok(());
        };
        pipe.write_all(format!("{line}\n").as_bytes()).await?;
        pipe.flush().await
    }
}

/// Starts it. Dropping what comes back leaves it running.
pub(crate) fn start(program: &Detached) -> io::Result<Started> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&program.log)?;
    let mut command = if let Some(setsid) = setsid() {
        // It makes a session and becomes the program; the number stays.
        let mut command = tokio::process::Command::new(setsid);
        command.arg(&program.program);
        command
    } else {
        let mut command = tokio::process::Command::new(&program.program);
        command.process_group(0);
        command
    };
    let stdin = if program.reads {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let child = command
        .args(&program.arguments)
        .env_clear()
        .envs(
            program
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(stdin)
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(false)
        .spawn()?;
    Ok(Started { child })
}

/// Finds the program that makes a session.
fn setsid() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let places = ["/usr/bin/setsid", "/bin/setsid"];
            places
                .map(PathBuf::from)
                .into_iter()
                .find(|place| place.exists())
        })
        .as_deref()
}
