//! `check-store`: whether the database is whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure},
    primitives::Primitive,
    system::Context,
};

/// Checks every page, index, table and row of the database; of one on a server every table and row.
///
/// A damaged database is the failure `store_damaged`, here as in every other call: it is never replaced by an empty
/// one, and a copy of it is set aside first. Where the file is whole and some of its rows or tables are not as legwork
/// writes them, all of those are named; lists go on to show the other rows.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// A database that is whole.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The database file, or which database on which server.
    pub(crate) path: String,
    /// The version of its schema.
    pub(crate) version: i64,
    /// Its size; on a server with what belongs to it there.
    pub(crate) size_bytes: u64,
    /// Rows in all its tables, every one of which was read.
    pub(crate) rows: u64,
}

/// Carries the declaration of `check-store`.
pub(crate) struct CheckStore;

impl Primitive for CheckStore {
    const NAME: &'static str = "check-store";
    const SUMMARY: &'static str = "Check that the database is whole";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {}]
    }

    async fn run(context: &Context, _input: Input) -> Result<Answer<Output>, Failure> {
        let found = context.store()?.check()?;
        Ok(Answer::read(Output {
            path: found.path.display().to_string(),
            version: found.version,
            size_bytes: found.bytes,
            rows: found.rows,
        }))
    }
}
