//! What the read-only scripts report of a host: records of one value each, `key v=value`.

use std::str::FromStr;

use crate::system::records::records;

/// The longest value that is taken from a host, in characters.
const LONGEST: usize = 4_096;

/// The most values that are taken from a host.
const MOST: usize = 4_000;

/// The facts of one answer, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts(Vec<(String, String)>);

impl Facts {
    /// Reads an answer; a line that is no record reports nothing.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            records(text)
                .filter_map(|record| Some((record.tag().to_owned(), record.decoded("v").ok()?)))
                .filter(|(_, value)| value.chars().nth(LONGEST).is_none())
                .map(|(key, value)| (key, value.trim_end_matches('\r').to_owned()))
                .take(MOST)
                .collect(),
        )
    }

    /// Reads an answer that stands in a test as `key<TAB>value` lines, as `say` of `report.sh` is given them.
    #[cfg(test)]
    pub(crate) fn recorded(text: &str) -> Self {
        let encode = |value: &str| {
            value
                .replace('%', "%25")
                .replace(' ', "%20")
                .replace('\t', "%09")
                .replace('\r', "%0d")
                .replace('@', "%40")
        };
        let lines: Vec<String> = text
            .lines()
            .map(|line| match line.split_once('\t') {
                Some((key, value)) => format!("{key} v={}\n", encode(value)),
                None => format!("{line}\n"),
            })
            .collect();
        Self::parse(&lines.concat())
    }

    /// Returns all values of a key.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a key; one that is empty counts as missing.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == key && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    }

    /// Returns the first value of a key as a number, or whatever else it is read as.
    pub(crate) fn number<T: FromStr>(&self, key: &str) -> Option<T> {
        self.first(key)?.parse().ok()
    }

    /// Returns the first value of a key as a truth.
    pub(crate) fn truth(&self, key: &str) -> Option<bool> {
        match self.first(key)? {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// Returns all values of a key as one text.
    pub(crate) fn text(&self, key: &str) -> String {
        self.all(key).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::Facts;

    #[test]
    fn what_is_not_reported_is_not_known() {
        let facts = Facts::recorded("a\t1\nb\t\nnoise\na\t2\r\nc\tx\ty\nd\tyes\ne\tmaybe\n");
        assert_eq!(facts.number::<u64>("a"), Some(1));
        assert_eq!(facts.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(facts.first("b"), None);
        assert_eq!(facts.first("noise"), None);
        assert_eq!(facts.first("c"), Some("x\ty"));
        assert_eq!(facts.truth("d"), Some(true));
        assert_eq!(facts.truth("e"), None);
    }
}
