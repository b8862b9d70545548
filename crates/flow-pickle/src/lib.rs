#![doc = include_str!("../README.md")]

mod array;
mod checkpoint;
mod error;
mod pickle;

pub use array::{Array, Part};
pub use checkpoint::Checkpoint;
pub use error::ReadError;
