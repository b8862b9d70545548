//! Choices as typed that do not read themselves: those of samplers and their grids, tagged by
//! `kind`.

use anyhow::Result;
pub(crate) use flow_path::config::shown;
use flow_path::config::text;
use serde::Deserialize;
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use toml::{Table, Value};

use crate::exit::usage;

/// Reads a field of a recipe from text or from a table.
pub(super) fn named<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Serialize,
{
    let value = match Value::deserialize(deserializer)? {
        Value::String(text) => Value::Table(text::table(&text).map_err(D::Error::custom)?),
        value => value,
    };
    whole(value).map_err(D::Error::custom)
}

/// Reads an option of the command line, `NAME` or `NAME,KEY=VALUE,..`.
pub(crate) fn parse<T: DeserializeOwned + Serialize>(option: &str, text: &str) -> Result<T> {
    let table = text::table(text).map_err(|error| usage!("{option}: {error}"))?;
    whole(Value::Table(table))
        .map_err(|error| usage!("{option} {text}: {}", error.trim().replace('\n', ", ")))
}

/// A choice all of whose keys are known: serde lets a variant without any be given some.
fn whole<T: DeserializeOwned + Serialize>(value: Value) -> Result<T, String> {
    let keys: Vec<String> =
        value.as_table().into_iter().flat_map(|table| table.keys().cloned()).collect();
    let choice = T::deserialize(value).map_err(|error| error.message().to_owned())?;
    let known = Table::try_from(&choice).map_err(|error| error.to_string())?;
    match keys.iter().find(|key| !known.contains_key(*key)) {
        Some(key) => Err(format!("`{}` has no key `{key}`", shown(&choice))),
        None => Ok(choice),
    }
}
