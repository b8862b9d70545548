//! A class as a vector, with one more vector for "no class".

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Device, Int, Tensor};

use crate::graph::{Graph, Value};

/// Learned vectors of `classes` classes and of the null class, whose index is `classes`.
///
/// # Reference
/// Ho & Salimans (2022), "Classifier-Free Diffusion Guidance", arXiv:2207.12598, section 3.2.
#[derive(Module, Debug)]
pub struct ClassEmbedding {
    table: Embedding,
    classes: usize,
}

impl ClassEmbedding {
    /// Vectors of `width` numbers for `classes` classes and the null class.
    ///
    /// # Panics
    /// When a number is zero.
    #[must_use]
    pub fn new(classes: usize, width: usize, device: &Device) -> Self {
        assert!(
            0 < classes && 0 < width,
            "expected at least one class and one number, got {classes} and {width}"
        );
        let table = EmbeddingConfig::new(classes + 1, width)
            .with_initializer(Initializer::Normal { mean: 0.0, std: 1.0 })
            .init(device);
        Self { table, classes }
    }

    /// # Shapes
    /// - `class`: `[B]` or `None` for the null class throughout, output: `[B, width]`
    ///
    /// # Panics
    /// When `class` has another number of rows, or, on the CPU, a class beyond the null class.
    #[must_use]
    pub fn forward(&self, class: Option<&Tensor<1, Int>>, batch: usize) -> Tensor<2> {
        if let Some(class) = class {
            let [rows] = class.dims();
            assert!(rows == batch, "expected the classes of {batch} rows, got those of {rows}");
        }
        let class = class.cloned().unwrap_or_else(|| {
            let device = self.table.weight.val().device();
            Tensor::full([batch], self.classes as i64, &device)
        });
        self.table.forward(class.unsqueeze_dim(1)).squeeze_dim(1)
    }

    /// The vectors of classes `[B]` as operations, `[B, width]`.
    pub fn graph(&self, graph: &mut dyn Graph, class: Value) -> Value {
        let table = graph.param(&self.table.weight);
        graph.gather(table, class)
    }

    /// Number of classes, the null class not counted.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }
}
