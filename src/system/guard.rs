//! A program run so that nothing it starts outlives the call.
//!
//! Between the call and the program stands a process of our own, the guard. Whatever the program starts, in groups and
//! sessions of its own too, comes down to the guard when its parents end; the guard ends all of it when the program
//! has ended, and also when the call is gone, however it went: the pipe between them then closes.

#![expect(
    clippy::disallowed_methods,
    reason = "the guard starts a process, and its files are gone before the call is over"
)]

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt as _};

use super::{clock, environment::Environment};

/// The first argument that makes this program a guard; its folder and the program with its arguments follow.
pub(crate) const FLAG: &str = "--guard";

/// Nobody has said anything.
const GOES_ON: u8 = 0;
/// The word to stop has come.
const STOP: u8 = 1;
/// Whoever called is gone.
const GONE: u8 = 2;

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(3);

/// The file in the guard's folder that says how the program ended.
const ENDING: &str = "ending.json";

/// How long what is being ended may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long what the program started may outlast it without being noted as left behind.
const GRACE: Duration = Duration::from_secs(1);

/// A program to run under guard.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The program, by name or path.
    pub(crate) program: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Environment variables set on top of this process's own.
    pub(crate) variables: Vec<(String, OsString)>,
    /// An own folder for the guard, that exists; removed when the call goes away.
    pub(crate) folder: PathBuf,
    /// How long the program may run.
    pub(crate) limit: Duration,
    /// How many bytes are kept of what it prints, from the start.
    pub(crate) stdout: usize,
    /// How many bytes are kept of what it complains, up to the end.
    pub(crate) stderr: usize,
}

/// How the program ended, as the guard wrote it down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    /// Its exit status; nothing where a signal ended it.
    pub(crate) status: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// When it was stopped because its time was over, as [`clock::uptime`]; nothing where it ended by itself.
    pub(crate) stopped: Option<Duration>,
    /// When it had ended.
    pub(crate) at: Duration,
    /// Processes that it had started and that were still running then.
    pub(crate) left: Vec<i32>,
}

/// A program that was run under guard.
#[derive(Clone, Debug)]
pub(crate) struct Guarded {
    /// How it ended.
    pub(crate) ending: Ending,
    /// How long it ran.
    pub(crate) took: Duration,
    /// The start of what it printed.
    pub(crate) stdout: Vec<u8>,
    /// The end of what it complained.
    pub(crate) stderr: Vec<u8>,
}

/// Runs a program to its end or its limit, and ends all that it started; dropping the future ends it all too.
pub(crate) async fn run(environment: &Environment, order: Order) -> io::Result<Guarded> {
    let own = environment
        .program()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "this program has no path"))?;
    let mut command = tokio::process::Command::new(own);
    let mut guard = command
        .arg(FLAG)
        .arg(&order.folder)
        .arg(&order.program)
        .args(&order.arguments)
        .envs(order.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A signal from the terminal is for the call, and reaches the guard by the end of the pipe.
        .process_group(0)
        .spawn()?;
    let since = clock::uptime();
    let mut leash = guard.stdin.take();
    let (stdout, stderr) = (guard.stdout.take(), guard.stderr.take());
    let reading = async {
        tokio::join!(
            first_bytes(stdout, order.stdout),
            last_bytes(stderr, order.stderr)
        )
    };
    let mut reading = std::pin::pin!(reading);
    let mut stopped = None;
    let read = if let Some(read) = clock::within(order.limit, &mut reading).await {
        read
    } else {
        stopped = Some(clock::uptime());
        if let Some(leash) = &mut leash {
            // It may have ended in this very moment.
            let _ended = leash.write_all(b"s").await;
        }
        reading.await
    };
    guard.wait().await?;
    drop(leash);
    let (stdout, stderr) = (read.0?, read.1?);
    let mut ending: Ending = fs::read(order.folder.join(ENDING))
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from))?;
    // The guard may have been told in the very moment in which the program ended by itself.
    ending.stopped = stopped.filter(|stopped| *stopped < ending.at);
    Ok(Guarded {
        took: ending.at.saturating_sub(since),
        ending,
        stdout,
        stderr,
    })
}

/// Reads to the end, keeping the start.
async fn first_bytes(pipe: Option<impl AsyncReadExt + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    each_piece(pipe, |piece| {
        let room = limit.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..piece.len().min(room)]);
    })
    .await?;
    Ok(kept)
}

