//! How much of a log's texts an event shows.

pub(super) use crate::contract::text::excerpt;

/// The longest text of an event, in characters.
pub(super) const TEXT: usize = 4000;
/// The longest text of a name or of a tool's input, in characters.
pub(super) const SHORT: usize = 400;
