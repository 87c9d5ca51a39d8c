//! Processes of a test: what is sent to them, what they answer, and which signals end them.

use std::{
    fs,
    io::Write as _,
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Call, eventually};

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

fn pid(process: u32) -> Pid {
    i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process")
}
