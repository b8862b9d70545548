//! A condition vector as an embedding.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::Activation;

use crate::condition::Condition;
use crate::graph::{Graph, Inputs, Value};
use crate::layer::linear;

/// Two linear layers with SiLU between them over the numbers of a condition and a flag that says
/// whether they are hidden: `W2 silu(W1 [c, hidden] + b1) + b2`.
///
/// Numbers are best standardised before: a network cannot tell a year from the next.
#[derive(Module, Debug)]
pub struct VectorEmbedding {
    inner: Linear,
    outer: Linear,
    size: usize,
}

impl VectorEmbedding {
    /// `size` numbers mapped to `width`.
    ///
    /// # Panics
    /// When a number is zero.
    #[must_use]
    pub fn new(size: usize, width: usize, device: &Device) -> Self {
        assert!(0 < size && 0 < width, "expected sizes of at least 1, got {size} and {width}");
        Self {
            inner: LinearConfig::new(size + 1, width).init(device),
            outer: LinearConfig::new(width, width).init(device),
            size,
        }
    }

    /// The embedding of [`Condition::vector`], zero in its place where it is hidden.
    ///
    /// # Shapes
    /// - output: `[B, width]`
    ///
    /// # Panics
    /// When the condition has no vector of this size.
    #[must_use]
    pub fn forward(&self, condition: &Condition) -> Tensor<2> {
        let c = condition.expect_vector(self.size);
        linear(&self.outer, linear(&self.inner, c, Activation::Silu), Activation::Identity)
    }

    /// The same as operations; nothing if there is no vector.
    pub(crate) fn graph(&self, graph: &mut dyn Graph, inputs: &Inputs) -> Option<Value> {
        let c = inputs.flagged(graph, inputs.vector?, 1, 2)?;
        let hidden = graph.linear(&self.inner, c, Activation::Silu);
        Some(graph.linear(&self.outer, hidden, Activation::Identity))
    }

    /// Numbers in a condition.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }
}
