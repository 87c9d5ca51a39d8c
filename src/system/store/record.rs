//! A row of a table, read so that what cannot be read is named.
//!
//! A row may have been edited by hand, restored from an old copy or hit by a bug. One such row must not make a list
//! unusable, must never be passed over in silence, and is no bug of the statement that met it. So every row is read
//! through a [`Record`], which turns a value of the wrong type, text that is no JSON, an unknown word or a number out
//! of range into a [`Damage`] that names table, row and column.

use std::cell::Cell;

use serde::de::DeserializeOwned;

use super::{Damage, Fault, Value, row::Row, value::Place};

/// The most characters that are repeated of what a row holds.
const SHOWN: usize = 200;

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The table, and the columns that say which row of it this is.
    table: (&'static str, &'static [&'static str]),
    row: Row<'a>,
    /// Its columns, looked up here: the engines look them up more slowly.
    columns: &'a [String],
    /// The column after the one that was read last. Most rows are read in the order of their columns.
    next: Cell<usize>,
}

impl<'a> Record<'a> {
    /// Names a row of a table, which has this name and key.
    pub(super) const fn new(
        table: (&'static str, &'static [&'static str]),
        row: Row<'a>,
        columns: &'a [String],
    ) -> Self {
        Self {
            table,
            row,
            columns,
            next: Cell::new(0),
        }
    }

    /// Reads a text.
    pub(crate) fn text(&self, column: &str) -> Result<String, Fault> {
        self.text_in_place(column).map(str::to_owned)
    }

    fn text_in_place(&self, column: &str) -> Result<&'a str, Fault> {
        let value = self.value(column)?;
        value
            .text()
            .ok_or_else(|| self.misplaced(column, value, "text"))
    }

    fn misplaced(&self, column: &str, found: Value<'_>, wanted: &str) -> Fault {
        self.damaged(column, format!("{} in place of {wanted}", found.kind()))
    }

    /// Reads a text, or nothing where the column is empty.
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, Fault> {
        let value = self.value(column)?;
        if value == Value::Null {
            return Ok(None);
        }
        match value.text() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.misplaced(column, value, "text")),
        }
    }

    /// Reads hexadecimal digits, so many of them.
    pub(crate) fn digits(&self, column: &str, count: usize) -> Result<String, Fault> {
        let text = self.text(column)?;
        if text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(text)
        } else {
            Err(self.damaged(column, format!("not {count} hexadecimal digits")))
        }
    }

    /// Reads a number.
    pub(crate) fn number(&self, column: &str) -> Result<i64, Fault> {
        let value = self.value(column)?;
        value
            .integer()
            .ok_or_else(|| self.misplaced(column, value, "a number"))
    }

    /// Reads a number, or nothing where the column is empty.
    pub(crate) fn optional_number(&self, column: &str) -> Result<Option<i64>, Fault> {
        if self.value(column)? == Value::Null {
            return Ok(None);
        }
        self.number(column).map(Some)
    }

    /// Reads a yes or no, stored as 1 or 0.
    pub(crate) fn flag(&self, column: &str) -> Result<bool, Fault> {
        match self.number(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.damaged(column, format!("{other} is neither 0 nor 1"))),
        }
    }

    /// Reads a time, stored as RFC 3339.
    pub(crate) fn time(&self, column: &str) -> Result<String, Fault> {
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
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Fault> {
        serde_json::from_str(self.text_in_place(column)?)
            .map_err(|error| self.damaged(column, error))
    }

    /// Reads a word or name of a closed set, as it stands in JSON without its quotes.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T, Fault> {
        serde_json::from_value(self.text(column)?.into())
            .map_err(|error| self.damaged(column, error))
    }

    /// Checks that a column, by which rows are found, says the same as the record beside it.
    pub(crate) fn agrees(&self, column: &str, recorded: &str) -> Result<(), Fault> {
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
    pub(crate) fn damaged(&self, column: &str, reason: impl std::fmt::Display) -> Fault {
        let reason: String = format!("{column}: {reason}").chars().take(SHOWN).collect();
        Damage {
            table: self.table.0.to_owned(),
            row: Some(self.key()),
            reason,
        }
        .into()
    }

    /// Copies the columns by which a list is ordered.
    pub(super) fn place(&self, order: &[&str]) -> Result<Place, Fault> {
        order
            .iter()
            .map(|column| self.value(column).map(Value::to_key))
            .collect()
    }

    fn value(&self, column: &str) -> Result<Value<'a>, Fault> {
        let next = self.next.get();
        let is_it = |name: &String| name == column;
        let found = match self.columns.get(next) {
            Some(name) if is_it(name) => Some(next),
            _ => self.columns.iter().position(is_it),
        };
        // A query that does not select what is read of it is a bug, and meets the first test.
        let index = found.ok_or_else(|| Fault::unselected(column))?;
        self.next.set(index + 1);
        self.row.value(index)
    }

    /// Returns the key of the row as text, each column of it as far as it can be shown.
    fn key(&self) -> String {
        let shown = |column: &&str| match self.value(column) {
            Ok(Value::Text(text)) => text.to_owned(),
            Ok(Value::Bytes(bytes)) if std::str::from_utf8(bytes).is_err() => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            Ok(Value::Integer(number)) => number.to_string(),
            Ok(other) => other.kind().to_owned(),
            Err(_) => "?".to_owned(),
        };
        let parts: Vec<String> = self.table.1.iter().map(shown).collect();
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

#[cfg(test)]
mod tests {
    use super::is_plain_time;

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
}
