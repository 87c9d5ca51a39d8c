//! The one error shape that leaves a primitive.

use std::any::Any;

use super::{Code, Effect, Next, Retry, details::Details};

/// What went wrong, in a form a program can act on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The stable name of this failure.
    pub code: Code,
    /// One sentence for a reader; never parsed.
    pub message: String,
    /// One sentence with the concrete next step.
    pub remediation: String,
    /// Facts in the fixed shape of the code.
    pub details: Details,
    /// When and how to try again.
    pub retry: Retry,
    /// The calls that usually follow.
    pub next: Vec<Next>,
    /// What the call did, where the failing operation knows better than the call's own record.
    pub effect: Option<Effect>,
}

impl Failure {
    /// Creates a failure with the code's own retry advice and no details.
    pub fn new(code: Code, message: impl Into<String>, remediation: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remediation: remediation.into(),
            details: Details::NONE,
            retry: code.retry(),
            next: Vec::new(),
            effect: None,
        }
    }

    /// Creates the failure for a broken invariant of this program.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(
            Code::Internal,
            message,
            "Report this with the message and the version; it is a bug in legwork.",
        )
    }

    /// Creates the failure of a call that panicked, with the panic's message.
    pub fn panicked(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("the panic has no message");
        Self::internal(format!("legwork panicked: {message}"))
    }

    /// Adds facts.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = details;
        self
    }

    /// Adds a call that usually follows.
    #[must_use]
    pub fn with_next(mut self, next: Next) -> Self {
        self.next.push(next);
        self
    }

    /// States what the call did to the world.
    #[must_use]
    pub const fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }
}
