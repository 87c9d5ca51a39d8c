//! Tables as their nouns declare them, and their rows read so that what cannot be read is named.
//!
//! A row may have been edited by hand, restored from an old copy or hit by a bug. One such row must not make a list
//! unusable, must never be passed over in silence, and is no bug of the statement that met it. So every row is read
//! through a [`Record`], which turns a value of the wrong type, text that is no JSON, an unknown word or a number out
//! of range into a [`Damage`] that names table, row and column. `check-store` reads all rows of all tables by
//! [`Table::check`], with the same functions the calls use.

use std::{borrow::Cow, cell::Cell};

use rusqlite::{Params, Row, Statement, types::ValueRef};
use serde::de::DeserializeOwned;

use super::Damage;

/// The most characters that are repeated of what a row holds.
const SHOWN: usize = 200;

/// A table of a noun.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// The columns that say which row it is.
    pub(crate) key: &'static [&'static str],
    /// The statements that make it and its indexes in a new database.
    pub(crate) create: &'static str,
    /// Reads a row as the noun does; the error is what a call would get.
    pub(crate) check: fn(&Record<'_, '_>) -> rusqlite::Result<()>,
}

/// Rows that could be read, and what is known of the others.
#[derive(Clone, Debug)]
pub(crate) struct Rows<T> {
    /// What was read, in the order of the query.
    pub(crate) read: Vec<T>,
    /// The rows that could not be read.
    pub(crate) damaged: Vec<Damage>,
}

/// A part of a long list, in the order of the query.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    /// What was read.
    pub(crate) read: Vec<T>,
    /// The rows that could not be read.
    pub(crate) damaged: Vec<Damage>,
    /// The place of the last row, read or not, from which a next part goes on.
    pub(crate) last: Option<Place>,
    /// Whether more follows.
    pub(crate) more: bool,
}

/// The columns by which a list is ordered, of one row.
pub(crate) type Place = Vec<rusqlite::types::Value>;

impl<T> Page<T> {
    /// Returns the number of the last row, of a list that is ordered by one.
    pub(crate) fn last_number(&self) -> Option<i64> {
        match self.last.as_deref() {
            Some([rusqlite::types::Value::Integer(number)]) => Some(*number),
            _ => None,
        }
    }

    /// Says of each row that could not be read which one it is, for the warnings of an answer.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.damaged.iter().map(Damage::to_string).collect()
    }
}

impl Table {
    /// Names a row of this table, for reading its columns.
    pub(crate) fn record<'a, 'b>(&'static self, row: &'a Row<'b>) -> Record<'a, 'b> {
        let statement: &Statement<'_> = row.as_ref();
        Record {
            table: self,
            row,
            columns: Cow::Owned(names_of(statement)),
            next: Cell::new(0),
        }
    }

    /// Names a row of a query of which the columns are known.
    fn record_of<'a, 'b>(&'static self, row: &'a Row<'b>, columns: &'a [String]) -> Record<'a, 'b> {
        Record {
            table: self,
            row,
            columns: Cow::Borrowed(columns),
            next: Cell::new(0),
        }
    }

