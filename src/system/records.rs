//! Records: the form in which every script answers from a host.
//!
//! A record is a line `tag key=value key=value …`. A value holds no blank. Free text is percent-encoded (blanks, line
//! breaks, `%`, a leading `@`), which a shell can do without a program, or stands as `@` and its base64. Scripts of a
//! later legwork may add tags and keys; those are ignored. Everything in a record was written on another machine: each
//! number, word and length is checked again where it is read.

use std::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::contract::{Code, Coded, details, details::Details};

/// A line of an answer that is not what its script writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's record {tag:?} cannot be read: {field} is missing or not what it may be")]
pub(crate) struct Malformed {
    /// The tag of the record, or what it should have been.
    pub(crate) tag: String,
    /// The field at fault; `record` for all of the line.
    pub(crate) field: &'static str,
    /// The beginning of the line.
    pub(crate) line: String,
}

impl Malformed {
    /// Says that a text is no record with this tag, or lacks one.
    pub(crate) fn without(tag: &str, text: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            field: "record",
            line: excerpt(text),
        }
    }
}

impl Coded for Malformed {
    fn code(&self) -> Code {
        Code::HostScriptFailed
    }

    fn remediation(&self) -> String {
        "Look at what details.stdout holds of the host's answer; `preflight` tells whether the disk there is full or the shell is unusual."
            .to_owned()
    }

    fn details(&self) -> Details {
        details::Step::new(format!("read the record {}", self.tag), &self.line, "").into()
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(400).collect()
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    tag: &'a str,
    line: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

/// Reads the records of an answer; lines that are none are left out.
pub(crate) fn records(text: &str) -> impl Iterator<Item = Record<'_>> {
    text.lines().filter_map(|line| Record::parse(line).ok())
}

impl<'a> Record<'a> {
    /// Reads a line.
    pub(crate) fn parse(line: &'a str) -> Result<Self, Malformed> {
        let line = line.trim_end_matches('\n');
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_tag = !tag.is_empty()
            && tag.len() <= 64
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if is_tag && !has_control(rest) {
            Ok(Self {
                tag,
                line,
                fields: fields(rest),
            })
        } else {
            Err(Malformed::without("", line))
        }
    }

    /// Reads a line that must have this tag.
    pub(crate) fn tagged(tag: &str, line: &'a str) -> Result<Self, Malformed> {
        match Self::parse(line) {
            Ok(record) if record.tag == tag => Ok(record),
            Ok(_) | Err(_) => Err(Malformed::without(tag, line)),
        }
    }

    /// Returns the tag.
    pub(crate) fn tag(&self) -> &'a str {
        self.tag
    }

    /// Returns all of the line.
    pub(crate) fn line(&self) -> &'a str {
        self.line
    }

    /// Notes in the log that nobody reads a record with this tag.
    pub(crate) fn ignored(&self) {
        tracing::warn!(
            tag = self.tag,
            "a host answers with a record that this version does not know"
        );
    }

    /// Says that a field is missing or is not what it may be.
    pub(crate) fn malformed(&self, field: &'static str) -> Malformed {
        Malformed {
            tag: self.tag.to_owned(),
            field,
            line: excerpt(self.line),
        }
    }

    /// Returns a value as it stands there; one that is empty counts as missing.
    pub(crate) fn text(&self, key: &'static str) -> Result<&'a str, Malformed> {
        self.raw(key)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| self.malformed(key))
    }

    /// Returns a value as it stands there; nothing where it is `-`.
    pub(crate) fn optional_text(&self, key: &'static str) -> Result<Option<&'a str>, Malformed> {
        self.text(key).map(|value| (value != "-").then_some(value))
    }

    /// Returns a value that is safe to repeat: letters, digits, dots, dashes and underscores.
    pub(crate) fn plain(&self, key: &'static str) -> Result<String, Malformed> {
        let value = self.text(key)?;
        let plain = value.len() <= 128
            && value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if plain {
            Ok(value.to_owned())
        } else {
            Err(self.malformed(key))
        }
    }

    /// Returns a value as a number, or whatever else it is read as.
    pub(crate) fn number<T: FromStr>(&self, key: &'static str) -> Result<T, Malformed> {
        self.text(key)?.parse().map_err(|_| self.malformed(key))
    }

    /// Returns a value as a number; nothing where it is `-`.
    pub(crate) fn optional_number<T: FromStr>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, Malformed> {
        self.optional_text(key)?
            .map(|value| value.parse().map_err(|_| self.malformed(key)))
            .transpose()
    }

    /// Returns a value that is `yes` or `no`.
    pub(crate) fn is(&self, key: &'static str) -> Result<bool, Malformed> {
        self.one_of(key, &[("yes", true), ("no", false)])
    }

    /// Returns what a word of a closed set stands for.
    pub(crate) fn one_of<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, Malformed> {
        let value = self.text(key)?;
        words
            .iter()
            .find(|(word, _)| *word == value)
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| self.malformed(key))
    }

    /// Returns which word of a closed set a value is.
    pub(crate) fn word(
        &self,
        key: &'static str,
        words: &[&'static str],
    ) -> Result<&'static str, Malformed> {
        let value = self.text(key)?;
        words
            .iter()
            .find(|word| **word == value)
            .copied()
            .ok_or_else(|| self.malformed(key))
    }

    /// Decodes a value that is free text; it may be empty.
    pub(crate) fn decoded(&self, key: &'static str) -> Result<String, Malformed> {
        let bytes = self.bytes(key)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Decodes a value into bytes; it may be empty.
    pub(crate) fn bytes(&self, key: &'static str) -> Result<Vec<u8>, Malformed> {
        let value = self.raw(key).ok_or_else(|| self.malformed(key))?;
        match value.strip_prefix('@') {
            Some(encoded) => STANDARD.decode(encoded).ok(),
            None => percent_decoded(value),
        }
        .ok_or_else(|| self.malformed(key))
    }

    fn raw(&self, key: &str) -> Option<&'a str> {
        self.fields
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| *value)
    }
}

