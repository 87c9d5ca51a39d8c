//! What a call has done so far: round trips, and its effect on the world.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

use crate::contract::Effect;

/// Counts what a call does, also for whoever must answer in its place when it is interrupted.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    round_trips: Arc<AtomicU64>,
    effect: Arc<AtomicU8>,
    has_applied: Arc<AtomicBool>,
}

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
    pub(crate) fn changing(&self) {
        self.effect.store(1, Ordering::SeqCst);
    }

    /// Notes what came of the change.
    ///
    /// A call of several parts settles each of them: what one part has applied stays applied when a later one does
    /// nothing.
    pub(crate) fn settled(&self, effect: Effect) {
        if matches!(effect, Effect::Applied | Effect::Partial) {
            self.has_applied.store(true, Ordering::SeqCst);
        }
        let value = match effect {
            Effect::None => 0,
            Effect::Unknown => 1,
            Effect::Applied => 2,
            Effect::Replayed => 3,
            Effect::Partial => 4,
        };
        self.effect.store(value, Ordering::SeqCst);
    }

    /// Returns what a failure now would have to say of the call's effect.
    ///
    /// What was applied before the failure is only a part of what was asked.
    pub fn effect_of_failure(&self) -> Effect {
        match self.effect.load(Ordering::SeqCst) {
            1 => Effect::Unknown,
            _ if self.has_applied.load(Ordering::SeqCst) => Effect::Partial,
            0 | 3 => Effect::None,
            _ => Effect::Partial,
        }
    }
}
