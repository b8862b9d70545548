//! The fields of a JSON object.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::refused::Refused;

/// The fields of an object as `T`, which refuses those that it does not know.
pub(crate) fn fields<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Refused> {
    serde_json::from_value(Value::Object(object)).map_err(|error| Refused::bad(error.to_string()))
}

/// Takes the fields out of an object that `T` has, all of which may be left out.
pub(crate) fn take<T: Default + DeserializeOwned + serde::Serialize>(
    object: &mut Map<String, Value>,
) -> Result<T, Refused> {
    let known: BTreeSet<String> = match serde_json::to_value(T::default()) {
        Ok(Value::Object(all)) => all.into_iter().map(|(name, _)| name).collect(),
        _ => BTreeSet::new(),
    };
    let taken = known.into_iter().filter_map(|name| object.remove_entry(&name));
    fields(taken.collect())
}

/// Rows of `size` finite numbers each, flat; a single row may stand for itself.
pub(crate) fn rows(name: &str, rows: &[Vec<f32>], size: usize) -> Result<Vec<f32>, Refused> {
    for (at, row) in rows.iter().enumerate() {
        if row.len() != size {
            let got = row.len();
            return Err(Refused::bad(format!(
                "row {at} of `{name}` has {got} numbers, and the model takes {size}"
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
