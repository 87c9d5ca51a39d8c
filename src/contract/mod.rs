//! FLOOR 0: what crosses the wire.
//!
//! Pure types: nothing here reads a file, runs a process or knows a clock.

mod answer;
mod below;
mod bounded;
mod code;
mod coded;
pub mod configuration;
mod cursor;
mod description;
pub mod details;
mod effects;
mod envelope;
mod failure;
mod identifier;
mod kind;
pub(crate) mod places;
pub mod publication;
mod reach;
mod retry;
mod scope;
pub(crate) mod text;
mod timeout;
pub mod validation;
mod violation;

pub use answer::{Answer, Next};
pub use below::Below;
pub(crate) use below::passes_on;
pub use code::Code;
pub use coded::Coded;
pub use cursor::{Cursor, InvalidCursor, Pager};
pub use description::{Chapter, Description, by_chapter, unknown_name, unknown_primitive};
pub use effects::{Effect, Effects};
pub use envelope::{Envelope, MAX_INPUT_BYTES, Meta, Refusal, Success, VERSION};
pub use failure::Failure;
pub use identifier::{InvalidName, JobId, Name};
pub use kind::Kind;
pub use reach::Reach;
pub use retry::{Mode, Retry};
pub use scope::{Scope, Scoped};
pub use timeout::Timeout;
pub use violation::{ListedViolations, Violation, Violations};
