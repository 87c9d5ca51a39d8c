//! Processes of a test: what is sent to them, what they answer, and which signals end them.

use std::{
    fs,
    io::Write as _,
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Call, World, eventually};

/// Starts a program whose stdout and stderr are read once it has ended.
pub(crate) fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Starts calls all at once, each a process of its own, and reads their answers.
pub(crate) fn at_once(calls: impl IntoIterator<Item = Command>) -> Vec<Call> {
    let children: Vec<Child> = calls.into_iter().map(|mut call| start(&mut call)).collect();
    children
        .into_iter()
        .map(|child| Call::read(&child.wait_with_output().expect("legwork ends")))
        .collect()
}

/// Runs a program with something on its standard input.
///
/// A thread writes it, since the program may answer before it has read all. One that does not read its input closes the
/// pipe, which is its right.
pub(crate) fn fed(command: &mut Command, input: impl Into<Vec<u8>>) -> Output {
    let input = input.into();
    let mut child = start(command.stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("its standard input");
    let sender = thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().expect("the program ends");
    sender.join().expect("all was sent");
    output
}

/// Reads the JSON lines on the stdout of a program that has ended.
#[track_caller]
pub(crate) fn json_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("stdout in UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

/// Sends a signal to a process, by its number.
#[track_caller]
pub(crate) fn signal(process: u32, number: i32) {
    let signal = Signal::from_named_raw(number).expect("a signal");
    kill_process(pid(process), signal).expect("the process is there");
}

/// Kills a process; one that has just ended by itself is as good.
pub(crate) fn kill(process: u32) {
    kill_process(pid(process), Signal::KILL).ok();
}

/// Waits until a process catches a signal, as the mask in its status says.
#[track_caller]
pub(crate) fn await_catching(process: u32, number: i32) {
    eventually("it catches the signal", || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let caught = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0);
        caught & (1 << (number - 1)) != 0
    });
}

/// Returns the descendants of a process, parents first, with the names of their programs.
pub(crate) fn descendants(process: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut parents = vec![process];
    while let Some(parent) = parents.pop() {
        let threads = fs::read_dir(format!("/proc/{parent}/task"));
        let children: String = threads
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
            .collect();
        for child in children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
        {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            found.push((child, name.trim().to_owned()));
            parents.push(child);
        }
    }
    found
}

/// Kills the workers of a world, and what their tasks left; of each the environment names the world's folder.
pub(crate) fn end_workers(world: &World) {
    let home = world.path("state/legwork");
    let home = format!("LEGWORK_HOME={}", home.display());
    let mark = world.path("state/legwork/tasks");
    let mark = format!("LEGWORK_TASK_RUN={}", mark.display());
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(number) = process.file_name().to_string_lossy().parse() else {
            continue;
        };
        let variables = fs::read(process.path().join("environ")).unwrap_or_default();
        let has = |wanted: &dyn Fn(&[u8]) -> bool| variables.split(|byte| *byte == 0).any(wanted);
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let is_worker = arguments
            .split(|byte| *byte == 0)
            .any(|word| word == b"run-worker");
        if is_worker && has(&|one| one == home.as_bytes())
            || has(&|one| one.starts_with(mark.as_bytes()))
        {
            kill(number);
            eventually("it is gone", || {
                let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
                !stat.contains(") R") && !stat.contains(") S") && !stat.contains(") D")
            });
        }
    }
}

fn pid(process: u32) -> Pid {
    i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process")
}
