//! Tensors as states, and gradients from the autodiff tape.
//!
//! The batch is the first dimension. Times and weights stay `f64` on the host; the state keeps its
//! own precision, so an `f32` solve does not stall at small steps.

mod autodiff;
mod state;

pub use autodiff::AutodiffField;
