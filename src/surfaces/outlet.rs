//! The one place that writes to standard output: one line, once.

use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, OnceLock, PoisonError},
    time::Instant,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::{dispatch, pretty};
use crate::{
    contract::{Code, Envelope, Failure, details, text},
    registry,
    system::{Context, process, temporary, terminal::Terminal},
};

/// The exit status that goes with the one line, once it has been written. Whoever holds the lock may write it.
static WRITTEN: Mutex<Option<u8>> = Mutex::new(None);

/// The terminal on which people are to read the answer; nothing where nobody asked for that.
static READERS: OnceLock<Terminal> = OnceLock::new();

/// The primitive being called, for whoever must answer in its place.
static CALLED: OnceLock<String> = OnceLock::new();

/// Notes which primitive is being called.
pub(super) fn calling(name: &str) {
    // A second call in one process is not possible here, so the first name stands.
    let _first_stands = CALLED.set(name.to_owned());
}

/// Returns which primitive is being called; empty where none could be made out.
pub(super) fn called() -> String {
    CALLED.get().cloned().unwrap_or_default()
}

/// Notes that the answer is to be shown to people too.
pub(super) fn show_to_people(context: &Context) {
    // Whoever asks twice has asked.
    let _asked_already = READERS.set(context.terminal());
}

/// Writes the one line, shows it to people where they asked for that, and returns the exit status.
///
/// Where a line has been written before, nothing is, and the status stays that of the first.
pub(super) fn answer(envelope: &Envelope, signal: Option<u8>) -> u8 {
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(status) = *written {
        return status;
    }
    let status = write(envelope, dispatch::exit_code(envelope, signal));
    *written = Some(status);
    // Whoever reads slowly must not keep a signal from ending the process.
    drop(written);
    if let Some(terminal) = READERS.get() {
        show(envelope, *terminal);
    }
    status
}

/// Shows the answer to people; the line is out, and nothing that goes wrong here matters to it.
fn show(envelope: &Envelope, terminal: Terminal) {
    let text = catch_unwind(AssertUnwindSafe(|| pretty::render(envelope, terminal)));
    if let Ok(text) = text {
        let _unseen = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Writes the one line and returns the exit status.
fn write(envelope: &Envelope, status: u8) -> u8 {
    let mut line = text::json(serde_json::to_string(envelope).unwrap_or_default());
    line.push('\n');
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => status,
        // Nobody is reading any more, which is no failure of the call.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
        Err(error) => {
            tracing::error!(%error, "cannot write the answer");
            3
        }
    }
}

/// Prints a text for people in place of a line, and returns the exit status.
pub(super) fn print(text: &str) -> u8 {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => 0,
        // Somebody who stops reading has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            tracing::error!(%error, "cannot write the text");
            3
        }
    }
}

/// Answers in place of the call when a signal ends the process.
pub(super) fn answer_signals(context: &Context, since: Instant) {
    let meter = context.meter().clone();
    let activity = context.activity().clone();
    on_signal(move |signal| {
        let failure = interrupted(signal).with_effect(meter.halt());
        temporary::abandon();
        let context = Context::of_process(registry::descriptions, registry::SCHEMA);
        let envelope = dispatch::refusal(&context, &called(), failure, since);
        activity.clear();
        process::end_looks();
        leave(answer(&envelope, Some(signal)));
    });
}

/// Does something when a signal is to end the process.
///
/// A thread of its own does, so that a call that is busy or waiting for a lock cannot keep it from being done.
pub(super) fn on_signal(act: impl FnOnce(u8) + Send + 'static) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        tracing::warn!("signals cannot be caught");
        return;
    };
    let waiting = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                act(u8::try_from(signal).unwrap_or(2));
            }
        });
    if waiting.is_err() {
        tracing::warn!("signals cannot be answered");
    }
}

/// Creates the failure of a call that a signal ended.
pub(super) fn interrupted(signal: u8) -> Failure {
    let name = match i32::from(signal) {
        SIGINT => "SIGINT",
        SIGTERM => "SIGTERM",
        _ => "SIGHUP",
    };
    Failure::new(
        Code::Cancelled,
        format!("{name} ended the call"),
        "Send the same call again if it is still wanted; it carries on from where this one stopped.",
    )
    .with_details(
        details::Signal::new(name)
        .into(),
    )
}

/// Ends the process without waiting for anything that still runs in it.
#[expect(
    clippy::exit,
    reason = "the answer is out, and what still runs must not hold it up"
)]
pub(super) fn leave(status: u8) -> ! {
    std::process::exit(i32::from(status))
}
