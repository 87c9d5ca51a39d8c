//! Tables as their nouns declare them, and reading what a query finds of them.
//!
//! Every row is read through a [`Record`], so that what cannot be read is named and the rest goes on. `check-store`
//! reads all rows of all tables by [`Table::check`], with the same functions the calls use.

use super::{
    Connection, Damage, Fault, Record, Value,
    row::Row,
    value::{Key, Place},
};

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
    pub(crate) check: fn(&Record<'_>) -> Result<(), Fault>,
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

impl<T> Page<T> {
    /// Returns the number of the last row, of a list that is ordered by one.
    pub(crate) fn last_number(&self) -> Option<i64> {
        match self.last.as_deref() {
            Some([Key::Number(number)]) => Some(*number),
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
    const fn record<'a>(&'static self, row: Row<'a>, columns: &'a [String]) -> Record<'a> {
        Record::new((self.name, self.key), row, columns)
    }

    /// Reads the first row that a query finds, nothing where it finds none.
    ///
    /// The query must select the columns of the table's key.
    pub(crate) fn one<T>(
        &'static self,
        connection: &Connection<'_>,
        statement: &str,
        parameters: &[Value<'_>],
        read: impl FnOnce(&Record<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        connection.query(statement, parameters, |columns, mut found| {
            found
                .next()?
                .map(|row| read(&self.record(row, columns)))
                .transpose()
        })
    }

    /// Reads all rows that a query finds.
    ///
    /// The query must select the columns of the table's key.
    pub(crate) fn rows<T>(
        &'static self,
        connection: &Connection<'_>,
        statement: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&Record<'_>) -> Result<T, Fault>,
    ) -> Result<Rows<T>, Fault> {
        connection.query(statement, parameters, |columns, mut found| {
            let mut rows = Rows {
                read: Vec::new(),
                damaged: Vec::new(),
            };
            while let Some(row) = found.next()? {
                match Fault::set_apart(read(&self.record(row, columns)))? {
                    Ok(one) => rows.read.push(one),
                    Err(damage) => rows.damaged.push(damage),
                }
            }
            Ok(rows)
        })
    }

    /// Reads a part of what a query finds, at most `limit` rows.
    ///
    /// The query must select the columns of the table's key and those of `order`, and find one row more than `limit`
    /// where there is one. A row that cannot be read counts as one of the part, so that a list of nothing but damage
    /// ends too.
    pub(crate) fn page<T>(
        &'static self,
        connection: &Connection<'_>,
        statement: &str,
        parameters: &[Value<'_>],
        (limit, order): (u32, &[&str]),
        read: impl Fn(&Record<'_>) -> Result<T, Fault>,
    ) -> Result<Page<T>, Fault> {
        connection.query(statement, parameters, |columns, mut found| {
            let mut page = Page {
                read: Vec::new(),
                damaged: Vec::new(),
                last: None,
                more: false,
            };
            for _ in 0..limit {
                let Some(row) = found.next()? else {
                    return Ok(page);
                };
                let record = self.record(row, columns);
                page.last = Some(record.place(order)?);
                match Fault::set_apart(read(&record))? {
                    Ok(one) => page.read.push(one),
                    Err(damage) => page.damaged.push(damage),
                }
            }
            page.more = found.next()?.is_some();
            Ok(page)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Connection, Fault, Record, Table};

    static THINGS: Table = Table {
        name: "things",
        key: &["name"],
        create: "CREATE TABLE things (name, number, record)",
        check: |record| whole(record).map(drop),
    };

    fn whole(record: &Record<'_>) -> Result<(String, i64, Vec<u8>), Fault> {
        Ok((
            record.text("name")?,
            record.number("number")?,
            record.json("record")?,
        ))
    }

    #[test]
    fn every_damaged_row_is_named_and_the_others_are_read() {
        let connection = rusqlite::Connection::open_in_memory().expect("a database");
        let connection = Connection::sqlite(&connection);
        connection.execute(THINGS.create, &[]).expect("a table");
        connection
            .execute(
                "INSERT INTO things VALUES
                    ('good', 1, '[1]'), ('json', 1, '{'), ('shape', 1, '{}'), ('type', 'x', '[]'),
                    ('null', 1, NULL), (NULL, 1, '[]'), ('bytes', 1, X'ff'), (7, 1, '[]')",
                &[],
            )
            .expect("rows");
        let rows = THINGS
            .rows(&connection, "SELECT * FROM things", &[], whole)
            .expect("rows");
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
}
