//! The one place that writes to standard output: one line, once.

use std::{
    io::{self, Write},
    sync::{Mutex, OnceLock, PoisonError},
    time::Instant,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::dispatch;
use crate::{
    contract::{Code, Envelope, Failure, details},
    registry,
    system::Context,
};

/// Whether the one line has been written. Whoever holds the lock may write it.
static WRITTEN: Mutex<bool> = Mutex::new(false);

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

/// Writes the one line and returns the exit status.
pub(super) fn answer(envelope: &Envelope, signal: Option<u8>) -> u8 {
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    let status = dispatch::exit_status(envelope, signal);
    if *written {
        return status;
    }
    *written = true;
    let mut line = serde_json::to_vec(envelope).unwrap_or_default();
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    match stdout.write_all(&line).and_then(|()| stdout.flush()) {
        Ok(()) => status,
        // Nobody is reading any more, which is no failure of the call.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
        Err(error) => {
            tracing::error!(%error, "cannot write the answer");
            3
        }
    }
}

/// Answers in place of the call when a signal ends the process.
pub(super) fn answer_signals(context: &Context, since: Instant) {
    let meter = context.meter().clone();
    on_signal(move |signal| {
        let failure = interrupted(signal).with_effect(meter.effect_of_failure());
        let context = Context::of_process(registry::descriptions);
        let envelope = dispatch::refusal(&context, &called(), failure, since);
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
        details::Signal {
            signal: name.to_owned(),
        }
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
