//! The kernels against the plain compositions, finite differences and themselves.
//!
//! In `f64` every function is its composition, so comparing `f32` with `f64` compares a kernel with
//! its definition.

mod attention;
mod conv;
mod harness;
mod linear;
mod norm;
mod optimize;
mod precision;
mod recompute;
mod resample;
