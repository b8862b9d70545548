//! Trained flow-matching models as ONNX files, for programs that know neither Rust nor Burn.
//!
//! [`network()`] writes the network of a model, and [`sampler()`] a whole sampler: a loop around
//! the network with the number of steps, the noise, the conditions and the strength of guidance as
//! inputs; [`pair()`] writes both. The batch is any number of rows. Networks list their operations
//! by [`Network::graph`](flow_nn::Network::graph), and here each operation becomes a node.
//!
//! Files need version 17 of ONNX's operators, and hold the text of `model.toml` in their metadata
//! under `flow.model`.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use flow_model::Model;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::open("m.flow", &Device::flex())?;
//! std::fs::write("network.onnx", flow_onnx::network(&model)?)?;
//! std::fs::write("sampler.onnx", flow_onnx::sampler(&model, None)?)?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod error;
mod file;
mod inputs;
mod network;
mod pair;
mod proto;
mod sampler;

pub use error::OnnxError;
pub use network::network;
pub use pair::{Pair, pair};
pub use sampler::sampler;

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
