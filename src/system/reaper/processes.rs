//! The processes below a reaper: which there are, and how they are waited for and killed.

#![expect(
    clippy::disallowed_methods,
    reason = "the list of processes is read from /proc"
)]

use std::{fs, io, os::unix::fs::MetadataExt as _};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

/// Returns whether the process that started this one runs this very program, as far as the system shows that.
pub(super) fn is_child_of_own_program() -> bool {
    let program = |process: &str| {
        let file = fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((file.dev(), file.ino()))
    };
    let Some(own) = program("self") else {
        // Without /proc nobody can tell.
        return !cfg!(target_os = "linux");
    };
    let parent = rustix::process::getppid().map(Pid::as_raw_pid);
    parent.is_some_and(|parent| program(&parent.to_string()) == Some(own))
}

/// Waits for the end of one child, reaping whatever else ends meanwhile.
pub(super) fn wait_for(child: Pid) -> io::Result<WaitStatus> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => return Ok(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reaps what has ended, and returns whether no child is left.
pub(super) fn all_reaped() -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return false,
            Err(_no_child) => return true,
        }
    }
}

/// Kills the children of this process; where the system does not show them, the process group of the program.
///
/// The pid of a child is not given to anybody else before it is reaped. What a killed child leaves behind is a child of this
/// process the next time.
pub(super) fn kill_children(program: Pid) {
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
pub(super) fn descendants() -> Vec<i32> {
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
