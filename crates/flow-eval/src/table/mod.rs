//! Scores of generated tables: rows of numbers and categories.

pub(crate) mod association;
pub(crate) mod column;
pub(crate) mod coverage;
pub(crate) mod gower;
pub(crate) mod marginal;
pub(crate) mod nearest;
pub(crate) mod utility;
