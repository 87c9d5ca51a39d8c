//! Answers for eyes: the envelope as somebody at a terminal would have it told.

mod diff;
mod envelope;
mod sheet;
mod table;
mod value;

pub(super) use envelope::render;
