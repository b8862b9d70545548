//! Flow matching: generative models trained by regression and sampled by an ordinary differential
//! equation.
//!
//! A probability path leads from noise to data; a network learns the velocity of that path from
//! pairs of noise and data, without simulation; a solver follows the velocity from fresh noise to
//! new samples.
//!
//! | module | holds |
//! |---|---|
//! | [`path`] | probability paths, couplings, predictions and exact fields: what is regressed |
//! | [`transport`] | optimal transport between finite sets, which couplings and scores use |
//! | [`nn`] | networks `f(x, t, c)` |
//! | [`train`] | training, resumable bit for bit |
//! | [`ode`] | solvers for initial-value problems |
//! | [`sample`] | from a trained network to samples |
//! | [`eval`] | scores, each beside its floor |
//! | [`plot`] | pictures from plain numbers |
//! | [`datasets`] | toys, embedded digits, readers of image sets |
//!
//! Each module is a crate of its own, `flow-path` and so on. The whole method on one page is
//! `examples/one_page.rs`. The backend is a feature: `flex` here, or any of Burn's own.
//!
//! # Reference
//! Lipman, Chen, Ben-Hamu, Nickel & Le (2023), "Flow Matching for Generative Modeling",
//! arXiv:2210.02747.

pub use flow_path as path;

pub use flow_transport as transport;

pub use flow_nn as nn;

pub use flow_train as train;

pub use flow_ode as ode;

pub use flow_sample as sample;

pub use flow_eval as eval;

pub use flow_plot as plot;

pub use flow_datasets as datasets;

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
