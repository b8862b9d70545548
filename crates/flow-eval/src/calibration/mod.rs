//! Calibration of posteriors, over many observations.

pub(crate) mod bands;
pub(crate) mod histogram;
pub(crate) mod ranks;
pub(crate) mod verdict;
