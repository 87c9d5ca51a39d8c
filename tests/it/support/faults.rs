//! Faults, collected to be shown together.

use std::sync::{Mutex, PoisonError};

/// What a test found wrong so far.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<String>>);

impl Faults {
    /// Notes one.
    pub(crate) fn note(&self, fault: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault.into());
    }

    /// Notes one unless something holds.
    pub(crate) fn unless(&self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.note(fault());
        }
    }

    /// Fails the test where there are any.
    #[track_caller]
    pub(crate) fn none(self) {
        let found = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert!(
            found.is_empty(),
            "{} faults:\n  {}",
            found.len(),
            found.join("\n  ")
        );
    }
}