    /// Reads all rows that a query finds.
    ///
    /// The query must select the columns of the table's key.
    pub(crate) fn rows<T>(
        &'static self,
        statement: &mut Statement<'_>,
        parameters: impl Params,
        read: impl Fn(&Record<'_, '_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Rows<T>> {
        let mut rows = Rows {
            read: Vec::new(),
            damaged: Vec::new(),
        };
        let columns = names_of(statement);
        let mut found = statement.query(parameters)?;
        while let Some(row) = found.next()? {
            match Damage::set_apart(read(&self.record_of(row, &columns)))? {
                Ok(one) => rows.read.push(one),
                Err(damage) => rows.damaged.push(damage),
            }
        }
        Ok(rows)
    }
}

impl Table {
    /// Reads a part of what a query finds, at most `limit` rows.
    ///
    /// The query must select the columns of the table's key and those of `order`, and find one row more than `limit`
    /// where there is one. A row that cannot be read counts as one of the part, so that a list of nothing but damage
    /// ends too.
    pub(crate) fn page<T>(
        &'static self,
        statement: &mut Statement<'_>,
        parameters: impl Params,
        (limit, order): (u32, &[&str]),
        read: impl Fn(&Record<'_, '_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Page<T>> {
        let mut page = Page {
            read: Vec::new(),
            damaged: Vec::new(),
            last: None,
            more: false,
        };
        let columns = names_of(statement);
        let mut found = statement.query(parameters)?;
        for _ in 0..limit {
            let Some(row) = found.next()? else {
                return Ok(page);
            };
            page.last = Some(
                order
                    .iter()
                    .map(|column| row.get(*column))
                    .collect::<rusqlite::Result<_>>()?,
            );
            match Damage::set_apart(read(&self.record_of(row, &columns)))? {
                Ok(one) => page.read.push(one),
                Err(damage) => page.damaged.push(damage),
            }
        }
        page.more = found.next()?.is_some();
        Ok(page)
    }
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Record<'a, 'b> {
    table: &'static Table,
    row: &'a Row<'b>,
    /// Its columns: a name that is looked up in the statement costs more than what is read by it.
    columns: Cow<'a, [String]>,
    /// The column after the one that was read last. Most rows are read in the order of their columns.
    next: Cell<usize>,
}

/// Returns the names of the columns that a query selects.
fn names_of(statement: &Statement<'_>) -> Vec<String> {
    statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

impl Record<'_, '_> {
    /// Reads a text.
    pub(crate) fn text(&self, column: &str) -> rusqlite::Result<String> {
        self.text_in_place(column).map(str::to_owned)
    }

    fn text_in_place(&self, column: &str) -> rusqlite::Result<&str> {
        let value = self.value(column)?;
        let ValueRef::Text(bytes) = value else {
            return Err(self.damaged(column, format!("{} in place of text", kind(value))));
        };
        std::str::from_utf8(bytes).map_err(|error| self.damaged(column, error))
    }

    /// Reads a text, or nothing where the column is empty.
    pub(crate) fn optional_text(&self, column: &str) -> rusqlite::Result<Option<String>> {
        if self.value(column)? == ValueRef::Null {
            return Ok(None);
        }
        self.text(column).map(Some)
    }

    /// Reads hexadecimal digits, so many of them.
    pub(crate) fn digits(&self, column: &str, count: usize) -> rusqlite::Result<String> {
        let text = self.text(column)?;
        if text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(text)
        } else {
            Err(self.damaged(column, format!("not {count} hexadecimal digits")))
        }
    }

    /// Reads a number.
    pub(crate) fn number(&self, column: &str) -> rusqlite::Result<i64> {
        let value = self.value(column)?;
        let ValueRef::Integer(number) = value else {
            return Err(self.damaged(column, format!("{} in place of a number", kind(value))));
        };
        Ok(number)
    }

    /// Reads a yes or no, stored as 1 or 0.
    pub(crate) fn flag(&self, column: &str) -> rusqlite::Result<bool> {
        match self.number(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.damaged(column, format!("{other} is neither 0 nor 1"))),
        }
    }

    /// Reads a time, stored as RFC 3339.
    pub(crate) fn time(&self, column: &str) -> rusqlite::Result<String> {
        let text = self.text(column)?;
        if is_plain_time(&text) {
            return Ok(text);
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(_time) => Ok(text),
            Err(error) => Err(self.damaged(column, error)),
        }
    }

    /// Reads what is stored as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> rusqlite::Result<T> {
        serde_json::from_str(self.text_in_place(column)?)
            .map_err(|error| self.damaged(column, error))
    }

    /// Reads a word or name of a closed set, as it stands in JSON without its quotes.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> rusqlite::Result<T> {
        serde_json::from_value(self.text(column)?.into())
            .map_err(|error| self.damaged(column, error))
    }

    /// Checks that a column, by which rows are found, says the same as the record beside it.
    pub(crate) fn agrees(&self, column: &str, recorded: &str) -> rusqlite::Result<()> {
        let found = self.text_in_place(column)?;
        if found == recorded {
            Ok(())
        } else {
            Err(self.damaged(
                column,
                format!("{found:?}, while the record says {recorded:?}"),
            ))
        }
    }

    /// Says what is wrong with a column of this row.
    pub(crate) fn damaged(&self, column: &str, reason: impl std::fmt::Display) -> rusqlite::Error {
        let reason: String = format!("{column}: {reason}").chars().take(SHOWN).collect();
        Damage {
            table: self.table.name.to_owned(),
            row: Some(self.key()),
            reason,
        }
        .into_error()
    }

    fn value(&self, column: &str) -> rusqlite::Result<ValueRef<'_>> {
        let next = self.next.get();
        let is_it = |name: &String| name == column;
        let found = match self.columns.get(next) {
            Some(name) if is_it(name) => Some(next),
            _ => self.columns.iter().position(is_it),
        };
        let Some(index) = found else {
            return self.row.get_ref(column);
        };
        self.next.set(index + 1);
        self.row.get_ref(index)
    }

    /// Returns the key of the row as text, each column of it as far as it can be shown.
    fn key(&self) -> String {
        let shown = |column: &&str| match self.row.get_ref(*column) {
            Ok(ValueRef::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(other) => kind(other).to_owned(),
            Err(_) => "?".to_owned(),
        };
        let parts: Vec<String> = self.table.key.iter().map(shown).collect();
        parts.join("/").chars().take(SHOWN).collect()
    }
}

/// Whether a text is a time as legwork writes it, in the first 28 days of a month. Parsing costs twenty times as much.
fn is_plain_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000Z";
    let fits = |(byte, wanted): (u8, &u8)| match wanted {
        b'0' => byte.is_ascii_digit(),
        mark => byte == *mark,
    };
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(fits)
        && ("01"..="12").contains(&&text[5..7])
        && ("01"..="28").contains(&&text[8..10])
        && &text[11..13] <= "23"
        && &text[14..16] <= "59"
        && &text[17..19] <= "59"
}

const fn kind(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "a number",
        ValueRef::Real(_) => "a fraction",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "bytes",
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{Damage, Record, Table, is_plain_time};

    static THINGS: Table = Table {
        name: "things",
        key: &["name"],
        create: "CREATE TABLE things (name, number, record)",
        check: |record| whole(record).map(drop),
    };

    fn whole(record: &Record<'_, '_>) -> rusqlite::Result<(String, i64, Vec<u8>)> {
        Ok((
            record.text("name")?,
            record.number("number")?,
            record.json("record")?,
        ))
    }

    #[test]
    fn every_damaged_row_is_named_and_the_others_are_read() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(THINGS.create).expect("a table");
        connection
            .execute_batch(
                "INSERT INTO things VALUES
                    ('good', 1, '[1]'), ('json', 1, '{'), ('shape', 1, '{}'), ('type', 'x', '[]'),
                    ('null', 1, NULL), (NULL, 1, '[]'), ('bytes', 1, X'ff'), (7, 1, '[]')",
            )
            .expect("rows");
        let mut statement = connection.prepare("SELECT * FROM things").expect("a query");
        let rows = THINGS.rows(&mut statement, [], whole).expect("rows");
        assert_eq!(rows.read, [("good".to_owned(), 1, vec![1])]);
        let named: Vec<(Option<&str>, &str)> = rows
            .damaged
            .iter()
            .map(|damage| {
                let column = damage.reason.split(':').next().expect("a column");
                (damage.row.as_deref(), column)
            })
            .collect();
        assert_eq!(
            named,
            [
                (Some("json"), "record"),
                (Some("shape"), "record"),
                (Some("type"), "number"),
                (Some("null"), "record"),
                (Some("NULL"), "name"),
                (Some("bytes"), "record"),
                (Some("7"), "name"),
            ]
        );
        assert!(rows.damaged.iter().all(|damage| damage.table == "things"));
    }

