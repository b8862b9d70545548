//! Choices as text: `cosine`, or `vp,beta_max=15`.

use serde::Serialize;
use toml::{Table, Value};

use super::ConfigError;

/// A choice as it can be typed: its name, and its values in the order of their names.
///
/// # Panics
/// If the choice is no table, as those of `choices!` are.
#[must_use]
pub fn shown<T: Serialize>(choice: &T) -> String {
    let table = Table::try_from(choice).expect("a choice is made of numbers, text and lists");
    let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default();
    let values = table.iter().filter(|(key, _)| *key != "kind");
    let values = values.map(|(key, value)| match value {
        Value::String(text) => format!(",{key}={text}"),
        value => format!(",{key}={value}"),
    });
    format!("{kind}{}", values.collect::<String>())
}

/// `NAME,KEY=VALUE,..` as a table whose `kind` is `NAME`.
///
/// # Errors
/// A part without `=`.
pub fn table(text: &str) -> Result<Table, ConfigError> {
    let mut parts = split(text).into_iter();
    let name = parts.next().unwrap_or_default().trim();
    let mut table = Table::new();
    table.insert("kind".into(), Value::String(name.into()));
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            return Err(ConfigError::NoValue { part: part.trim().into() });
        };
        table.insert(key.trim().into(), self::value(value));
    }
    Ok(table)
}

/// A value as typed: what is no TOML value is text, so that quotes may be left out.
#[must_use]
pub fn value(typed: &str) -> Value {
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
        assert!(table("vp,20").unwrap_err().to_string().contains("`20` has no `=`"));
    }
}
