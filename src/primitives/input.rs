//! Reading an input that fits its schema into its type, and checking what no schema says.

use serde_json::Value;
use serde_path_to_error::Segment;

use super::Primitive;
use crate::contract::{Violation, Violations, validation};

/// Reads an input that fits its schema, and checks what no schema says.
pub(super) fn read<P: Primitive>(mut value: Value) -> Result<P::Input, Violations> {
    make_integers(&mut value);
    let input: P::Input = serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = pointer(error.path());
        Violation::new(pointer, "value", error.into_inner().to_string())
    })?;
    let wrong = P::check(&input);
    if wrong.is_empty() {
        Ok(input)
    } else {
        Err(wrong)
    }
}

/// Writes whole floats, such as `5.0` and `1e2`, as the integers they are: the schema takes them for integers, and serde
/// does not.
fn make_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(integer) = whole(number) {
                *value = integer.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_integers),
        Value::Object(fields) => fields.values_mut().for_each(make_integers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Returns the integer that a float is, where it is exactly one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the bounds are those within which floats are exact"
)]
fn whole(number: &serde_json::Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
}

/// Writes where in an input an error is as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", validation::escape(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::make_integers;

    #[test]
    fn whole_floats_become_integers_and_others_stay() {
        let mut value =
            json!({"a": [5.0, 1e2, -3.0, -0.0], "b": {"c": 5.5, "d": 1e300, "e": "5.0"}});
        make_integers(&mut value);
        assert_eq!(
            value.to_string(),
            r#"{"a":[5,100,-3,0],"b":{"c":5.5,"d":1e+300,"e":"5.0"}}"#
        );
    }
}
