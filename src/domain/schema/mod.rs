//! The schema of the database: which nouns keep tables, in the order in which they came.

mod history;

pub(crate) use history::HISTORY;
