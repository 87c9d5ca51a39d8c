//! In what a database differs from the schema as the steps make it.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::{
    Damage, Schema,
    schema::{self, Migration},
};

/// Takes one step.
pub(super) fn carry_out(migration: &Migration, connection: &Connection) -> rusqlite::Result<()> {
    schema::statements(migration).try_for_each(|statements| connection.execute_batch(statements))
}

/// Lists what a database lacks of its schema, or has otherwise. What it has besides does no harm.
pub(super) fn differences(
    schema: Schema,
    connection: &Connection,
) -> rusqlite::Result<Vec<Damage>> {
    let model = Connection::open_in_memory()?;
    for migration in schema {
        carry_out(migration, &model)?;
    }
    let found = objects(connection)?;
    Ok(objects(&model)?
        .into_iter()
        .filter_map(|(name, wanted)| {
            let reason = match found.get(&name) {
                None if wanted.table == name => "it is gone".to_owned(),
                None => format!("its index {name} is gone"),
                Some(there) if *there == wanted => return None,
                Some(_) if wanted.table == name => {
                    "its columns are not as legwork made them".to_owned()
                }
                Some(_) => format!("its index {name} is not as legwork made it"),
            };
            Some(Damage::of_table(&wanted.table, reason))
        })
        .collect())
}

#[derive(Debug, PartialEq, Eq)]
struct Object {
    table: String,
    columns: Vec<String>,
}

/// Lists tables and indexes by name, each with its columns: for a table their types and constraints too.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Object>> {
    let mut listed = connection.prepare(
        "SELECT name, tbl_name, type FROM sqlite_schema WHERE type IN ('table', 'index')
         AND (type = 'index' OR name NOT LIKE 'sqlite\\_%' ESCAPE '\\')",
    )?;
    let names: Vec<(String, String, String)> = listed
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    names
        .into_iter()
        .map(|(name, table, kind)| {
            let statement = if kind == "table" { OF_TABLE } else { OF_INDEX };
            let columns = connection
                .prepare(statement)?
                .query_map([&name, &table], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((name, Object { table, columns }))
        })
        .collect()
}

/// The columns of the table `?1`, and whether it keeps to their types.
const OF_TABLE: &str = "
    SELECT printf('%s %s %d %d %d', c.name, c.type, c.\"notnull\", c.pk, l.strict)
    FROM pragma_table_info(?1) c JOIN pragma_table_list(?2) l ORDER BY c.cid";

/// The columns of the index `?1` of the table `?2`, and whether it is unique.
const OF_INDEX: &str = "
    SELECT printf('%s %d', c.name, l.\"unique\")
    FROM pragma_index_info(?1) c JOIN pragma_index_list(?2) l ON l.name = ?1 ORDER BY c.seqno";

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{
        super::super::{
            Table,
            schema::{Migration, tables},
        },
        Damage, Schema, carry_out, differences,
    };

    static THINGS: Table = Table {
        name: "things",
        key: &["name"],
        create: "CREATE TABLE things (name TEXT PRIMARY KEY, number INTEGER) STRICT;
                 CREATE UNIQUE INDEX things_by_number ON things (number);",
        check: |row| row.text("name").map(drop),
    };
    static HISTORY: Schema = &[
        Migration::Tables(&[&THINGS]),
        Migration::Statements("ALTER TABLE things ADD COLUMN colour TEXT"),
    ];

    fn made() -> Connection {
        let connection = Connection::open_in_memory().expect("a database");
        for migration in HISTORY {
            carry_out(migration, &connection).expect("a step");
        }
        connection
    }

    #[test]
    fn what_a_database_lacks_of_its_schema_is_named() {
        assert_eq!(tables(HISTORY).count(), 1);
        for (damage, wanted) in [
            (
                "CREATE TABLE more (name); CREATE INDEX extra ON things (colour)",
                &[][..],
            ),
            (
                "DROP INDEX things_by_number",
                &["its index things_by_number is gone"],
            ),
            (
                "DROP INDEX things_by_number; CREATE INDEX things_by_number ON things (number)",
                &["its index things_by_number is not as legwork made it"],
            ),
            (
                "ALTER TABLE things DROP COLUMN colour",
                &["its columns are not as legwork made them"],
            ),
            (
                "DROP TABLE things",
                &[
                    "its index sqlite_autoindex_things_1 is gone",
                    "it is gone",
                    "its index things_by_number is gone",
                ],
            ),
        ] {
            let connection = made();
            connection.execute_batch(damage).expect(damage);
            let found = differences(HISTORY, &connection).expect("a comparison");
            let wanted: Vec<Damage> = wanted
                .iter()
                .map(|reason| Damage::of_table("things", *reason))
                .collect();
            assert_eq!(found, wanted, "{damage}");
        }
    }
}
