//! The keys of a configuration that its reader does not take: each is known to change nothing, has
//! the one value of the network that is built here, or is refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::ImportError;
use crate::family::Family;

/// Bytes of a configuration that none reaches.
const LONGEST_CONFIG: u64 = 16 << 20;

/// Keys that a reader does not take, with their values.
pub(crate) type Others = BTreeMap<String, Value>;

/// What is known of the keys of a family.
pub(crate) struct Known {
    /// Those that change nothing of what a trained network computes.
    pub(crate) harmless: &'static [&'static str],
    /// Those that choose another network, with the values that they may have, ` or ` between them.
    /// One that is left out has the first of them in the program itself.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
}

impl Known {
    /// Refuses a value that chooses another network, and keys of which nothing is known.
    pub(crate) fn check(&self, family: Family, others: &Others) -> Result<(), ImportError> {
        let mut unknown = Vec::new();
        for (key, value) in others {
            match self.fixed.iter().find(|(fixed, _)| fixed == key) {
                Some(&(key, need)) if !need.split(" or ").any(|one| is(value, one)) => {
                    let value = value.as_str().map_or_else(|| value.to_string(), String::from);
                    let family = family.name();
                    return Err(ImportError::Unsupported { family, key, value, need });
                }
                Some(_) => {}
                // Notes of a library about the file begin so, such as `_diffusers_version`.
                None if key.starts_with('_') || self.harmless.contains(&key.as_str()) => {}
                None => unknown.push(key.as_str()),
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        Err(ImportError::UnknownKeys { family: family.name(), keys: unknown.join(", ") })
    }
}

/// Whether a value is the one of a word, which is JSON or text.
fn is(value: &Value, word: &str) -> bool {
    let wanted = serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.into()));
    match (value.as_f64(), wanted.as_f64()) {
        (Some(value), Some(wanted)) => (value - wanted).abs() < 1e-9,
        _ => *value == wanted,
    }
}

/// The largest size that a description of ours holds: that of TOML.
pub(crate) const LARGEST: u64 = i64::MAX as u64;

/// Whether a value is a size that no description of ours holds, or has one in it.
fn is_too_large(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_some_and(|number| LARGEST < number),
        Value::Array(all) => all.iter().any(is_too_large),
        Value::Object(all) => all.values().any(is_too_large),
        _ => false,
    }
}

/// The keys of a file in JSON, whose sizes fit a description of ours.
pub(crate) fn json(path: &Path) -> Result<Others, ImportError> {
    let broken = |reason: String| ImportError::Config { path: path.into(), reason };
    let size = fs::metadata(path).map_err(|error| broken(error.to_string()))?.len();
    if LONGEST_CONFIG < size {
        return Err(broken(format!("it has {size} bytes, which no configuration has")));
    }
    let text = fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    let all: Others = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    match all.iter().find(|(_, value)| is_too_large(value)) {
        Some((key, _)) => Err(broken(format!("{key} is larger than {LARGEST}, as no size is"))),
        None => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_harmless_or_of_one_value_or_refused() {
        let known =
            Known { harmless: &["dropout"], fixed: &[("eps", "1"), ("act", "silu or null")] };
        let check = |text: &str| {
            let checked = known.check(Family::Sit, &serde_json::from_str(text).unwrap());
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(check(r#"{"dropout": 0.5, "eps": 1.0, "act": "silu"}"#), Ok(()));
        assert_eq!(check(r#"{"act": null}"#), Ok(()));
        let other = check(r#"{"act": "gelu"}"#).unwrap_err();
        assert_eq!(other, "sit with act = gelu cannot be imported, it must be silu or null");
        let unknown = check(r#"{"qk_norm": true, "dropout": 0, "rope": 1}"#).unwrap_err();
        assert!(unknown.contains("unknown to sit: qk_norm, rope"), "{unknown}");
    }
}
