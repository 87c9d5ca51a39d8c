//! What the scripts of this folder print: one `key<TAB>value` a line.

use std::str::FromStr;

/// The lines of one answer, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames(Vec<(String, String)>);

impl Frames {
    /// Takes an answer apart; a line without a tab says nothing.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            text.lines()
                .filter_map(|line| line.split_once('\t'))
                .map(|(key, value)| (key.to_owned(), value.trim_end_matches('\r').to_owned()))
                .collect(),
        )
    }

    /// Returns all values of a key.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a key; one that is empty counts as not said.
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
    use super::Frames;

    #[test]
    fn what_is_not_said_is_not_known() {
        let frames = Frames::parse("a\t1\nb\t\nnoise\na\t2\r\nc\tx\ty\nd\tyes\ne\tmaybe\n");
        assert_eq!(frames.number::<u64>("a"), Some(1));
        assert_eq!(frames.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(frames.first("b"), None);
        assert_eq!(frames.first("noise"), None);
        assert_eq!(frames.first("c"), Some("x\ty"));
        assert_eq!(frames.truth("d"), Some(true));
        assert_eq!(frames.truth("e"), None);
    }
}
