//! The reaper itself: runs the program, kills what it leaves behind, and writes down how it ended.

#![expect(
    clippy::disallowed_methods,
    reason = "the reaper starts a process, and its files are gone before the call is over"
)]

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::processes::{all_reaped, descendants, is_child_of_own_program, kill_children, wait_for};
use crate::system::clock;

/// The first argument that makes this program a reaper; its folder and the program with its arguments follow.
pub(crate) const FLAG: &str = "--reaper";

/// The file in the reaper's folder that says how the program ended.
pub(super) const EXIT_FILE: &str = "exit.json";

/// Nothing has come through the pipe.
const RUNNING: u8 = 0;
/// A byte came: the call asks to stop.
const STOP: u8 = 1;
/// The pipe is closed: the call is gone.
const GONE: u8 = 2;

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(3);

/// How long what is being killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long what the program started may outlast it without being noted as left behind.
const GRACE: Duration = Duration::from_secs(1);

/// How the program ended, as the reaper wrote it down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exit {
    /// Its exit code; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// When it was stopped because its time was over, as [`clock::uptime`]; nothing where it ended by itself.
    pub(crate) stopped: Option<Duration>,
    /// When it had ended.
    pub(crate) at: Duration,
    /// Processes that it had started and that were still running then.
    pub(crate) left: Vec<i32>,
}

/// Does the work of a reaper.
///
/// Refuses, having done nothing, where the process that started this one does not run this program: a user who may call
/// legwork is not thereby allowed to run any program, or to have any folder removed.
pub(crate) fn reap(folder: &Path, program: &OsStr, arguments: &[OsString]) -> io::Result<()> {
    if !is_child_of_own_program() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "a reaper is started by legwork alone",
        ));
    }
    // Whatever loses its parent becomes a child of this process.
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let child = std::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let program = Pid::from_child(&child);
    let pipe = watch_pipe(program);
    let status = wait_for(program)?;
    let at = clock::uptime();
    let mut left = Vec::new();
    while pipe.load(Ordering::Acquire) == RUNNING {
        left = descendants();
        if left.is_empty() || clock::uptime() > at + GRACE {
            break;
        }
        clock::block(PAUSE);
    }
    let since = clock::uptime();
    while !all_reaped() && clock::uptime() < since + PATIENCE {
        kill_children(program);
        clock::block(PAUSE);
    }
    if pipe.load(Ordering::Acquire) == GONE {
        fs::remove_dir_all(folder)?;
        // The last of several reapers removes the folder of them all.
        let _others_are_there = folder.parent().map(fs::remove_dir);
        return Ok(());
    }
    let exit = Exit {
        code: status.exit_status(),
        signal: status.terminating_signal(),
        stopped: None,
        at,
        left,
    };
    fs::write(folder.join(EXIT_FILE), serde_json::to_vec(&exit)?)
}

/// Watches the pipe from the call on a thread, which kills everything as soon as something comes through it or it closes.
fn watch_pipe(program: Pid) -> Arc<AtomicU8> {
    let pipe = Arc::new(AtomicU8::new(RUNNING));
    let state = Arc::clone(&pipe);
    std::thread::spawn(move || {
        let found = match io::stdin().read(&mut [0]) {
            Ok(1..) => STOP,
            Ok(0) | Err(_) => GONE,
        };
        state.store(found, Ordering::Release);
        loop {
            kill_children(program);
            clock::block(PAUSE);
        }
    });
    pipe
}
