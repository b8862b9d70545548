//! Scores of features and class probabilities: fidelity and variety apart.

pub(crate) mod inception;
mod neighbours;
pub(crate) mod support;
