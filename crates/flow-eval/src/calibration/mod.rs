//! Whether posteriors are as wide as they should be, over many observations.

pub(crate) mod bands;
pub(crate) mod histogram;
pub(crate) mod ranks;
pub(crate) mod verdict;
