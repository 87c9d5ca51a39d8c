//! The database, durable before it answers: one narrow interface, and the engines behind it.

mod connection;
mod damage;
mod database;
mod error;
mod fault;
mod record;
mod row;
mod schema;
mod sqlite;
mod table;
mod value;
mod written;

pub(crate) use connection::Connection;
pub(crate) use damage::Damage;
pub(crate) use database::Store;
pub(crate) use error::Error;
pub(crate) use fault::Fault;
pub(crate) use record::Record;
pub(crate) use schema::{Migration, Schema};
pub(crate) use table::{Page, Rows, Table};
pub(crate) use value::{Key, Value};
pub(crate) use written::Written;
