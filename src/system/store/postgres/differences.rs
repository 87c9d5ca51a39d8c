//! In what the database differs from the schema as the steps make it.

use std::collections::BTreeMap;

use super::{
    super::{Connection, Damage, Fault, Schema, schema},
    Session, dialect,
};

/// Lists tables and indexes of a schema of the server, whose number `?1` is, by name: its table and what it is like.
///
/// `\x1f` stands between the parts, and between the columns.
const OBJECTS: &str = "
    SELECT c.relname || chr(31) || c.relname || chr(31) || string_agg(
               a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull, ', '
               ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace::bigint = ?1 GROUP BY c.relname
    UNION ALL
    SELECT i.relname || chr(31) || t.relname || chr(31) || x.indisunique || ' ' || string_agg(
               a.attname, ', ' ORDER BY array_position(x.indkey::int2[], a.attnum))
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (x.indkey::int2[])
    WHERE t.relnamespace::bigint = ?1 GROUP BY i.relname, t.relname, x.indisunique";

/// The place of legwork's tables.
const HERE: &str =
    "SELECT relnamespace::bigint FROM pg_class WHERE oid = to_regclass('legwork_schema')";

/// The place of tables of this session alone.
const MODEL: &str = "SELECT pg_my_temp_schema()::bigint";

/// Lists what the database lacks of its schema, or has otherwise. What it has besides does no harm.
///
/// The tables as they ought to be are made as temporary ones, and never committed. Leaves a transaction open where it fails.
pub(super) fn differences(session: &Session, schema: Schema) -> Result<Vec<Damage>, Fault> {
    let connection = Connection::postgres(session);
    let here = connection.number(HERE, &[])?;
    let found = here.map_or_else(|| Ok(BTreeMap::new()), |here| objects(&connection, here))?;
    session.batch("BEGIN; SET LOCAL search_path TO pg_temp")?;
    for migration in schema {
        for statements in schema::statements(migration) {
            session.batch(&dialect::declaration(statements))?;
        }
    }
    let model = connection.number(MODEL, &[])?.unwrap_or(0);
    let wanted = objects(&connection, model)?;
    session.batch("ROLLBACK")?;
    Ok(wanted
        .into_iter()
        .filter_map(|(name, wanted)| {
            let is_table = wanted.table == name;
            let reason = match found.get(&name) {
                Some(there) if *there == wanted => return None,
                None if is_table => "it is gone".to_owned(),
                None => format!("its index {name} is gone"),
                Some(_) if is_table => "its columns are not as legwork made them".to_owned(),
                Some(_) => format!("its index {name} is not as legwork made it"),
            };
            Some(Damage::of_table(&wanted.table, reason))
        })
        .collect())
}

#[derive(Debug, PartialEq, Eq)]
struct Object {
    table: String,
    shape: String,
}

fn objects(connection: &Connection<'_>, place: i64) -> Result<BTreeMap<String, Object>, Fault> {
    let listed = connection.texts(OBJECTS, &[place.into()])?;
    Ok(listed
        .iter()
        .filter_map(|line| {
            let mut parts = line.split('\u{1f}').map(str::to_owned);
            let name = parts.next()?;
            let (table, shape) = (parts.next()?, parts.next()?);
            Some((name, Object { table, shape }))
        })
        .collect())
}
