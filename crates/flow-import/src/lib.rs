//! Networks that other programs trained, as models of ours.
//!
//! [`Import`] reads a file of a [`Family`] and gives a `flow_model::Model`. See the README of the
//! crate.

mod claims;
mod error;
mod family;
mod import;
mod known;
mod map;
mod mlp;
mod network;
mod operation;
mod scheduler;
mod transformer;
mod unet;

pub use error::ImportError;
pub use family::Family;
pub use import::{Import, Imported};
pub use network::{TorchcfmMlp, TorchcfmMlpConfig, registry};
pub use unet::{AdmUNet, AdmUNetConfig, Heads};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
