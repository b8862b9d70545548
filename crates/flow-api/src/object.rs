//! The JSON object of a request, in which each key stands once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::refused::Refused;

/// Reads the JSON text of a request.
///
/// A key that stands twice in one object is refused: readers of JSON take the first, the last or
/// both, so that nobody knows what was asked for (RFC 8259, section 4).
///
/// # Errors
/// When the text is no JSON or no object, or has a key twice.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_slice(text) {
        Ok(Once(Value::Object(object))) => Ok(object),
        Ok(_) => Err(Refused::bad("the request must be a JSON object, such as {\"n\": 16}")),
        Err(error) if error.is_data() => Err(Refused::bad(format!("the request has {error}"))),
        Err(error) => Err(Refused::bad(format!("the request is no JSON: {error}"))),
    }
}

/// A value in whose objects each key stands once.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(value)) = all.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = all.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` twice in one object")));
            }
            let Once(value) = all.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    #[test]
    fn an_object_is_read_as_it_stands() {
        let text =
            r#"{"a": [1, -2, 3.5, 18446744073709551615, "x", null, true, {}], "b": {"a": 1}}"#;
        let expected: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert_eq!(object(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"n": 3, "seed": 1, "n": 4}"#, r#"{"rows": [{"n": 1, "n": 1}]}"#] {
            let error = object(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("the request has the key `n` twice"), "{error}");
        }
        // The same key in two objects is none that stands twice.
        assert!(object(br#"{"rows": [{"n": 1}, {"n": 1}], "n": 2}"#).is_ok());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (text, said) in [
            ("[]", "must be a JSON object"),
            ("3", "must be a JSON object"),
            ("{\"n\": ", "no JSON"),
            ("", "no JSON"),
            ("{\"n\": 1e400}", "no JSON"),
        ] {
            let error = object(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains('\n'), "{text}: {error}");
        }
        assert!(object("[".repeat(100_000).as_bytes()).is_err());
    }
}
