//! Arrays of PyTorch and safetensors files, read without executing anything and within bounds.
//!
//! [`Checkpoint`] is a file, [`Part`] one of the states in it. See the README of the crate.

mod array;
mod checkpoint;
mod error;
mod pickle;

pub use array::{Array, Part};
pub use checkpoint::Checkpoint;
pub use error::ReadError;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
