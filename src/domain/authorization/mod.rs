//! Calls that wait for a person and then run once.
//!
//! Every primitive is in scopes ([`Scope`](crate::contract::Scope)), and the configuration says which scopes need a grant
//! (`policy`). A call in one of them comes to [`admit`] before it runs:
//!
//! 1. Where nothing lets it through it is recorded as a request and refused. The same call again finds the same request:
//!    it is known by the digest of its primitive and input, of what the primitive takes in this version, and of its folder where
//!    what it does depends on that.
//! 2. A person lets it through (`decide`), having shown to be one (`approver`): that one request, or so many calls of a scope.
//! 3. The next time it comes, by itself or as `resume-call`, one transaction counts the use and records that it has begun.
//!    A lock of its digest is held until its end, so of any number at once one runs. Those that waited get its answer.
//! 4. Its end is recorded with what came of it, which `resume-call` answers from then on.
//!
//! A process that dies between 3 and 4 leaves a call that has begun and whose lock is free. The next one takes it up: it runs
//! again without another use. Calls are idempotent by themselves, so what the first one did is found and not done twice; a
//! grant is for one such call until it has succeeded, not for one attempt at it. The lock is one of this machine: where
//! several machines share a database, two that are sent the same call at once may both run it, as they may today.
//!
//! Time is read inside the transactions, and everything that happens is in the audit log in the same ones.

mod admit;
mod approver;
mod decide;
mod error;
mod grant;
mod minutes;
mod model;
mod outcome;
mod policy;
mod records;
mod standing;
mod table;

pub(crate) use admit::{Admission, Execution, Resumption, admit, resume, settle};
pub(crate) use approver::{Question, verify};
pub(crate) use decide::{approve, reject, revoke};
pub(crate) use error::Error;
pub(crate) use grant::{Terms, grant_scope};
pub(crate) use minutes::{masked, noted, shown};
pub(crate) use model::{Authorization, Decision, Outcome, Request, State, Via};
pub(crate) use policy::{any_is_needed, has_key, is_needed};
pub(crate) use records::{find_request, list_authorizations, waiting};
pub(crate) use table::{AUTHORIZATIONS, REQUESTS};
