//! The database: one `SQLite` file, durable before it answers.

mod database;
mod error;

pub(crate) use database::Store;
pub(crate) use error::Error;
