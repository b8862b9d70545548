//! A latent as a vector.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::Activation;

use crate::graph::{Graph, Value};
use crate::layer::linear;

/// Two linear layers with SiLU between them: `W2 silu(W1 z + b1) + b2`.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, section 4.4.
#[derive(Module, Debug)]
pub struct LatentEmbedding {
    inner: Linear,
    outer: Linear,
    size: usize,
}

impl LatentEmbedding {
    /// `size` numbers mapped to `width`, then to `output`.
    ///
    /// # Panics
    /// When a number is zero.
    #[must_use]
    pub fn new(size: usize, width: usize, output: usize, device: &Device) -> Self {
        assert!(
            0 < size && 0 < width && 0 < output,
            "expected sizes of at least 1, got {size}, {width} and {output}"
        );
        Self {
            inner: LinearConfig::new(size, width).init(device),
            outer: LinearConfig::new(width, output).init(device),
            size,
        }
    }

    /// # Shapes
    /// - `z`: `[B, size]`, output: `[B, output]`
    #[must_use]
    pub fn forward(&self, z: Tensor<2>) -> Tensor<2> {
        linear(&self.outer, linear(&self.inner, z, Activation::Silu), Activation::Identity)
    }

    /// The same as operations, `[B, size] -> [B, output]`.
    pub(crate) fn graph(&self, graph: &mut dyn Graph, z: Value) -> Value {
        let hidden = graph.linear(&self.inner, z, Activation::Silu);
        graph.linear(&self.outer, hidden, Activation::Identity)
    }

    /// Numbers in a latent.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }
}
