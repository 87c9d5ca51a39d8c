//! What crosses the wire: words, cursors, bounds, and inputs that fit.

mod bounds;
mod cursors;
mod inputs;
mod words;
