//! The published schemas in the hands of strangers: validators and generators of types that nobody here wrote.

mod cases;
mod types;

mod validators;
