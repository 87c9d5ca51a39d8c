//! Many calls in one process: what they share, and what each has for itself.

use std::{panic::AssertUnwindSafe, sync::OnceLock, time::Instant};

use futures_util::FutureExt as _;
use serde_json::Value;

use super::dispatch;
use crate::{
    contract::{Envelope, Failure, validation::Checker},
    registry::{ALL, Entry, Grants},
    system::{Context, limits},
};

/// What the calls of a service share.
#[derive(Debug)]
pub(super) struct Session {
    context: Context,
    grants: Grants,
    /// The input schemas made ready, in the order of the registry; each when it is first needed.
    checkers: Vec<OnceLock<Checker>>,
}

impl Session {
    /// Begins one, whose callers may do anything but what a person decides.
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            grants: Grants::OF_PROGRAMS,
            checkers: ALL.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// Lets its callers do no more than this.
    pub(super) fn granting(self, grants: Grants) -> Self {
        Self { grants, ..self }
    }

    /// Returns what its calls may reach, for what the service itself does.
    pub(super) const fn context(&self) -> &Context {
        &self.context
    }

    /// Begins a call.
    pub(super) fn begin(&self) -> Ongoing<'_> {
        #[expect(
            clippy::disallowed_methods,
            reason = "what a call cost is counted from here"
        )]
        let since = Instant::now();
        Ongoing {
            session: self,
            context: self.context.fork(),
            since,
        }
    }

    fn checker(&self, entry: &Entry) -> Option<&Checker> {
        let index = ALL
            .iter()
            .position(|other| other.about.name == entry.about.name)?;
        let checker = self.checkers.get(index)?;
        Some(checker.get_or_init(|| entry.about.checker()))
    }
}

/// A call of a session, counted by itself.
#[derive(Debug)]
pub(super) struct Ongoing<'a> {
    session: &'a Session,
    /// What the call may reach.
    pub(super) context: Context,
    /// When it began.
    pub(super) since: Instant,
}

impl Ongoing<'_> {
    /// Sends an input to a primitive and returns the envelope, whatever happens, a panic included.
    pub(super) async fn call(&self, entry: &Entry, input: Value) -> Envelope {
        let Some(checker) = self.session.checker(entry) else {
            return self.refuse(
                entry.about.name,
                Failure::internal("it is not in the registry"),
            );
        };
        let grants = &self.session.grants;
        let call = dispatch::call(grants, checker, &self.context, entry, input, self.since);
        match AssertUnwindSafe(call).catch_unwind().await {
            Ok(envelope) => envelope,
            Err(panic) => self.refuse(entry.about.name, limits::panicked(panic.as_ref())),
        }
    }

    /// Makes the envelope of a failure.
    pub(super) fn refuse(&self, name: &str, failure: Failure) -> Envelope {
        dispatch::refusal(&self.context, name, failure, self.since)
    }
}
