//! Values as statements take them and rows hold them, whichever engine keeps them.

/// A value. Text and bytes are borrowed, so that reading a row copies nothing that is not kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A whole number; also a yes or no, as 1 or 0.
    Integer(i64),
    /// A fraction.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes, and text that is not UTF-8.
    Bytes(&'a [u8]),
}

/// A value by which a list is ordered, kept beyond its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// Something else, which no list of undamaged rows is ordered by.
    Other,
}

/// The columns by which a list is ordered, of one row.
pub(crate) type Place = Vec<Key>;

impl<'a> Value<'a> {
    /// Returns the text; nothing where it is something else.
    pub(super) const fn text(self) -> Option<&'a str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// Returns the whole number; nothing where it is something else.
    pub(super) const fn integer(self) -> Option<i64> {
        if let Self::Integer(number) = self {
            Some(number)
        } else {
            None
        }
    }
}

impl Value<'_> {
    /// Returns what kind of value it is, in words.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "a number",
            Self::Real(_) => "a fraction",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }

    /// Copies it as a key.
    pub(super) fn to_key(self) -> Key {
        match self {
            Self::Integer(number) => Key::Number(number),
            Self::Text(text) => Key::Text(text.to_owned()),
            Self::Null | Self::Real(_) | Self::Bytes(_) => Key::Other,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u8> for Value<'_> {
    fn from(number: u8) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(holds: bool) -> Self {
        Self::Integer(i64::from(holds))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