/// Reads to the end, keeping the end.
async fn last_bytes(pipe: Option<impl AsyncReadExt + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    each_piece(pipe, |piece| {
        kept.extend_from_slice(piece);
        if kept.len() > limit.saturating_mul(2) {
            kept.drain(..kept.len() - limit);
        }
    })
    .await?;
    kept.drain(..kept.len().saturating_sub(limit));
    Ok(kept)
}

async fn each_piece(
    pipe: Option<impl AsyncReadExt + Unpin>,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let Some(mut pipe) = pipe else {
        return Ok(());
    };
    let mut piece = vec![0; 1 << 16];
    loop {
        match pipe.read(&mut piece).await? {
            0 => return Ok(()),
            length => take(&piece[..length]),
        }
    }
}

/// Is the guard: runs the program, ends what it leaves behind, and writes down how it ended.
pub(crate) fn keep(folder: &Path, program: &OsStr, arguments: &[OsString]) -> io::Result<()> {
    // Whatever loses its parent comes down to this process.
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut command = std::process::Command::new(program);
    let child = command
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let program = Pid::from_child(&child);
    let word = Arc::new(AtomicU8::new(GOES_ON));
    let heard = Arc::clone(&word);
    std::thread::spawn(move || {
        // One byte is the word to stop; the end of the pipe means that whoever called is gone.
        let said = match io::stdin().read(&mut [0]) {
            Ok(1..) => STOP,
            Ok(0) | Err(_) => GONE,
        };
        heard.store(said, Ordering::Release);
        loop {
            end_children(program);
            clock::stand_still(PAUSE);
        }
    });
    let status = wait_for(program)?;
    let at = clock::uptime();
    let mut left = Vec::new();
    while word.load(Ordering::Acquire) == GOES_ON {
        left = descendants();
        if left.is_empty() || clock::uptime() > at + GRACE {
            break;
        }
        clock::stand_still(PAUSE);
    }
    let since = clock::uptime();
    while !all_reaped() && clock::uptime() < since + PATIENCE {
        end_children(program);
        clock::stand_still(PAUSE);
    }
    if word.load(Ordering::Acquire) == GONE {
        fs::remove_dir_all(folder)?;
        // The last of several guards takes the folder of them all away.
        let _others_are_there = folder.parent().map(fs::remove_dir);
        return Ok(());
    }
    let ending = Ending {
        status: status.exit_status(),
        signal: status.terminating_signal(),
        stopped: None,
        at,
        left,
    };
    fs::write(folder.join(ENDING), serde_json::to_vec(&ending)?)
}

/// Waits for the end of one child, reaping whatever else ends meanwhile.
fn wait_for(child: Pid) -> io::Result<WaitStatus> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => return Ok(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reaps what has ended, and returns whether no child is left.
fn all_reaped() -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return false,
            Err(_no_child) => return true,
        }
    }
}

/// Kills the children of this process; where the system does not show them, the group of the program.
///
/// A child's number is nobody else's before it is reaped; what a child leaves behind is a child the next time.
fn end_children(program: Pid) {
    let own = rustix::process::getpid().as_raw_pid();
    let running = parents();
    if running.is_empty() {
        // It may have ended by itself.
        let _ended = rustix::process::kill_process_group(program, Signal::KILL);
    }
    let children = running
        .into_iter()
        .filter(|(_, parent)| *parent == own)
        .filter_map(|(child, _)| Pid::from_raw(child));
    for child in children {
        let _ended = rustix::process::kill_process(child, Signal::KILL);
    }
}

/// Lists the processes below this one that run.
fn descendants() -> Vec<i32> {
    let parents = parents();
    let mut found = vec![rustix::process::getpid().as_raw_pid()];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        at += 1;
        let children = parents.iter().filter(|(_, of)| *of == parent);
        found.extend(children.map(|(child, _)| *child));
    }
    found.split_off(1)
}

/// Lists the processes of this machine that run, each with its parent; empty where the system does not show them.
fn parents() -> Vec<(i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name of the program stands in brackets and may hold anything.
            let (_, rest) = text.rsplit_once(") ")?;
            let mut words = rest.split(' ');
            let runs = !matches!(words.next()?, "Z" | "X");
            let parent = words.next()?.parse().ok()?;
            runs.then_some((pid, parent))
        })
        .collect()
}
