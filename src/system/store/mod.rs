//! The database: one `SQLite` file, durable before it answers.

mod damage;
mod database;
mod error;
mod schema;
mod table;

pub(crate) use damage::Damage;
pub(crate) use database::{Store, Written};
pub(crate) use error::Error;
pub(crate) use schema::{Migration, Schema};
pub(crate) use table::{Page, Record, Rows, Table};
