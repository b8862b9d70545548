//! Scores of the flow itself: its trajectories, its numerical error, its ambiguity.

pub(crate) mod ambiguity;
pub(crate) mod shape;
pub(crate) mod solver_error;
pub(crate) mod trajectories;
