//! Lists of objects as tables that fit the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
use serde_json::{Map, Value};

use super::{
    diff,
    value::{self, object, word},
    writer::{Style, Writer},
};
use crate::contract::text::escape;

/// More rows than this are not shown.
const MOST_ROWS: usize = 500;

/// A text of more lines than this is no cell.
const MOST_LINES: usize = 3;

/// An object of more fields than this is no cell.
const MOST_PARTS: usize = 4;

/// A cell holds no more characters than this.
const LONGEST_CELL: usize = 300;

/// A text of several words is put in a column this narrow, if need be.
const NARROWEST_TEXT: usize = 24;

/// A single word wider than this may be broken.
const WIDEST_WORD: usize = 64;

/// A line below the header, and no other.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Fewer columns than this say too little.
const FEW: usize = 2;

/// A column that may be shown.
struct Column<'a> {
    name: &'a str,
    cells: Vec<String>,
    /// Columns it cannot do without.
    needed: usize,
}

/// Writes a table with the first columns that there is room for, and below it the long texts of its rows.
///
/// A single row that does not fit is written field by field, and so are rows that hold lists of objects themselves.
///
/// Tables and values call each other, because a value may be a list of objects and a cell may be too long for a cell: the
/// two files are one recursive printer, in two files for their length.
pub(super) fn table(writer: &mut Writer, indent: usize, rows: &[&Map<String, Value>]) {
    if rows.iter().any(|row| row.values().any(holds_objects)) {
        one_by_one(writer, indent, rows);
        return;
    }
    let room = writer.room(indent);
    let shown = rows.get(..MOST_ROWS).unwrap_or(rows);
    let mut left_out = Vec::new();
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut used = 0;
    let mut long = Vec::new();
    for name in names(rows) {
        match column(name, shown) {
            _ if shown.iter().any(|row| row.get(name).is_some_and(is_long)) => long.push(name),
            Some(column) if used + column.needed + 2 <= room => {
                used += column.needed + 2;
                columns.push(column);
            }
            _ => left_out.push(name),
        }
    }
    let whole = left_out.is_empty() && long.is_empty();
    if !whole && (rows.len() == 1 || columns.len() < FEW) {
        one_by_one(writer, indent, rows);
        return;
    }
    draw(writer, indent, room, &columns);
    let more = rows.len() - shown.len();
    if more > 0 {
        let note = format!("… {more} more, which the JSON line has");
        writer.line(indent, &[(Style::Faint, &note)]);
    }
    if !left_out.is_empty() {
        let note = format!("no room for {}: see the JSON line", left_out.join(", "));
        writer.line(indent, &[(Style::Faint, &note)]);
    }
    for (number, row) in shown.iter().enumerate() {
        let first = columns.first().and_then(|column| column.cells.get(number));
        for name in &long {
            if let Some(Value::String(text)) = row.get(*name) {
                let heading = format!("{name} of {}", first.map_or("", String::as_str));
                writer.line(indent, &[(Style::Heading, &heading)]);
                value::text(writer, indent + 2, text);
            }
        }
    }
}

/// Writes all that each row says, field by field.
fn one_by_one(writer: &mut Writer, indent: usize, rows: &[&Map<String, Value>]) {
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            writer.gap();
        }
        object(writer, indent, row);
    }
}

/// Whether a value is a list of objects.
fn holds_objects(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().any(Value::is_object))
}

/// Whether a value is a text that no cell can hold without spoiling it.
fn is_long(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.trim_end().lines().count() > MOST_LINES || diff::is_diff(text)
}

/// Lists the names of fields that say something in any row; where that leaves next to nothing, those that are always null too.
fn names<'a>(rows: &[&'a Map<String, Value>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let mut silent: Vec<&str> = Vec::new();
    for (name, value) in rows.iter().flat_map(|row| row.iter()) {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        let list = if empty { &mut silent } else { &mut names };
        if !list.contains(&name.as_str()) {
            list.push(name);
        }
    }
    if names.len() < FEW {
        silent.retain(|name| !names.contains(name));
        names.append(&mut silent);
    }
    names
}

/// Makes a column; nothing where a value in it takes more than a cell.
fn column<'a>(name: &'a str, rows: &[&Map<String, Value>]) -> Option<Column<'a>> {
    let cells: Vec<String> = rows
        .iter()
        .map(|row| cell(row.get(name).unwrap_or(&Value::Null)))
        .collect::<Option<_>>()?;
    let needed = cells
        .iter()
        .map(|cell| {
            let wide = cell.chars().count();
            // What is one word may be wanted for pasting.
            let narrowest = if cell.contains(' ') {
                NARROWEST_TEXT
            } else {
                WIDEST_WORD
            };
            wide.min(narrowest)
        })
        .chain([name.chars().count()])
        .max()
        .unwrap_or(0);
    Some(Column {
        name,
        cells,
        needed,
    })
}

fn cell(value: &Value) -> Option<String> {
    let text = if let Value::String(text) = value {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    } else if value.is_null() {
        "-".to_owned()
    } else if let Some(fields) = value.as_object() {
        let parts: Option<Vec<String>> = fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| Some(format!("{name}: {}", word(value)?)))
            .collect();
        parts.filter(|parts| parts.len() <= MOST_PARTS)?.join(", ")
    } else {
        word(value)?
    };
    let text = escape(&text);
    if text.chars().count() <= LONGEST_CELL {
        return Some(text.into_owned());
    }
    let mut start: String = text.chars().take(LONGEST_CELL).collect();
    start.push('…');
    Some(start)
}

fn draw(writer: &mut Writer, indent: usize, room: usize, columns: &[Column<'_>]) {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(room).unwrap_or(u16::MAX))
        .set_header(columns.iter().map(|column| escape(column.name)));
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| {
            let cell = column.cells.get(row);
            cell.map_or("", String::as_str)
        }));
    }
    table.set_constraints(columns.iter().map(|column| {
        let needed = u16::try_from(column.needed + 1).unwrap_or(u16::MAX);
        ColumnConstraint::LowerBoundary(Width::Fixed(needed))
    }));
    for column in table.column_iter_mut() {
        // A blank between columns is there already.
        column.set_padding((0, 1));
    }
    let mut style = Style::Heading;
    for line in table.lines() {
        let rule = line.starts_with('─');
        if rule {
            style = Style::Plain;
        }
        writer.line(indent, &[(if rule { Style::Faint } else { style }, &line)]);
    }
}
