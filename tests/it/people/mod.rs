//! What is for people: help, completions, the manual, `--pretty`, progress.

mod completions;
mod help;
mod manual;
mod page;
mod pretty;
mod progress;
