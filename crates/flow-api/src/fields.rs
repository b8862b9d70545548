//! The fields of a JSON object.

use std::collections::BTreeSet;

use flow_datasets::counted;
use flow_path::config::plain;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess};
use serde_json::{Map, Value, map};

use crate::refused::Refused;

/// The fields of an object as `T`, which refuses those that it does not know.
///
/// # Errors
/// With the name of a field that is none, or whose value is of another type.
pub fn fields<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Refused> {
    let named = Named { rest: object.into_iter(), value: None };
    T::deserialize(MapAccessDeserializer::new(named))
        .map_err(|error| Refused::bad(error.to_string()))
}

/// Fields whose errors say which of them it is.
struct Named {
    rest: map::IntoIter,
    /// The field whose name was read and whose value was not.
    value: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Named {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        self.value = self.rest.next();
        let name = self.value.as_ref().map(|(name, _)| name.clone());
        name.map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        let (name, value) = self.value.take().unwrap_or_default();
        seed.deserialize(value).map_err(|error| {
            let (said, named) = (plain(&error.to_string()), format!("`{name}`"));
            // What a field of several types takes, it says itself.
            let said = if said.contains(&named) { said } else { format!("{named}: {said}") };
            serde_json::Error::custom(said)
        })
    }
}

/// Takes the fields out of an object that `T` has, all of which may be left out, and those of `U`,
/// which must be all others: what is none of either is refused with the names of both.
pub(crate) fn both<T, U>(mut object: Map<String, Value>) -> Result<(T, U), Refused>
where
    T: Default + DeserializeOwned + serde::Serialize,
    U: DeserializeOwned,
{
    let known: BTreeSet<String> = match serde_json::to_value(T::default()) {
        Ok(Value::Object(all)) => all.into_iter().map(|(name, _)| name).collect(),
        _ => BTreeSet::new(),
    };
    let taken = known.iter().filter_map(|name| object.remove_entry(name)).collect();
    let others = fields(object).map_err(|refused: Refused| {
        let said = refused.to_string();
        if !said.starts_with("unknown field") {
            return refused;
        }
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        Refused::bad(format!("{said}, {}", names.join(", ")))
    })?;
    Ok((fields(taken)?, others))
}

/// Rows of `size` finite numbers each, flat; a single row may stand for itself.
pub(crate) fn rows(name: &str, rows: &[Vec<f32>], size: usize) -> Result<Vec<f32>, Refused> {
    for (at, row) in rows.iter().enumerate() {
        if row.len() != size {
            let got = counted(row.len(), "number");
            return Err(Refused::bad(format!(
                "row {at} of `{name}` has {got}, and the model takes {size}"
            )));
        }
        if row.iter().any(|x| !x.is_finite()) {
            return Err(Refused::bad(format!(
                "row {at} of `{name}` holds a number that is too large for 32 bits"
            )));
        }
    }
    Ok(rows.concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Ask {
        n: Option<usize>,
        rows: Vec<Vec<f32>>,
        name: String,
    }

    #[derive(Debug, Default, Deserialize, serde::Serialize)]
    struct Way {
        steps: usize,
    }

    impl Default for Ask {
        fn default() -> Self {
            Self { n: None, rows: vec![vec![0.5]], name: "x".into() }
        }
    }

    fn read(value: Value) -> Result<Ask, String> {
        let Value::Object(object) = value else { panic!("{value} is no object") };
        fields(object).map_err(|error| error.to_string())
    }

    #[test]
    fn an_error_of_type_names_the_field() {
        assert_eq!(read(json!({})), Ok(Ask::default()));
        assert_eq!(read(json!({ "n": null })), Ok(Ask::default()));
        let whole = json!({ "n": 3, "rows": [[1.5, 2.0], []], "name": "y" });
        let expected = Ask { n: Some(3), rows: vec![vec![1.5, 2.0], vec![]], name: "y".into() };
        assert_eq!(read(whole), Ok(expected));
        for (asked, said) in [
            (json!({ "n": "ten" }), "`n`: expected a whole number, got \"ten\""),
            (json!({ "rows": [[1, "a"]] }), "`rows`: expected a number, got \"a\""),
            (json!({ "rows": 3 }), "`rows`: expected a list, got 3"),
            (json!({ "n": 1, "name": null }), "`name`: expected text in quotes, got null"),
        ] {
            assert_eq!(read(asked), Err(said.to_owned()));
        }
        assert!(read(json!({ "m": 1 })).unwrap_err().starts_with("unknown field `m`"));
        let Value::Object(object) = json!({ "m": 1 }) else { panic!("an object") };
        let error = both::<Way, Ask>(object).unwrap_err().to_string();
        assert!(error.contains("`rows`") && error.ends_with("`steps`"), "{error}");
        let Value::Object(object) = json!({ "steps": 4, "n": 2 }) else { panic!("an object") };
        let (way, ask) = both::<Way, Ask>(object).unwrap();
        assert_eq!((way.steps, ask.n), (4, Some(2)));
    }
}
