//! A program run so that nothing it starts outlives the call.
//!
//! A program that is not ours may start others, in process groups and sessions of their own, and a call may be killed at
//! any time. Killing a process group is therefore not enough, and a clean-up in the call itself may never run. So between
//! the call and the program stands a process of our own, the reaper. It is a subreaper: whatever loses its parent below it
//! becomes its child, so it can find and kill all of it. And it holds the reading end of a pipe from the call: when the
//! call is gone, however it went, the pipe closes, and the reaper kills what is left and removes its folder.
//!
//! The reaper is this very program under another first argument, which only this program may give it.

mod call;
mod process;
mod processes;

pub(crate) use call::{Command, Finished, run};
pub(crate) use process::{FLAG, reap};
