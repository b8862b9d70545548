//! A choice as read: its name, and values that are not yet those of a type.

use std::str::FromStr;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use toml::{Table, Value};

use super::{Choice, ConfigError, keys, plain, text};

/// A name with its values, read from text or from a table with `kind`.
///
/// [`choices!`](crate::choices) turns it into a variant of its enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    name: String,
    values: Table,
}

impl Chosen {
    /// A choice with none of its values.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), values: Table::new() }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All values as a struct that derives `Deserialize`.
    ///
    /// # Errors
    /// A key that the struct does not have, a value that is missing or of another type.
    pub fn values<T: DeserializeOwned>(mut self) -> Result<T, ConfigError> {
        let values = std::mem::take(&mut self.values);
        self.known(&values, keys::<T>())?;
        T::deserialize(Value::Table(values)).map_err(|error| self.refuse(&error))
    }

    /// Takes a value out, or its default where it is left out.
    ///
    /// # Errors
    /// A value of another type.
    pub fn take<T: DeserializeOwned>(&mut self, key: &str, default: T) -> Result<T, ConfigError> {
        let Some(value) = self.values.remove(key) else { return Ok(default) };
        T::deserialize(value).map_err(|error| ConfigError::Value {
            name: self.name.clone(),
            message: format!("{}, in `{key}`", plain(error.message())),
        })
    }

    /// Ends the reading of a choice that has these keys, all of which were taken.
    ///
    /// # Errors
    /// A key that was not taken.
    pub fn end(self, known: &'static [&'static str]) -> Result<(), ConfigError> {
        self.known(&self.values, known)
    }

    /// What to say where none of the choices has the name.
    #[must_use]
    pub fn unknown(self, choices: &[Choice]) -> ConfigError {
        let known = choices.iter().map(|choice| choice.name).collect();
        ConfigError::Name { name: self.name, known }
    }

    fn known(&self, values: &Table, known: &'static [&'static str]) -> Result<(), ConfigError> {
        match values.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ConfigError::Key { name: self.name.clone(), key: key.clone(), known }),
        }
    }

    /// An error of TOML, which may fill several lines, as one.
    fn refuse(self, error: &toml::de::Error) -> ConfigError {
        let message = plain(error.to_string().trim()).replace('\n', ", ");
        ConfigError::Value { name: self.name, message }
    }
}

impl TryFrom<Value> for Chosen {
    type Error = ConfigError;

    fn try_from(value: Value) -> Result<Self, ConfigError> {
        let mut values = match value {
            Value::String(typed) => text::table(&typed)?,
            Value::Table(table) => table,
            other => return Err(ConfigError::NoChoice { found: other.to_string() }),
        };
        match values.remove("kind") {
            Some(Value::String(name)) => Ok(Self { name, values }),
            Some(other) => Err(ConfigError::NoChoice { found: other.to_string() }),
            None => Err(ConfigError::NoChoice { found: Value::Table(values).to_string() }),
        }
    }
}

impl FromStr for Chosen {
    type Err = ConfigError;

    fn from_str(typed: &str) -> Result<Self, ConfigError> {
        Self::try_from(Value::String(typed.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Chosen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
