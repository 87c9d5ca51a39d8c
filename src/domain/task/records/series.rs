//! Tasks that come again.

use super::super::{
    id::TaskId,
    model::Series,
    table::{self, SERIES},
};
use crate::system::store::{Connection, Fault};

/// Finds a series by its first task.
pub(crate) fn series(connection: &Connection<'_>, first: &TaskId) -> Result<Option<Series>, Fault> {
    one(connection, "series", first.as_str())
}

/// Finds a series by the key under which it was enqueued.
pub(crate) fn series_by_key(
    connection: &Connection<'_>,
    key: &str,
) -> Result<Option<Series>, Fault> {
    one(connection, "idempotency_key", key)
}

fn one(connection: &Connection<'_>, column: &str, value: &str) -> Result<Option<Series>, Fault> {
    let statement = format!(
        "SELECT series, idempotency_key, newest, record FROM task_series WHERE {column} = ?1"
    );
    SERIES.one(connection, &statement, &[value.into()], table::series)
}

/// Writes a series, new or over what was there of it.
pub(crate) fn put_series(connection: &Connection<'_>, series: &Series) -> Result<(), Fault> {
    // A row whose first task cannot be read keeps its key from nobody.
    connection.execute(
        "DELETE FROM task_series WHERE idempotency_key = ?1 AND series <> ?2",
        &[
            (&series.idempotency_key).into(),
            series.series.as_str().into(),
        ],
    )?;
    connection.execute(
        "INSERT INTO task_series (series, idempotency_key, newest, record) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (series) DO UPDATE SET newest = excluded.newest, record = excluded.record",
        &[
            series.series.as_str().into(),
            (&series.idempotency_key).into(),
            series.newest.as_str().into(),
            (&serde_json::to_string(series)?).into(),
        ],
    )?;
    Ok(())
}

/// Removes the series of which a task is the last; one that goes on has a last task that has not ended.
pub(crate) fn delete_series(connection: &Connection<'_>, newest: &TaskId) -> Result<(), Fault> {
    connection.execute(
        "DELETE FROM task_series WHERE newest = ?1",
        &[newest.as_str().into()],
    )?;
    Ok(())
}
