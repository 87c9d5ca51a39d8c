//! The embedded engine: one `SQLite` file below the home.

mod create;
mod differences;
mod engine;
mod turn;

pub(super) use engine::Sqlite;
