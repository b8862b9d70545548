//! The code of a column: to numbers and back, as it is stored in the file of a model.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Role, TableError, Transform, Type};

/// A column with what its training rows taught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// Its name.
    pub name: String,
    /// Whether it is generated, a condition, or one value.
    pub role: Role,
    /// What its cells are in files.
    pub ty: Type,
    /// How it becomes numbers.
    pub codec: Codec,
}

/// How a column becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Codec {
    /// One number.
    Number {
        /// From the number to the scale of the noise.
        transform: Transform,
        /// Least number of the training rows.
        min: f64,
        /// Their greatest.
        max: f64,
        /// Whether what comes out is rounded to a whole number.
        whole: bool,
    },
    /// One number for each name: 1 for the category that it is, -1 for the others, and 0 for all
    /// where the value is missing. The greatest decides what comes out.
    Category {
        /// Names of the categories.
        names: Vec<String>,
    },
    /// One number: the position in the order of the levels, transformed.
    Ordinal {
        /// Names of the levels, the lowest first.
        levels: Vec<String>,
        /// From the position, counted from 0, to the scale of the noise.
        transform: Transform,
    },
    /// No number: every row has this value.
    Constant {
        /// The value, as a cell holds it.
        value: String,
    },
}

/// What is done with a category that the training rows do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unseen {
    /// An error names it.
    #[default]
    Refuse,
    /// It counts as a missing value.
    Missing,
}

impl Codec {
    /// How many numbers a value becomes.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Number { .. } | Self::Ordinal { .. } => 1,
            Self::Category { names } => names.len(),
            Self::Constant { .. } => 0,
        }
    }

    /// Whether a value is a whole number, or the position of a level.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Number { whole: true, .. } | Self::Ordinal { .. })
    }

    /// The transform of a column that becomes one number; nothing for other columns.
    #[must_use]
    pub fn transform(&self) -> Option<&Transform> {
        match self {
            Self::Number { transform, .. } | Self::Ordinal { transform, .. } => Some(transform),
            _ => None,
        }
    }
}

impl Coded {
    /// Refuses what no fit gives, since a file can hold anything.
    pub(crate) fn check(&self) -> Result<(), TableError> {
        let distinct = |names: &[String]| {
            !names.is_empty() && names.iter().collect::<HashSet<_>>().len() == names.len()
        };
        let constant = matches!(self.codec, Codec::Constant { .. });
        let what = match &self.codec {
            Codec::Number { min, max, .. }
                if !(min.is_finite() && max.is_finite() && min <= max) =>
            {
                "its range is none"
            }
            Codec::Category { names } | Codec::Ordinal { levels: names, .. }
                if !distinct(names) =>
            {
                "its names are not different"
            }
            codec if codec.transform().is_some_and(|transform| !transform.is_sound()) => {
                "its transform does not increase"
            }
            _ if (self.role == Role::Constant) != constant || self.role == Role::Dropped => {
                "its role does not fit"
            }
            _ => return Ok(()),
        };
        Err(TableError::Damaged { column: self.name.clone(), what })
    }
}
