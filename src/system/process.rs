//! Programs run on this machine.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::environment::AUTHORIZATION_KEY;

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
    /// What it reads from stdin.
    pub(crate) stdin: Vec<u8>,
    /// Bytes of its stdout that are read, where that is not [`STDOUT_LIMIT`].
    pub(crate) limit: Option<u64>,
    /// Whether it only looks, so that nobody needs it once the call is over.
    pub(crate) look: bool,
    /// Whether all that it started in its group ends with it where it is broken off.
    pub(crate) whole: bool,
}

/// Bytes that are read of a program's stdout unless its invocation says otherwise.
const STDOUT_LIMIT: u64 = 512 << 20;

/// Bytes that are kept of the end of a program's stderr.
const STDERR_KEPT: usize = 64 << 10;

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

    /// Sets what it reads from stdin.
    #[must_use]
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Says whether it only looks: [`end_looks`] ends it.
    #[must_use]
    pub(crate) fn look(mut self, look: bool) -> Self {
        self.look = look;
        self
    }

    /// Says whether all that it started in its group ends with it where it is broken off.
    #[must_use]
    pub(crate) fn whole(mut self, whole: bool) -> Self {
        self.whole = whole;
        self
    }

    /// Sets how many bytes of its stdout are read.
    #[must_use]
    pub(crate) fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// The exit code; nothing where a signal ended it.
    pub(crate) status: Option<i32>,
    /// What it wrote to stdout, up to the limit.
    pub(crate) stdout: Vec<u8>,
    /// The end of what it wrote to stderr.
    pub(crate) stderr: Vec<u8>,
    /// Whether it wrote more to stdout than the limit.
    pub(crate) truncated: bool,
}

impl Exit {
    /// Returns whether it ended with exit code 0.
    pub(crate) fn success(&self) -> bool {
        self.status == Some(0)
    }

    /// Returns its stdout as text.
    pub(crate) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns its stderr as text.
    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Runs a program to its end; dropping the future kills it.
///
/// It runs in a process group of its own: a signal to the group of this process, as a terminal, `timeout` and CI
/// systems send it, does not end the program of a call that could then report no more than its loss.
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
        .process_group(0)
        .kill_on_drop(true);
    // A key that grants is the person's, and nothing that runs for an agent.
    command.env_remove(AUTHORIZATION_KEY);
    for name in &invocation.without {
        command.env_remove(name);
    }
    if let Some(directory) = &invocation.directory {
        command.current_dir(directory);
    }
    let mut child = command.spawn()?;
    let _look = Look::of(child.id().filter(|_| invocation.look));
    let mut group = Group(child.id().filter(|_| invocation.whole));
    let limit = invocation.limit.unwrap_or(STDOUT_LIMIT);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let printed = exchange(stdin, &invocation.stdin, stdout, stderr, limit).await?;
    if printed.truncated {
        // Nobody reads what it would still write.
        child.start_kill()?;
    }
    let status = child.wait().await?;
    group.0 = None;
    Ok(Exit {
        status: status.code(),
        stdout: printed.stdout,
        stderr: printed.stderr,
        truncated: printed.truncated,
    })
}

/// A process group that is ended when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.0.and_then(|group| i32::try_from(group).ok());
        if let Some(group) = group.and_then(Pid::from_raw) {
            // One that has just ended by itself is as good.
            let _ended = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Returns how many processors this process may use.
pub(crate) fn processors() -> u32 {
    let count = std::thread::available_parallelism();
    count.map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

/// The process groups of programs that only look and are under way.
static LOOKS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A program that only looks, for as long as it is under way.
struct Look(Option<u32>);

impl Look {
    fn of(group: Option<u32>) -> Self {
        if let Some(group) = group {
            LOOKS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(group);
        }
        Self(group)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            LOOKS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&group);
        }
    }
}

/// Ends all programs that only look, with what they started, because the call that asked is about to end.
///
/// They run in process groups of their own, which a signal to the group of the call does not reach.
pub(crate) fn end_looks() {
    let looks = LOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    for group in looks.iter() {
        let group = i32::try_from(*group).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // One that has just ended by itself is as good.
            let _ended = kill_process_group(group, Signal::TERM);
        }
    }
}

/// What a program wrote.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// Its stdout, up to the limit.
    pub(super) stdout: Vec<u8>,
    /// The end of its stderr.
    pub(super) stderr: Vec<u8>,
    /// Whether its stdout was longer than the limit.
    pub(super) truncated: bool,
}

/// Feeds a program and reads what it writes, to the end of both pipes or until its stdout passes `limit` bytes.
///
/// A program that does not read its stdin, or never ends its stderr, does not keep a stdout that is too long from being
/// noticed.
pub(super) async fn exchange(
    stdin: Option<impl AsyncWriteExt + Unpin>,
    bytes: &[u8],
    stdout: Option<impl AsyncReadExt + Unpin>,
    stderr: Option<impl AsyncReadExt + Unpin>,
    limit: u64,
) -> io::Result<Printed> {
    let mut end = Vec::new();
    let (stdout, truncated) = {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program may close the pipe before it has read all of it.
                let _closed_early = stdin.write_all(bytes).await;
            }
        };
        let others = async { tokio::join!(feed, read_end(stderr, STDERR_KEPT, &mut end)).1 };
        let mut others = std::pin::pin!(others);
        let mut reading = std::pin::pin!(read_up_to(stdout, limit));
        let mut ended = false;
        loop {
            tokio::select! {
                read = &mut reading => {
                    let (stdout, truncated) = read?;
                    if !truncated && !ended {
                        others.await?;
                    }
                    break (stdout, truncated);
                }
                result = &mut others, if !ended => {
                    result?;
                    ended = true;
                }
            }
        }
    };
    end.drain(..end.len().saturating_sub(STDERR_KEPT));
    Ok(Printed {
        stdout,
        stderr: end,
        truncated,
    })
}

/// Reads a pipe to its end or to `limit` bytes; returns them and whether there were more.
async fn read_up_to(
    pipe: Option<impl AsyncReadExt + Unpin>,
    limit: u64,
) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .await?;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok((bytes, truncated))
}

/// Reads all of a pipe and keeps its end, at least `limit` bytes of it, however much comes before.
pub(super) async fn read_end(
    pipe: Option<impl AsyncReadExt + Unpin>,
    limit: usize,
    end: &mut Vec<u8>,
) -> io::Result<()> {
    if let Some(mut pipe) = pipe {
        while pipe.read_buf(end).await? > 0 {
            if end.len() > limit.saturating_mul(2) {
                end.drain(..end.len() - limit);
            }
        }
    }
    Ok(())
}
