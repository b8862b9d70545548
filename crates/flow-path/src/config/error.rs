//! Errors of a choice as typed.

use thiserror::Error;

/// A choice that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither a name nor a table.
    #[error("{found} is no choice: write NAME, NAME,KEY=VALUE or a table with `kind`")]
    NoChoice {
        /// The text that was read.
        found: String,
    },

    /// Something between commas that sets nothing.
    #[error("`{part}` has no `=`, write NAME,KEY=VALUE")]
    NoValue {
        /// The part.
        part: String,
    },

    /// A name that is unknown.
    #[error("there is no `{name}`, use one of {}", known.join(", "))]
    Name {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },

    /// A key that the choice does not have.
    #[error("`{name}` has no key `{key}`{}", besides(known))]
    Key {
        /// The choice.
        name: String,
        /// The key.
        key: String,
        /// The keys that it has.
        known: &'static [&'static str],
    },

    /// A value that is missing, or of another type than it has to be.
    #[error("`{name}`: {message}")]
    Value {
        /// The choice.
        name: String,
        /// What is wrong, and with which key.
        message: String,
    },
}

fn besides(known: &[&str]) -> String {
    let quoted = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>();
    match known {
        [] => String::new(),
        [only] => format!(", it has `{only}`"),
        [before @ .., last] => format!(", it has {} and `{last}`", quoted(before).join(", ")),
    }
}