/// Whether a text holds control characters. Those of ASCII are found in its bytes, without decoding.
fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_control())
        || (!text.is_ascii() && text.contains(char::is_control))
}

/// Takes the `key=value` tokens apart in one go over the bytes, for a poll reads some dozen of them for each of its jobs.
fn fields(text: &str) -> Vec<(&str, &str)> {
    let mut fields = Vec::with_capacity(32);
    let (mut begin, mut equals) = (0, None);
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match byte {
            b' ' => {
                if let Some(equals) = equals.take() {
                    fields.push((&text[begin..equals], &text[equals + 1..at]));
                }
                begin = at + 1;
            }
            b'=' if equals.is_none() => equals = Some(at),
            _ => {}
        }
    }
    fields
}

fn percent_decoded(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte == b'%' {
            let [high, low, tail @ ..] = rest else {
                return None;
            };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
            rest = tail;
        } else {
            bytes.push(*byte);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Record, records};

    #[test]
    fn values_are_read_as_what_they_may_be() {
        let record =
            Record::parse("fact name=a.b-c n=12 none=- is=yes text=a%20b%25%0a raw=@aGk= empty=")
                .expect("a record");
        assert_eq!(record.tag(), "fact");
        assert_eq!(record.plain("name").expect("a name"), "a.b-c");
        assert_eq!(record.number::<u8>("n"), Ok(12));
        assert_eq!(record.optional_number::<u8>("none"), Ok(None));
        assert_eq!(record.is("is"), Ok(true));
        assert_eq!(record.decoded("text").expect("text"), "a b%\n");
        assert_eq!(record.decoded("raw").expect("text"), "hi");
        assert_eq!(record.decoded("empty").expect("text"), "");
        assert_eq!(record.one_of("n", &[("12", 'x')]), Ok('x'));
    }

    #[test]
    fn the_field_at_fault_is_named() {
        let record = Record::parse("fact n=x s=1.5 is=maybe text=%2 raw=@* name=$(x) empty=")
            .expect("a record");
        assert_eq!(record.number::<u8>("n").expect_err("no number").field, "n");
        assert!(
            record.is("is").is_err() && record.text("empty").is_err() && record.text("no").is_err()
        );
        assert!(record.decoded("text").is_err() && record.bytes("raw").is_err());
        assert!(record.plain("name").is_err());
        assert!(record.one_of("is", &[("yes", 1)]).is_err());
    }

    #[test]
    fn what_is_no_record_is_left_out() {
        let tags: Vec<_> = records("a x=1\n\nWelcome to the cluster!\n\u{1b}[1m x=1\nb\n")
            .map(|record| record.tag().to_owned())
            .collect();
        assert_eq!(tags, ["a", "Welcome", "b"]);
        assert!(Record::parse("a x=\u{1b}").is_err() && Record::tagged("b", "a x=1").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_line_is_a_panic(line in "([a-z-]{0,9}[ =%@]?|%[0-9a-f]{0,2}|.){0,40}") {
            if let Ok(record) = Record::parse(&line) {
                drop((record.bytes("a"), record.number::<i64>("a"), record.is("a"), record.plain("a")));
            }
        }
    }
}
