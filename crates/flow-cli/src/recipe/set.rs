//! Changes of a recipe from the command line.

use anyhow::Result;
use toml::{Table, Value};

use crate::exit::usage;

/// Applies `a.b.c=value` to a table.
pub(super) fn apply(table: &mut Table, change: &str) -> Result<()> {
    let Some((key, value)) = change.split_once('=') else {
        return Err(usage!("`--set {change}` has no `=`, write it as key=value"));
    };
    let (key, value) = (key.trim(), self::value(value));
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().expect("split gives at least one part");
    let mut inner = table;
    for part in parts {
        inner = inner
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| usage!("`--set {change}`: `{part}` is no section of the recipe"))?;
    }
    // 2e6 is a float in TOML; where the recipe has a whole number, take it as one.
    let value = match (inner.get(last), value) {
        (Some(Value::Integer(_)), Value::Float(x)) if x.fract() == 0.0 => Value::Integer(x as i64),
        (Some(Value::Float(_)), Value::Integer(x)) => Value::Float(x as f64),
        (_, value) => value,
    };
    inner.insert(last.to_string(), value);
    Ok(())
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
