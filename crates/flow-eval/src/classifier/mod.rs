//! Scores by a classifier that learns to tell two sets apart.

pub(crate) mod c2st;
mod network;
