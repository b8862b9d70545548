//! From a trained network to samples and densities.
