//! What happens when a signal ends the process.
//!
//! Every signal that would end the process, and can be caught, is answered like any other end: with one line, and an exit
//! code of 128 and its number. The signals are caught before anything is read, because reading may take for ever. A thread
//! of its own waits for them, because the call may be busy, or waiting for a lock. What that thread does is set anew as the
//! process gets further, and must not read anything itself.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use signal_hook::{consts::signal, iterator::Signals};
use tokio::sync::watch;

use super::output;
use crate::{
    contract::{Code, Failure, details},
    system::{clock, limits},
};

/// The signals that end a process unless they are caught. SIGKILL cannot be caught, and after SIGSEGV, SIGBUS, SIGILL and
/// SIGFPE the process cannot go on.
const ENDING: &[i32] = &[
    signal::SIGHUP,
    signal::SIGINT,
    signal::SIGQUIT,
    signal::SIGTERM,
    signal::SIGABRT,
    signal::SIGALRM,
    signal::SIGIO,
    signal::SIGPROF,
    signal::SIGSYS,
    signal::SIGTRAP,
    signal::SIGUSR1,
    signal::SIGUSR2,
    signal::SIGVTALRM,
    signal::SIGXCPU,
    #[cfg(target_os = "linux")]
    SIGSTKFLT,
    #[cfg(target_os = "linux")]
    SIGPWR,
];

/// Stack fault: nothing raises it, and it ends a process all the same.
#[cfg(target_os = "linux")]
const SIGSTKFLT: i32 = 16;
/// Power failure.
#[cfg(target_os = "linux")]
const SIGPWR: i32 = 30;

/// Signals that come within this time of the first are taken to be one with it, such as SIGHUP right after SIGTERM.
pub(super) const TOGETHER: Duration = Duration::from_secs(2);

/// What to do with the number of the signal.
type Action = Box<dyn FnOnce(u8) + Send>;

/// What the next signal does.
static ACTION: Mutex<Option<Action>> = Mutex::new(None);

/// Catches signals from here on; fails where no thread or descriptor is to be had for that.
pub(super) fn catch(action: impl FnOnce(u8) + Send + 'static) -> io::Result<()> {
    on_signal(action);
    limits::catch_file_size()?;
    let mut signals = Signals::new(ENDING)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut first = None;
            for number in signals.forever() {
                let number = u8::try_from(number).unwrap_or(15);
                let action = ACTION.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(action) = action {
                    action(number);
                    first = Some(clock::instant());
                } else if first.is_none_or(|first| first.elapsed() > TOGETHER) {
                    // The sender of another signal does not want to wait for what the first one began.
                    output::leave(128 + number);
                }
            }
        })?;
    Ok(())
}

/// Sets what the next signal does.
pub(super) fn on_signal(action: impl FnOnce(u8) + Send + 'static) {
    *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(action));
}

/// Creates the failure of a call that a signal ended.
pub(super) fn interrupted(number: u8) -> Failure {
    let name = match number.into() {
        #[cfg(target_os = "linux")]
        SIGSTKFLT => "SIGSTKFLT".to_owned(),
        #[cfg(target_os = "linux")]
        SIGPWR => "SIGPWR".to_owned(),
        number => signal_hook::low_level::signal_name(number)
            .map_or_else(|| format!("signal {number}"), str::to_owned),
    };
    Failure::new(
        Code::Cancelled,
        format!("{name} ended the call"),
        "Send the same call again if it is still wanted; it carries on from where this one stopped.",
    )
    .with_details(details::Signal::new(name).into())
}

/// Waits for a signal, and returns its number.
pub(super) async fn taken(stop: &mut watch::Receiver<Option<u8>>) -> u8 {
    let number = stop.wait_for(Option::is_some).await.ok();
    let number = number.and_then(|number| *number);
    match number {
        Some(number) => number,
        // No signal can come any more.
        None => std::future::pending().await,
    }
}
