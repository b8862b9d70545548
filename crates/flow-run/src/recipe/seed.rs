//! The key `seed`: TOML has whole numbers up to 2^63 - 1, and larger seeds are text.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serializer};
use toml::Value;

/// Writes a seed as a number, or as text where TOML has none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn serialize<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*seed) {
        Ok(seed) => serializer.serialize_i64(seed),
        Err(_) => serializer.serialize_str(&seed.to_string()),
    }
}

/// Reads either.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let seed = match &value {
        Value::Integer(seed) => u64::try_from(*seed).ok(),
        Value::String(seed) => seed.parse().ok(),
        _ => None,
    };
    seed.ok_or_else(|| {
        D::Error::custom(format!("seed is {value}, give a whole number from 0 to {}", u64::MAX))
    })
}