    #[test]
    fn times_of_the_plain_kind_are_times() {
        for (text, plain) in [
            ("2026-02-28T23:59:59.999Z", true),
            ("2026-02-29T00:00:00.000Z", false),
            ("2026-12-31T00:00:00.000Z", false),
            ("2026-13-01T00:00:00.000Z", false),
            ("2026-00-01T00:00:00.000Z", false),
            ("2026-01-00T00:00:00.000Z", false),
            ("2026-01-01T24:00:00.000Z", false),
            ("2026-01-01T00:60:00.000Z", false),
            ("2026-01-01T00:00:60.000Z", false),
            ("2026-01-01 00:00:00.000Z", false),
            ("2026-01-01T00:00:00Z", false),
            ("2026-01-01T00:00:00.0ä0Z", false),
        ] {
            assert_eq!(is_plain_time(text), plain, "{text}");
            if plain {
                assert!(text.parse::<jiff::Timestamp>().is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn damage_passes_through_errors_of_the_database() {
        let damage = Damage::of_table("things", "it is gone");
        let error = damage.clone().into_error();
        assert_eq!(Damage::carried_by(&error), Some(&damage));
        assert_eq!(
            Damage::carried_by(&rusqlite::Error::QueryReturnedNoRows),
            None
        );
    }
}
