//! Changes of a recipe from the command line.

use flow_path::config::text;
use toml::{Table, Value};

use crate::error::{RunError, usage};

/// Whole numbers of TOML are smaller, 2^63.
const LARGEST: f64 = 9_223_372_036_854_775_808.0;

/// Applies changes `a.b.c=value` to a table, the choices among variants and presets first: another
/// choice begins without the values of the one before, and the values typed beside it are its own.
pub(crate) fn apply(table: &mut Table, changes: &[String]) -> Result<(), RunError> {
    let is_last = |change: &str, name: &str| {
        let key = change.split_once('=').and_then(|(key, _)| key.trim().rsplit_once('.'));
        key.is_some_and(|(_, last)| last == name)
    };
    let (kinds, others): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| is_last(change, "kind"));
    let (presets, values): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|change| is_last(change, "preset"));
    kinds.into_iter().chain(presets).chain(values).try_for_each(|change| one(table, change))
}

/// Applies one change.
fn one(table: &mut Table, change: &str) -> Result<(), RunError> {
    let Some((key, value)) = change.split_once('=') else {
        return Err(usage!("`--set {change}` has no `=`, write it as key=value"));
    };
    let value = text::value(value);
    let mut parts: Vec<&str> = key.split('.').map(str::trim).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(usage!("`--set {change}` names no key, write it as section.key=value"));
    }
    let last = parts.pop().expect("split gives at least one part");
    let mut inner = table;
    for part in parts {
        inner = section(inner.entry(part).or_insert_with(|| Value::Table(Table::new())))
            .ok_or_else(|| usage!("`--set {change}`: `{part}` is a value, no section with keys"))?;
    }
    // 2e6 is a float in TOML; where the recipe has a whole number, take it as one.
    let value = match (inner.get(last), value) {
        (Some(Value::Integer(_)), Value::Float(x)) if x.fract() == 0.0 && x.abs() < LARGEST => {
            Value::Integer(x as i64)
        }
        (Some(Value::Float(_)), Value::Integer(x)) => Value::Float(x as f64),
        (_, value) => value,
    };
    if last == "kind" && inner.get(last).is_some_and(|kind| *kind != value) {
        inner.clear();
    }
    if last == "preset" {
        inner.retain(|key, _| key == "kind");
    }
    inner.insert(last.to_string(), value);
    Ok(())
}

/// A value as the table that holds keys: a choice typed as text, `NAME,KEY=VALUE`, is one with
/// `kind`.
fn section(value: &mut Value) -> Option<&mut Table> {
    if let Value::String(text) = value {
        *value = Value::Table(text::table(text).ok()?);
    }
    value.as_table_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(changes: &[&str]) -> Result<Table, RunError> {
        let mut table = "[path]\ncoupling = 'sinkhorn,epsilon=0.1'\n\
                         schedule = { kind = 've', sigma_min = 0.1 }\n[train]\nbatch = 3\n"
            .parse()
            .unwrap();
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        apply(&mut table, &changes)?;
        Ok(table)
    }

    #[test]
    fn a_choice_is_made_with_its_own_values_whatever_the_order_and_the_spelling_before() {
        for changes in [
            ["path.coupling.kind=schrodinger", "path.coupling.sigma=0.5"],
            ["path.coupling.sigma=0.5", "path.coupling.kind=schrodinger"],
        ] {
            let coupling = set(&changes).unwrap()["path"]["coupling"].clone();
            assert_eq!(coupling.to_string(), "{ kind = \"schrodinger\", sigma = 0.5 }");
        }
        let path = set(&["path.coupling.epsilon=1", "path.schedule.kind=vp", "path.new.key=a"])
            .unwrap()["path"]
            .clone();
        assert_eq!(path["coupling"]["epsilon"].as_float(), Some(1.0));
        assert_eq!(path["coupling"]["kind"].as_str(), Some("sinkhorn"));
        assert_eq!(path["schedule"].to_string(), "{ kind = \"vp\" }");
        assert_eq!(path["new"]["key"].as_str(), Some("a"));
        // The same choice again keeps its values.
        let same = set(&["path.schedule.kind=ve"]).unwrap();
        assert_eq!(same["path"]["schedule"]["sigma_min"].as_float(), Some(0.1));
    }

    #[test]
    fn what_is_no_change_is_said_in_a_sentence() {
        for (change, named) in [
            ("train.batch", "has no `=`"),
            ("=3", "names no key"),
            ("train.=3", "names no key"),
            ("train.batch.size=3", "`batch` is a value"),
        ] {
            let error = set(&[change]).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains('\n'), "{change}: {error}");
        }
    }
}
