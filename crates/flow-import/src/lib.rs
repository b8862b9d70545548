#![doc = include_str!("../README.md")]

mod error;
mod family;
mod import;
mod map;
mod mlp;
mod network;
mod operation;
mod transformer;

pub use error::ImportError;
pub use family::Family;
pub use import::{Import, Imported};
pub use network::{TorchcfmMlp, TorchcfmMlpConfig, registry};
