//! Scores by densities: the target's own, or one estimated from samples.

pub(crate) mod known;
pub(crate) mod parzen;
