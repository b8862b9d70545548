//! Distances between two sets of points.

pub(crate) mod assignment;
pub(crate) mod energy;
pub(crate) mod exact;
pub(crate) mod frechet;
pub(crate) mod kernel;
pub(crate) mod mmd;
pub(crate) mod one_dimensional;
pub(crate) mod sliced;
mod two_sample;
