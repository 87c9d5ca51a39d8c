//! Answers for people: the envelope laid out for a terminal.

mod diff;
mod envelope;
mod table;
mod value;
mod writer;

pub(super) use envelope::render;
