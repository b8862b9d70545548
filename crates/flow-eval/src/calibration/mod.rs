//! Calibration of posteriors, over many observations.

pub(crate) mod bands;
pub(crate) mod ranks;
pub(crate) mod verdict;
