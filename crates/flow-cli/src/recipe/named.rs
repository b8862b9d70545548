//! A choice among variants, as typed: `cosine`, `vp,beta_max=15` or a table with `kind`.

use anyhow::Result;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::exit::usage;

/// Reads a field of a recipe whose type is tagged by `kind`.
pub(super) fn named<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Serialize,
{
    let value = match Value::deserialize(deserializer)? {
        Value::String(text) => Value::Table(table(&text).map_err(D::Error::custom)?),
        value => value,
    };
    whole(value).map_err(D::Error::custom)
}

/// Reads a field that may be left out and whose type is tagged by `kind`.
pub(super) fn named_option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Serialize,
{
    named(deserializer).map(Some)
}

/// What [`parse`] reads, for people.
pub(crate) fn shown<T: Serialize>(choice: &T) -> String {
    let table = Table::try_from(choice).expect("a choice is made of numbers, text and lists");
    let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default();
    let values = table.iter().filter(|(key, _)| *key != "kind");
    let values = values.map(|(key, value)| match value {
        Value::String(text) => format!(",{key}={text}"),
        value => format!(",{key}={value}"),
    });
    format!("{kind}{}", values.collect::<String>())
}

/// Reads an option of the command line, `NAME` or `NAME,KEY=VALUE,..`.
pub(crate) fn parse<T: DeserializeOwned + Serialize>(option: &str, text: &str) -> Result<T> {
    let table = table(text).map_err(|error| usage!("{option}: {error}"))?;
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

/// `NAME,KEY=VALUE,..` as a table whose `kind` is `NAME`.
pub(super) fn table(text: &str) -> Result<Table, String> {
    let mut parts = split(text).into_iter();
    let name = parts.next().unwrap_or_default().trim();
    let mut table = Table::new();
    table.insert("kind".into(), Value::String(name.into()));
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!("`{}` has no `=`, write NAME,KEY=VALUE", part.trim()));
        };
        table.insert(key.trim().into(), self::value(value));
    }
    Ok(table)
}

/// A value as typed: what is no TOML value is text, so that quotes may be left out.
pub(super) fn value(typed: &str) -> Value {
    let typed = typed.trim();
    format!("value = {typed}")
        .parse::<Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| Value::String(typed.to_string()))
}

/// The parts between commas that stand in no bracket.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_values_is_a_table() {
        let want = "kind = \"given\"\ntimes = [0.0, 0.5, 1.0]\nlast = \"plain\"\n";
        let got = table("given, times = [0.0, 0.5, 1.0], last = plain").unwrap();
        assert_eq!(got, want.parse().unwrap());
        assert_eq!(table("cosine").unwrap(), "kind = \"cosine\"".parse().unwrap());
        assert!(table("vp,20").unwrap_err().contains("`20` has no `=`"));
    }
}
