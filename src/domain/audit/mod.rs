//! The audit log: what was asked of people, what they decided, and what then ran.
//!
//! Entries are only ever appended, in the transaction of what they tell of. Each holds the digest of the one before, so
//! that one which was changed, taken out or moved does not fit its neighbours any more; the number and digest of the newest
//! stand a second time beside the log, so that its end cannot be cut off unseen either. Who can write the database can write
//! a whole new log: against that only a digest helps that was noted elsewhere (`known_digest` of `list-audit`).

mod error;
mod model;
mod records;
mod table;
mod verify;

pub(crate) use error::Error;
pub(crate) use model::{Event, Head, Note};
pub(crate) use records::{append, head, list};
pub(crate) use table::{AUDIT, AUDIT_HEAD};
pub(crate) use verify::{Verified, verify};
