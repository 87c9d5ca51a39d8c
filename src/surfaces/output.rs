//! The one place that writes answers to standard output: one line, once.

use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{dispatch, pretty};
use crate::{
    contract::{Envelope, text},
    system::{Context, standard_output, terminal::Terminal},
};

/// The exit code that goes with the one line, once it has been written. Only the holder of the lock may write the line.
static WRITTEN: Mutex<Option<u8>> = Mutex::new(None);

/// The terminal on which the answer is shown to people too; unset without `--pretty`.
static PRETTY_TERMINAL: OnceLock<Terminal> = OnceLock::new();

/// The primitive being called, for the answer to a signal or a panic.
static CALLED: OnceLock<String> = OnceLock::new();

/// Notes which primitive is being called.
pub(super) fn calling(name: &str) {
    // There is one call in the process, so the first name stays.
    let _first_stays = CALLED.set(name.to_owned());
}

/// Returns which primitive is being called; empty where none could be made out.
pub(super) fn called() -> String {
    CALLED.get().cloned().unwrap_or_default()
}

/// Notes that the answer is to be shown to people too.
pub(super) fn show_to_people(context: &Context) {
    // The flag may stand on the line twice.
    let _asked_already = PRETTY_TERMINAL.set(context.terminal());
}

/// Writes the one line, shows it to people where they asked for that, and returns the exit code.
///
/// Where a line has been written before, nothing is, and the exit code stays that of the first.
pub(super) fn answer(envelope: &Envelope, signal: Option<u8>) -> u8 {
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(code) = *written {
        return code;
    }
    let code = write(envelope, dispatch::exit_code(envelope, signal));
    *written = Some(code);
    // A slow terminal must not keep a signal from ending the process.
    drop(written);
    if let Some(terminal) = PRETTY_TERMINAL.get() {
        show(envelope, *terminal);
    }
    code
}

/// Shows the answer to people. The line is out, so nothing that goes wrong here changes the exit code.
fn show(envelope: &Envelope, terminal: Terminal) {
    let text = catch_unwind(AssertUnwindSafe(|| pretty::render(envelope, terminal)));
    if let Ok(text) = text {
        let _unseen = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Writes the one line and returns the exit code.
fn write(envelope: &Envelope, code: u8) -> u8 {
    let mut line = text::json(serde_json::to_string(envelope).unwrap_or_default());
    line.push('\n');
    written(standard_output::write(line.as_bytes()), code)
}

/// Prints a text for people in place of a line, and returns the exit code.
pub(super) fn print(text: &str) -> u8 {
    written(standard_output::write(text.as_bytes()), 0)
}

/// Returns the exit code of a process that wrote its answer, which is 3 where that was not possible.
fn written(result: io::Result<()>, code: u8) -> u8 {
    match result {
        Ok(()) => code,
        // Nobody is reading any more, which is no failure of the call.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(error) => {
            tracing::error!(%error, "cannot write the answer");
            3
        }
    }
}

/// Ends the process without waiting for anything that still runs in it.
#[expect(
    clippy::exit,
    reason = "the answer is out, and what still runs must not hold it up"
)]
pub(super) fn leave(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
