//! What a call has done so far: round trips, and its effect on the world.
//!
//! An envelope's `effect` must be true also where a signal, a deadline or a full disk ends the call, so it is counted
//! while the work goes on. There are two kinds of change. A change asked of another program or machine is
//! announced by [`Meter::changing`] and closed by [`Meter::settled`]; between the two its outcome is unknown.
//! A change this process makes itself is a [`Meter::step`], which happens wholly or not at all. The functions of
//! `files` that change what a user keeps, and `Store::write_metered`, take the meter and step by themselves, so that a
//! caller who forgets the meter does not compile.
//!
//! Operations are composed of others: what one of them applied is not undone by a later one that changed nothing. So
//! settling a change never takes back what was applied before it.
//!
//! The thread that answers a signal calls [`Meter::halt`] first: it waits for a step under way, and from then on
//! neither a step nor a change begins. What it then answers stays true.

use std::{
    sync::{
        Arc, Mutex, PoisonError, TryLockError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::clock;
use crate::contract::Effect;

/// How long [`Meter::halt`] waits for the step under way.
const STEP_LIMIT: Duration = Duration::from_secs(2);

/// Counts what a call does, also for the thread that answers in its place when a signal ends it.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    round_trips: Arc<AtomicU64>,
    effect: Arc<AtomicU8>,
    /// The effect before the change that is under way.
    before: Arc<AtomicU8>,
    gate: Arc<Mutex<()>>,
}

/// How effects are kept in an atomic number.
const NONE: u8 = 0;
const UNKNOWN: u8 = 1;
const APPLIED: u8 = 2;
const REPLAYED: u8 = 3;
const PARTIAL: u8 = 4;

impl Meter {
    /// Counts a command sent to another host.
    pub(crate) fn count_round_trip(&self) {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the commands sent to other hosts.
    pub fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    /// Notes that a change is about to be asked for, whose outcome is unknown until [`Meter::settled`].
    ///
    /// Never returns once [`Meter::halt`] was called: nothing new begins after a signal was taken.
    pub(crate) fn changing(&self) {
        let _open = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.effect.swap(UNKNOWN, Ordering::SeqCst);
        if before != UNKNOWN {
            self.before.store(before, Ordering::SeqCst);
        }
    }

    /// Notes what came of the change, beside what was applied before it.
    pub(crate) fn settled(&self, effect: Effect) {
        let before = match self.effect.load(Ordering::SeqCst) {
            UNKNOWN => self.before.load(Ordering::SeqCst),
            settled => settled,
        };
        let changed = matches!(before, APPLIED | PARTIAL);
        let value = match effect {
            Effect::None | Effect::Replayed if changed => before,
            Effect::None => NONE,
            Effect::Unknown => UNKNOWN,
            Effect::Applied => APPLIED,
            Effect::Replayed => REPLAYED,
            Effect::Partial => PARTIAL,
        };
        self.effect.store(value, Ordering::SeqCst);
    }

    /// Takes one step that changes something wholly or not at all, such as a rename or a commit of the database.
    ///
    /// A step that succeeds counts as applied; one that fails changed nothing. Never returns once [`Meter::halt`]
    /// was called.
    pub(crate) fn step<T, E>(&self, act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let _open = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act()?;
        self.settled(Effect::Applied);
        Ok(done)
    }

    /// Lets nothing more begin, and returns what the call has done as [`Meter::effect_of_failure`] does.
    ///
    /// Waits for the step under way; where that hangs, its outcome is unknown.
    pub fn halt(&self) -> Effect {
        let since = clock::instant();
        loop {
            match self.gate.try_lock() {
                Ok(gate) => {
                    std::mem::forget(gate);
                    return self.effect_of_failure();
                }
                Err(TryLockError::Poisoned(poisoned)) => {
                    std::mem::forget(poisoned.into_inner());
                    return self.effect_of_failure();
                }
                Err(TryLockError::WouldBlock) if since.elapsed() < STEP_LIMIT => {
                    clock::block(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => return Effect::Unknown,
            }
        }
    }

    /// Returns the effect that a failure of the call would have now.
    ///
    /// What was applied before the failure is only a part of what was asked.
    pub fn effect_of_failure(&self) -> Effect {
        match self.effect.load(Ordering::SeqCst) {
            NONE | REPLAYED => Effect::None,
            UNKNOWN => Effect::Unknown,
            _ => Effect::Partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Meter};

    #[test]
    fn a_step_that_fails_changed_nothing() {
        let meter = Meter::default();
        assert_eq!(meter.step(|| Err::<(), _>("no room")), Err("no room"));
        assert_eq!(meter.effect_of_failure(), Effect::None);
        assert_eq!(meter.step(|| Ok::<_, ()>(1)), Ok(1));
        assert_eq!(meter.step(|| Err::<(), _>("no room")), Err("no room"));
        assert_eq!(meter.effect_of_failure(), Effect::Partial);
    }

    #[test]
    fn what_was_applied_is_not_taken_back_by_a_later_change() {
        let meter = Meter::default();
        meter.changing();
        assert_eq!(meter.effect_of_failure(), Effect::Unknown);
        meter.settled(Effect::None);
        assert_eq!(meter.effect_of_failure(), Effect::None);
        assert_eq!(meter.step(|| Ok::<_, ()>(())), Ok(()));
        for later in [Effect::None, Effect::Replayed] {
            meter.changing();
            meter.changing();
            meter.settled(later);
            assert_eq!(meter.effect_of_failure(), Effect::Partial);
        }
    }

    #[test]
    fn nothing_begins_after_a_halt() {
        let meter = Meter::default();
        assert_eq!(meter.halt(), Effect::None);
        let (other, (sender, receiver)) = (meter.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            other.changing();
            sender.send(()).expect("somebody listens");
        });
        let waited = receiver.recv_timeout(super::Duration::from_millis(50));
        assert!(waited.is_err(), "the change must not begin");
        assert_eq!(meter.effect_of_failure(), Effect::None);
    }

    #[test]
    fn a_halt_waits_for_the_step_under_way() {
        let meter = Meter::default();
        let (other, (sender, receiver)) = (meter.clone(), std::sync::mpsc::channel());
        let stepping = std::thread::spawn(move || {
            other.step(|| {
                sender.send(()).expect("somebody listens");
                super::clock::block(super::Duration::from_millis(20));
                Ok::<_, ()>(())
            })
        });
        receiver.recv().expect("the step has begun");
        assert_eq!(meter.halt(), Effect::Partial);
        assert_eq!(stepping.join().expect("it ended"), Ok(()));
    }
}
