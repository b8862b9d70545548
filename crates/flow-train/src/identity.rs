//! The identity of a checkpoint: the settings that made it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// What training depends on: the keys of a recipe and their values.
///
/// It is stored beside the weights and compared before they are used, key by key. A key that only
/// one of the two has counts as its default, so a program that learned a new key still opens what
/// was made before it.
///
/// ```
/// use flow_train::Identity;
///
/// let then = Identity::new([("train.batch", 256), ("seed", 0)]);
/// let now = Identity::new([("train.batch", 512), ("seed", 0), ("data.mirror", 0)]);
/// let difference = now.with_defaults(["data.mirror"]).difference(then.values()).unwrap();
/// assert_eq!(difference.to_string(), "`train.batch` was 256 and is 512");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    values: BTreeMap<String, Value>,
    defaults: BTreeSet<String>,
    growing: BTreeSet<String>,
}

/// A key in which a checkpoint and a recipe differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// Its stored value; nothing if it was not stored.
    pub then: Option<Value>,
    /// Its value of today; nothing if there is no such key.
    pub now: Option<Value>,
}

impl Identity {
    /// These keys with these values.
    ///
    /// A number that is not finite becomes null, for JSON has none: give it as text.
    pub fn new<K: Into<String>, V: Into<Value>>(values: impl IntoIterator<Item = (K, V)>) -> Self {
        let values = values.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self { values: values.collect(), ..Self::default() }
    }

    /// The same, knowing which of its keys have their defaults.
    #[must_use]
    pub fn with_defaults<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.defaults.extend(keys.into_iter().map(Into::into));
        self
    }

    /// The same, which also takes a smaller number at `key`: a run may be made longer.
    #[must_use]
    pub fn with_growing(mut self, key: impl Into<String>) -> Self {
        self.growing.insert(key.into());
        self
    }

    /// All keys and values.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, Value> {
        &self.values
    }

    /// A text that tells it from others: all but what is at its default or may grow.
    ///
    /// So it stays the same when a program learns a new key and when a run is made longer.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let told = |key: &String| !self.defaults.contains(key) && !self.growing.contains(key);
        let keys = self.values.iter().filter(|(key, _)| told(key));
        let lines: Vec<String> = keys.map(|(key, value)| format!("{key}={value}\n")).collect();
        lines.concat()
    }

    /// The first key, by name, in which a stored identity is another.
    #[must_use]
    pub fn difference(&self, stored: &BTreeMap<String, Value>) -> Option<Difference> {
        let keys: BTreeSet<&String> = self.values.keys().chain(stored.keys()).collect();
        keys.into_iter().find_map(|key| {
            let (then, now) = (stored.get(key), self.values.get(key));
            let agree = match (then, now) {
                (Some(then), Some(now)) => same(then, now) || self.grew(key, then, now),
                (None, Some(_)) => self.defaults.contains(key),
                _ => false,
            };
            let difference =
                || Difference { key: key.clone(), then: then.cloned(), now: now.cloned() };
            (!agree).then(difference)
        })
    }

    fn grew(&self, key: &str, then: &Value, now: &Value) -> bool {
        self.growing.contains(key) && then.is_number() && then.as_f64() < now.as_f64()
    }
}

/// Whether two values are equal; `2` and `2.0` are, and numbers that differ in the last bits alone,
/// which going through text may change.
fn same(a: &Value, b: &Value) -> bool {
    if let (Value::Array(a), Value::Array(b)) = (a, b) {
        return a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 4.0 * f64::EPSILON * a.abs();
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) if a.is_f64() || b.is_f64() => close(x, y),
        _ => a == b,
    }
}

/// One key, `version`: for what is made by a program and not by a recipe.
impl From<&str> for Identity {
    fn from(version: &str) -> Self {
        Self::new([("version", version)])
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, then, now } = self;
        match (then, now) {
            (Some(then), Some(now)) => write!(f, "`{key}` was {then} and is {now}"),
            (Some(then), None) => write!(f, "`{key}` was {then} and is left out"),
            (None, Some(now)) => write!(f, "`{key}` was left out and is {now}"),
            (None, None) => write!(f, "`{key}` is left out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> BTreeMap<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_first_key_that_differs_is_named_with_both_values() {
        let now = Identity::new([("a", 1), ("b", 2), ("c", 3)]);
        assert_eq!(now.difference(&stored(r#"{"a":1,"b":2,"c":3}"#)), None);
        let difference = now.difference(&stored(r#"{"a":1,"b":5,"c":6}"#)).unwrap();
        assert_eq!(difference.to_string(), "`b` was 5 and is 2");
        let difference = now.difference(&stored(r#"{"a":1,"b":2,"c":3,"d":"x"}"#)).unwrap();
        assert_eq!(difference.to_string(), "`d` was \"x\" and is left out");
    }

    #[test]
    fn a_key_that_was_not_stored_counts_as_its_default() {
        let now = Identity::new([("a", 1), ("new", 0)]);
        let difference = now.difference(&stored(r#"{"a":1}"#)).unwrap();
        assert_eq!(difference.to_string(), "`new` was left out and is 0");
        assert_eq!(now.with_defaults(["new"]).difference(&stored(r#"{"a":1}"#)), None);
    }

    #[test]
    fn a_growing_number_may_have_been_smaller_and_not_larger() {
        let now = Identity::new([("images", 200.0)]).with_growing("images");
        assert_eq!(now.difference(&stored(r#"{"images":100.0}"#)), None);
        assert!(now.difference(&stored(r#"{"images":300.0}"#)).is_some());
    }

    #[test]
    fn a_fingerprint_stays_when_a_key_is_learned_and_a_run_made_longer() {
        let of =
            |images: i32| Identity::new([("images", images), ("seed", 1)]).with_growing("images");
        assert_eq!(of(100).fingerprint(), of(200).fingerprint());
        let learned = Identity::new([("new", 0), ("seed", 1)]).with_defaults(["new"]);
        assert_eq!(learned.fingerprint(), of(100).fingerprint());
        assert_ne!(Identity::new([("seed", 2)]).fingerprint(), of(100).fingerprint());
    }

    #[test]
    fn numbers_are_compared_by_value_and_large_ones_to_the_last_digit() {
        let now = Identity::new([("batch", 256.0)]);
        assert_eq!(now.difference(&stored(r#"{"batch":256}"#)), None);
        let seed = Identity::new([("seed", u64::MAX)]);
        assert_eq!(seed.difference(&stored(r#"{"seed":18446744073709551615}"#)), None);
        assert!(seed.difference(&stored(r#"{"seed":18446744073709551614}"#)).is_some());
    }

    #[test]
    fn a_stored_number_is_read_back_as_the_same_number() {
        // Shortest decimals of such numbers may be read back one unit in the last place off.
        let numbers = (1..2000).map(|i| (format!("{i}"), 1.0 / f64::from(i * 7919)));
        let identity = Identity::new(numbers);
        let text = serde_json::to_string(&identity).unwrap();
        assert_eq!(identity.difference(&stored(&text)), None);
    }
}
