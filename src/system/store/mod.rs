//! The database, durable before it answers: one narrow interface, and the engines behind it.

mod connection;
mod damage;
mod database;
mod error;
mod fault;
mod postgres;
mod record;
mod row;
mod schema;
mod sqlite;
mod table;
mod value;
mod watched;
mod written;

pub(crate) use connection::Connection;
pub(crate) use damage::Damage;
pub(crate) use database::{Hold, Store};
pub(crate) use error::Error;
pub(crate) use fault::Fault;
pub(crate) use postgres::{Address, BadAddress};
pub(crate) use record::Record;
pub(crate) use schema::{Migration, Schema};
pub(crate) use table::{Page, Rows, Table};
pub(crate) use value::{Key, Value};
pub(crate) use watched::Watched;
pub(crate) use written::Written;

#[cfg(test)]
mod tests;
