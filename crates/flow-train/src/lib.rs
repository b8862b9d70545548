//! Simulation-free training on burn-train: objectives, loader, EMA, checkpoints.
