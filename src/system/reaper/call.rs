//! The side of the call: starts the reaper, reads what the program writes, and tells the reaper to stop.

#![expect(
    clippy::disallowed_methods,
    reason = "the reaper is a process, and its files are gone before the call is over"
)]

use std::{ffi::OsString, fs, io, path::PathBuf, process::Stdio, time::Duration};

use tokio::io::{AsyncReadExt, AsyncWriteExt as _};

use super::process::{EXIT_FILE, Exit, FLAG};
use crate::system::{
    clock,
    environment::{AUTHORIZATION_KEY, Environment},
    process,
};

/// A program to run below a reaper.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// The program, by name or path.
    pub(crate) program: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Environment variables set on top of this process's own.
    pub(crate) variables: Vec<(String, OsString)>,
    /// A folder of the reaper's own, that exists; the reaper removes it where the call is gone.
    pub(crate) folder: PathBuf,
    /// How long the program may run.
    pub(crate) limit: Duration,
    /// How many bytes of stdout are kept, from the start.
    pub(crate) stdout: usize,
    /// How many bytes of stderr are kept, up to the end.
    pub(crate) stderr: usize,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) exit: Exit,
    /// How long it ran.
    pub(crate) took: Duration,
    /// The start of its stdout.
    pub(crate) stdout: Vec<u8>,
    /// The end of its stderr.
    pub(crate) stderr: Vec<u8>,
}

/// Runs a program to its end or its limit, and kills all that it started; dropping the future kills it all too.
pub(crate) async fn run(environment: &Environment, command: Command) -> io::Result<Finished> {
    let own = environment
        .program()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "this program has no path"))?;
    let mut reaper = tokio::process::Command::new(own)
        .arg(FLAG)
        .arg(&command.folder)
        .arg(&command.program)
        .args(&command.arguments)
        .envs(command.variables.iter().map(|(name, value)| (name, value)))
        .env_remove(AUTHORIZATION_KEY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A signal from the terminal is for the call, and reaches the reaper by the end of the pipe.
        .process_group(0)
        .spawn()?;
    let since = clock::uptime();
    let mut pipe = reaper.stdin.take();
    let (stdout, stderr) = (reaper.stdout.take(), reaper.stderr.take());
    let reading = async {
        tokio::join!(
            first_bytes(stdout, command.stdout),
            last_bytes(stderr, command.stderr)
        )
    };
    let mut reading = std::pin::pin!(reading);
    let mut stopped = None;
    let read = if let Some(read) = clock::within(command.limit, &mut reading).await {
        read
    } else {
        stopped = Some(clock::uptime());
        if let Some(pipe) = &mut pipe {
            // The reaper may have ended in this very moment.
            let _ended = pipe.write_all(b"s").await;
        }
        reading.await
    };
    reaper.wait().await?;
    drop(pipe);
    let (stdout, stderr) = (read.0?, read.1?);
    let mut exit: Exit = fs::read(command.folder.join(EXIT_FILE))
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from))?;
    // The program may have ended by itself just before the byte that stops it reached the reaper.
    exit.stopped = stopped.filter(|stopped| *stopped < exit.at);
    Ok(Finished {
        took: exit.at.saturating_sub(since),
        exit,
        stdout,
        stderr,
    })
}

/// Reads to the end of a pipe and keeps the start.
async fn first_bytes(pipe: Option<impl AsyncReadExt + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe)
            .take(limit as u64)
            .read_to_end(&mut kept)
            .await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(kept)
}

/// Reads to the end of a pipe and keeps the end.
async fn last_bytes(pipe: Option<impl AsyncReadExt + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut end = Vec::new();
    process::read_end(pipe, limit, &mut end).await?;
    end.drain(..end.len().saturating_sub(limit));
    Ok(end)
}
