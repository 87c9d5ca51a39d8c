//! Values on their way to the server and back.

use bytes::BytesMut;
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::super::{Fault, Value};

type Wrong = Box<dyn std::error::Error + Sync + Send>;

/// A parameter, kept until the server has it.
#[derive(Clone, Debug)]
pub(super) enum Parameter {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Parameter {
    /// Returns the type that the statement is told, so that it need not be guessed; that of nothing is left open.
    pub(super) const fn declared(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Integer(_) => Type::INT8,
            Self::Real(_) => Type::FLOAT8,
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) => Type::BYTEA,
        }
    }

    /// Returns the letter of its type.
    pub(super) const fn letter(&self) -> char {
        match self {
            Self::Null => '-',
            Self::Integer(_) => 'i',
            Self::Real(_) => 'r',
            Self::Text(_) => 't',
            Self::Bytes(_) => 'b',
        }
    }
}

impl From<&Value<'_>> for Parameter {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(*number),
            Value::Real(number) => Self::Real(*number),
            Value::Text(text) => Self::Text((*text).to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, kind: &Type, buffer: &mut BytesMut) -> Result<IsNull, Wrong> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql(kind, buffer),
            Self::Real(number) => number.to_sql(kind, buffer),
            Self::Text(text) => text.to_sql(kind, buffer),
            Self::Bytes(bytes) => bytes.to_sql(kind, buffer),
        }
    }

    fn accepts(_kind: &Type) -> bool {
        // Each is declared as what it is.
        true
    }

    to_sql_checked!();
}

/// A column as it came.
struct Column<'a>(Value<'a>);

impl<'a> FromSql<'a> for Column<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Wrong> {
        Ok(Self(match *kind {
            Type::INT8 => Value::Integer(i64::from_sql(kind, raw)?),
            Type::INT4 => Value::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(kind, raw)?.into()),
            Type::BOOL => Value::Integer(bool::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(kind, raw)?),
            Type::FLOAT4 => Value::Real(f32::from_sql(kind, raw)?.into()),
            Type::BYTEA => Value::Bytes(raw),
            _ => match std::str::from_utf8(raw) {
                Ok(text) => Value::Text(text),
                Err(_) => Value::Bytes(raw),
            },
        }))
    }

    fn from_sql_null(_kind: &Type) -> Result<Self, Wrong> {
        Ok(Self(Value::Null))
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }
}

/// Reads a column of a row.
pub(crate) fn value(row: &Row, index: usize) -> Result<Value<'_>, Fault> {
    let Column(value) = row
        .try_get(index)
        .map_err(|error| Fault::from(super::Failure::from(error)))?;
    Ok(value)
}
