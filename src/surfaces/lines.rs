//! Lines of JSON as services read them: of bounded length, and with the id also where the rest cannot be read.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use crate::contract::MAX_INPUT_BYTES;

/// A line may have this many bytes.
pub(super) const LONGEST: usize = MAX_INPUT_BYTES as usize;

/// How many bytes from the start and the end of a line that is too long are kept, to find its id in.
const KEPT: usize = 1 << 12;

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// It was too long; this is its start and its end.
    TooLong(Vec<u8>, Vec<u8>),
}

impl Line {
    /// Returns the id of the object on the line, also where the line is too long or no JSON.
    pub(super) fn id(&self) -> Option<Value> {
        match self {
            Self::Whole(bytes) => first_id(bytes),
            Self::TooLong(start, end) => first_id(start).or_else(|| last_id(end)),
        }
    }
}

/// Reads up to the next end of a line; nothing at the end of the input.
pub(super) async fn read_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    longest: usize,
) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut start = None;
    loop {
        let available = reader.fill_buf().await?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available.get(..end.unwrap_or(available.len()));
        let part = part.unwrap_or_default();
        let at_end = available.is_empty();
        if at_end && line.is_empty() && start.is_none() {
            return Ok(None);
        }
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if start.is_some() || line.len() > longest {
            if start.is_none() {
                start = Some(
                    line.get(..KEPT.min(line.len()))
                        .unwrap_or_default()
                        .to_vec(),
                );
            }
            let surplus = line.len().saturating_sub(KEPT);
            line.drain(..surplus);
            line.shrink_to(1 << 17);
        }
        if at_end || end.is_some() {
            return Ok(Some(match start {
                None => Line::Whole(line),
                Some(start) => Line::TooLong(start, line),
            }));
        }
    }
}

/// Finds the id among the fields of the object that bytes begin with, up to where they are no JSON any more.
fn first_id(bytes: &[u8]) -> Option<Value> {
    let mut at = skip_blanks(bytes, 0);
    if *bytes.get(at)? != b'{' {
        return None;
    }
    loop {
        at = skip_blanks(bytes, at + 1);
        let end = skip_value(bytes, at)?;
        let is_id = bytes.get(at..end)? == b"\"id\"";
        at = skip_blanks(bytes, end);
        if *bytes.get(at)? != b':' {
            return None;
        }
        at = skip_blanks(bytes, at + 1);
        let end = skip_value(bytes, at)?;
        if is_id {
            return scalar(bytes.get(at..end)?);
        }
        at = skip_blanks(bytes, end);
        if *bytes.get(at)? != b',' {
            return None;
        }
    }
}

/// Finds the id that is the last field of the object that bytes end with.
fn last_id(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
    let begin = if let Some(text) = bytes.strip_suffix(b"\"") {
        text.iter().rposition(|byte| *byte == b'"')?
    } else {
        let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
        bytes.iter().rposition(|byte| !is_number(byte))? + 1
    };
    let before = bytes.get(..begin)?.trim_ascii_end().strip_suffix(b":")?;
    let before = before.trim_ascii_end().strip_suffix(b"\"id\"")?;
    matches!(before.trim_ascii_end().last(), Some(b',' | b'{')).then_some(())?;
    scalar(bytes.get(begin..)?)
}

/// Reads what may be an id: a text or a number.
fn scalar(bytes: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    (value.is_string() || value.is_number()).then_some(value)
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

/// Returns where a value ends; nothing where it does not end.
fn skip_value(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut depth, mut in_text) = (from, 0_usize, false);
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => {
                in_text = !in_text;
                if !in_text && depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' | b':' | b'}' | b']' if depth == 0 => return (at > from).then_some(at),
            _ if byte.is_ascii_whitespace() && depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Line, read_line};
    use serde_json::json;

    async fn all(mut input: &[u8], longest: usize) -> Vec<Line> {
        let mut read = Vec::new();
        while let Some(line) = read_line(&mut input, longest).await.expect("readable") {
            read.push(line);
        }
        read
    }

    #[tokio::test]
    async fn lines_of_any_length_end_where_they_end() {
        let whole = |text: &str| Line::Whole(text.into());
        let long = |text: &str| Line::TooLong(text.into(), text.into());
        assert_eq!(
            all(b"one\n\n0123456789\ntwo\nlast", 5).await,
            [
                whole("one"),
                whole(""),
                long("0123456789"),
                whole("two"),
                whole("last")
            ]
        );
    }

    #[tokio::test]
    async fn the_id_of_a_line_is_found_though_the_rest_is_too_long_or_wrong() {
        let filler = "x".repeat(3 * KEPT);
        for (line, id) in [
            (
                r#"{"id": 7, "input": {"text": "FILLER"}}"#.to_owned(),
                json!(7),
            ),
            (
                r#"{"input": {"text": "FILLER"}, "id" : "a b" }"#.to_owned(),
                json!("a b"),
            ),
            (
                r#"{"input": {"text": "FILLER", "id": 7}}"#.to_owned(),
                json!(null),
            ),
            (r#"{"input": "FILLER \"id\":7}"}"#.to_owned(), json!(null)),
            (r#"["FILLER", {"id": 7}]"#.to_owned(), json!(null)),
        ] {
            let line = line.replace("FILLER", &filler);
            let read = all(line.as_bytes(), 100).await;
            assert!(matches!(read.as_slice(), [Line::TooLong(..)]));
            assert_eq!(read[0].id().unwrap_or_default(), id);
        }
        for (line, id) in [
            (r#"{"id":5,"text":"\ud83d"}"#, json!(5)),
            (r#"{"text":"\"id\":1","x":[{"id":2}],"id":3"#, json!(null)),
            (r#"{"text":"\"id\":1","x":[{"id":2}],"id":3,"#, json!(3)),
            (r#"{"id":18446744073709551615}"#, json!(u64::MAX)),
            (r#"{"id":{}}"#, json!(null)),
            ("no json", json!(null)),
            ("", json!(null)),
        ] {
            let found = Line::Whole(line.into()).id().unwrap_or_default();
            assert_eq!(found, id, "{line}");
        }
    }
}
