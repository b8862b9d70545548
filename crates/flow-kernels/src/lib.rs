//! The few operations that dominate on a CPU, fused; plain Burn on every other backend.
//!
//! Each function has two bodies. The *composition* of Burn operations defines the result and runs
//! on any backend in any precision. The *kernel* computes the same numbers in fewer passes over
//! memory, with a hand-written gradient, when the tensors are `f32` and live on burn-flex (with or
//! without autodiff) and this crate is built with its feature `flex`. Callers see one function; the
//! choice is made at run time from the tensor.
//!
//! | function | in one pass |
//! |---|---|
//! | [`conv2d`], [`conv2d_in`] | convolution and bias; in a [`Precision`] |
//! | [`group_norm_act`] | group normalisation, scale and shift per channel, activation |
//! | [`linear_act`], [`linear_act_in`] | matrix product, bias, activation; in a [`Precision`] |
//! | [`attention`], [`attention_within`] | scaled dot-product attention, no saved score matrix; within the length of each sample |
//! | [`upsample_nearest`] | replication, its gradient a block sum |
//! | [`adamw`], [`blend`], [`sum_of_squares`], [`scale`] | a step of the optimizer, a moving average, clipping |
//!
//! [`recomputed`] is a part of a network as one step of a tape, which computes it a second time in
//! place of keeping it. [`fill_normal`] draws noise on the host, on all threads; [`on_pool`] runs
//! what consists of many short loops where they need not wake the threads.
//!
//! Kernels cut their work into pieces whose borders depend on the shapes alone and add partial sums
//! in a fixed order. A result is therefore the same bits from run to run and for any number of
//! threads on one machine. Between machines the instruction set decides the last bits.

mod activation;
mod adamw_step;
mod attention;
mod conv;
#[cfg(feature = "flex")]
mod flex;
mod linear;
mod native;
mod norm;
mod optimize;
mod part;
mod pool;
mod precision;
mod random;
mod recompute;
mod resample;

pub use activation::Activation;
pub use adamw_step::AdamWStep;
pub use attention::{attention, attention_within};
pub use conv::{conv2d, conv2d_in};
pub use linear::{linear_act, linear_act_in};
pub use norm::group_norm_act;
pub use optimize::{adamw, blend, scale, sum_of_squares};
pub use part::Recomputed;
pub use pool::on_pool;
pub use precision::Precision;
pub use random::fill_normal;
pub use recompute::recomputed;
pub use resample::upsample_nearest;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
