//! A line of a list of choices.

use serde::Serialize;
use toml::{Table, Value};

/// One of the choices of an enum: its name, what it is, and how it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The name, as in `vp`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// The names of its values, in the order of the docs.
    pub keys: &'static [&'static str],
    /// `name,key=value` with all its values: its defaults, or an example where it has none.
    pub typed: String,
}

impl Choice {
    /// A line of a list. `choices!` calls this: `example` holds the values of a choice that has no
    /// defaults, and `default` is the choice with its defaults otherwise.
    #[must_use]
    pub fn new<T: Serialize>(
        name: &'static str,
        about: &'static str,
        keys: &'static [&'static str],
        example: Option<&'static str>,
        default: Option<&T>,
    ) -> Self {
        let values = example.map_or_else(
            || default.map_or_else(String::new, |default| values(default, keys)),
            |example| format!(",{example}"),
        );
        Self { name, about: about.trim(), keys, typed: format!("{name}{values}") }
    }
}

/// `,key=value` for each key.
fn values<T: Serialize>(choice: &T, keys: &[&str]) -> String {
    let table = Table::try_from(choice).expect("a choice is made of numbers, text and lists");
    let value = |key: &&str| match table.get(*key)? {
        // Without the `.0` of TOML, which is read back all the same.
        Value::Float(x) => Some(format!(",{key}={x}")),
        Value::String(text) => Some(format!(",{key}={text}")),
        other => Some(format!(",{key}={other}")),
    };
    keys.iter().filter_map(value).collect()
}
