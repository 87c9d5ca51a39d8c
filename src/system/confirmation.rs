//! A question to the person at the terminal, and their answer.
//!
//! The one thing here that reads from a terminal. It is the controlling terminal that is asked (`/dev/tty`), not standard
//! input: what is piped into a call is no answer, and a call without a terminal has nobody to ask. What was typed before the
//! question stood there does not count.
#![expect(
    clippy::disallowed_methods,
    reason = "the terminal is a file that nothing else opens"
)]

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    io::Errno,
    termios::QueueSelector,
};

use super::clock;

/// Bytes of an answer that are read.
const LONGEST: usize = 256;

/// Why there is no confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is nobody to ask; what was found.
    NoTerminal(String),
    /// Something else was typed.
    OtherWord,
    /// Nothing was typed in time.
    TooSlow,
}

/// Shows a question at the controlling terminal, then the prompt, and waits for the word, letter by letter, and the end of the line.
///
/// What was typed before the prompt stands there is thrown away. The thread stands still meanwhile; signals are answered by
/// another one.
pub(crate) fn confirm(
    question: &str,
    prompt: &str,
    word: &str,
    limit: Duration,
) -> Result<(), Refused> {
    let nobody = |what: &str| Refused::NoTerminal(what.to_owned());
    let mut terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|error| {
            Refused::NoTerminal(format!("this call has no controlling terminal: {error}"))
        })?;
    let foreground = rustix::termios::tcgetpgrp(&terminal).ok();
    if foreground != Some(rustix::process::getpgrp()) {
        return Err(nobody("this call is not in the foreground of its terminal"));
    }
    let shows = |terminal: &mut File, text: &str| {
        terminal
            .write_all(text.as_bytes())
            .map_err(|error| Refused::NoTerminal(format!("the terminal takes no text: {error}")))
    };
    shows(&mut terminal, question)?;
    // Without this, an answer could be sent along before anybody has seen what is asked. The prompt comes after it, so that
    // nobody who has seen that loses what they type.
    let _as_it_is = rustix::termios::tcflush(&terminal, QueueSelector::IFlush);
    shows(&mut terminal, prompt)?;
    let typed = read_line(&terminal, limit)?;
    if typed.trim_ascii() == word.as_bytes() {
        Ok(())
    } else {
        Err(Refused::OtherWord)
    }
}

/// Reads a line, as far as an answer can go.
fn read_line(terminal: &File, limit: Duration) -> Result<Vec<u8>, Refused> {
    let since = clock::instant();
    let mut line = Vec::new();
    loop {
        let left = limit.saturating_sub(since.elapsed());
        let left = Timespec::try_from(left).ok().filter(|_| !left.is_zero());
        let Some(left) = left else {
            return Err(Refused::TooSlow);
        };
        let mut poll = [PollFd::new(terminal, PollFlags::IN)];
        match rustix::event::poll(&mut poll, Some(&left)) {
            Ok(0) => return Err(Refused::TooSlow),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return Err(Refused::OtherWord),
        }
        let mut chunk = [0; LONGEST];
        match rustix::io::read(terminal, &mut chunk) {
            Ok(0) => return Ok(line),
            Ok(length) => line.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return Err(Refused::NoTerminal(format!("it cannot be read: {error}"))),
        }
        if line.contains(&b'\n') || line.len() > LONGEST {
            return Ok(line);
        }
    }
}
