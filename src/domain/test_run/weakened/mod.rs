//! What a diff takes from tests: those it removes, empties or skips, and what they no longer assert.
//!
//! Files are compared whole, before and after, test by test; a test that was moved or renamed and asserts what it did is
//! not weaker. The languages are read as far as this needs: names, extents, marks that skip, statements that assert.

mod braces;
mod compare;
mod language;
mod mask;
mod python;
mod shell;
#[cfg(test)]
mod tests;

pub(crate) use compare::{WeakeningKind, weakened};
