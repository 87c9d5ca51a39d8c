//! Judges whether a call was left to run, read to its end, and stopped as it should be.

use std::time::Duration;

use super::{
    call::{Call, milliseconds},
    finding::{Fault, Finding},
    judge::Evidence,
    turn::Promise,
};

/// How long a harness is told to give a call, in seconds.
pub(super) const TIMEOUT_S: u64 = 3;

/// How long a harness is told to give a call that it has told to stop, in seconds.
pub(super) const KILL_AFTER_S: u64 = 2;

impl Evidence<'_> {
    /// Finds fault where the call was not left to run, or not stopped, as it should be.
    pub(super) fn keeps_limits(
        &self,
        index: usize,
        call: &Call,
        promise: &Promise,
    ) -> Result<(), Finding> {
        let waiting = self.harness.exit.left.contains(&call.pid);
        if waiting {
            return Err(Finding::new(
                Fault::LeftRunning,
                "no call runs on when the harness has ended",
                "it still ran",
            ));
        }
        if call.stdout_closed || call.stuck_in_stdout {
            return Err(Finding::new(
                Fault::StdoutUnread,
                "standard output is read to its end while the call runs",
                if call.stdout_closed {
                    "it was closed"
                } else {
                    "it was full, and the call was blocked"
                },
            ));
        }
        if call.stuck_in_stderr {
            return Err(Finding::new(
                Fault::StderrUnread,
                "standard error is read, or goes somewhere, while the call runs",
                "it was full, and the call was blocked",
            ));
        }
        // We measure from when the stub process starts, which on a loaded machine is well after the harness spawned it. So a
        // stop counts as too early only before half of TIMEOUT_S.
        let stopped = call.first_signal();
        if let Some(stopped) = stopped
            && call
                .answered
                .is_none_or(|at| stopped < at.saturating_sub(call.began))
            && stopped * 2 < Duration::from_secs(TIMEOUT_S)
        {
            return Err(Finding::new(
                Fault::StoppedTooSoon,
                format!("a call has LEGWORK_TIMEOUT_S, {TIMEOUT_S} s, before it is told to stop"),
                format!("it was told to stop after {} ms", milliseconds(stopped)),
            ));
        }
        let last = index + 1 == self.calls.len();
        let held = last && self.stopped();
        if call.ended.is_some() || call.answered.is_some() {
            return Ok(());
        }
        match (stopped, promise) {
            (None, _) if held => Err(Finding::new(
                Fault::NotStopped,
                format!("a call is told to stop by SIGTERM after LEGWORK_TIMEOUT_S, {TIMEOUT_S} s"),
                format!(
                    "the harness still waited after {} ms",
                    milliseconds(self.harness.took)
                ),
            )),
            (Some(_), Promise::Deaf) if held => Err(Finding::new(
                Fault::NotKilled,
                format!(
                    "a call that does not stop is killed after another LEGWORK_KILL_AFTER_S, {KILL_AFTER_S} s"
                ),
                format!(
                    "the harness still waited after {} ms",
                    milliseconds(self.harness.took)
                ),
            )),
            (None, _) => Err(Finding::new(
                Fault::KilledFirst,
                "a call is told to stop by SIGTERM before it is killed",
                "it was killed without a signal that it could answer",
            )),
            (Some(_), Promise::Deaf) => Ok(()),
            (Some(_), _) => Err(Finding::new(
                Fault::KilledTooSoon,
                format!(
                    "a call that is told to stop has LEGWORK_KILL_AFTER_S, {KILL_AFTER_S} s, to answer"
                ),
                "it was killed before it could answer",
            )),
        }
    }
}
