//! Choices by name: one spelling of each choice for recipes, command lines, model files and docs.
//!
//! A choice is a name and its values. It is typed as text, `vp` or `vp,beta_max=15`, or stands in a
//! file as a table, `{ kind = "vp", beta_max = 15.0 }`; both are read from the same place, and
//! values left out have their defaults. [`choices!`](crate::choices) names the choices of an enum
//! once, with a line about each, and from that text come reading, writing and the list that
//! commands and docs print.
//!
//! ```
//! use flow_path::{Schedule, ScheduleConfig};
//!
//! let config: ScheduleConfig = "vp,beta_max=15".parse()?;
//! assert_eq!(config.to_string(), "vp,beta_max=15.0,beta_min=0.1");
//! assert!(config.build().at(0.5).alpha < 0.5);
//!
//! let error = "vp,beta_mox=15".parse::<ScheduleConfig>().unwrap_err();
//! assert_eq!(error.to_string(), "`vp` has no key `beta_mox`, it has `beta_min` and `beta_max`");
//! assert_eq!(ScheduleConfig::choices()[1].typed, "vp,beta_min=0.1,beta_max=20");
//! # Ok::<(), flow_path::config::ConfigError>(())
//! ```

mod choice;
mod chosen;
mod error;
mod keys;
mod macros;
pub mod text;
mod words;

use serde::{Deserialize, Serialize};

use crate::PathError;

pub use choice::Choice;
pub use chosen::Chosen;
pub use error::ConfigError;
pub use keys::keys;
pub use text::shown;
pub use words::plain;

/// A thing that is its own configuration: its fields are the values that are typed, and each has a
/// domain.
///
/// Reading takes every number. Whoever takes a configuration from outside calls [`Check::check`]
/// before the thing is used, because what is outside its domain panics there.
pub trait Check {
    /// Refuses values outside their domain; by default there are none to refuse.
    ///
    /// # Errors
    /// The first value outside its domain, by the name of its field.
    fn check(&self) -> Result<(), PathError> {
        Ok(())
    }
}

/// Refuses a value that is not allowed, with the domain that it must lie in.
///
/// # Errors
/// [`PathError::Parameter`], unless the value is `allowed`.
pub fn within(
    name: &'static str,
    value: f64,
    allowed: bool,
    domain: &'static str,
) -> Result<(), PathError> {
    if allowed { Ok(()) } else { Err(PathError::Parameter { name, value, domain }) }
}

/// Refuses what is no finite number.
///
/// # Errors
/// As [`within`].
pub fn finite(name: &'static str, value: f64) -> Result<(), PathError> {
    within(name, value, value.is_finite(), "(-inf, inf), the finite numbers")
}

/// Refuses what is no finite number above zero.
///
/// # Errors
/// As [`within`].
pub fn positive(name: &'static str, value: f64) -> Result<(), PathError> {
    within(name, value, 0.0 < value && value.is_finite(), "(0, inf), the positive numbers")
}

/// The values of a choice that has none: what [`without_values!`](crate::without_values) reads and
/// writes.
#[doc(hidden)]
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Panics where a check refuses a value, in place of going on with numbers that mean nothing.
pub(crate) fn insist(checked: Result<(), PathError>) {
    if let Err(error) = checked {
        panic!("{error}");
    }
}
