//! Blocks whose inside a tape does not keep.

use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use flow_kernels::Recomputed;

use super::block::Block;

/// Why there are gradients of everything.
const REACHED: &str = "whatever goes into a block reaches what comes out of it";

/// [`Block::forward`] as one step of the tape, which keeps `h` and computes what is between in its
/// backward pass; the same without where there is no such step.
pub(super) fn forward(
    block: &Block,
    h: Tensor<3>,
    condition: &Tensor<2>,
    lengths: Option<&Arc<[usize]>>,
) -> Tensor<3> {
    let modulation = block.asked(condition);
    let part = || -> Arc<dyn Recomputed> {
        Arc::new(Part { block: block.valid(), lengths: lengths.cloned() })
    };
    let step = flow_kernels::recomputed(&h, &modulation, || row(block, None), part);
    step.unwrap_or_else(|| block.on_tokens(h, modulation, lengths))
}

/// A block without a tape, and the lengths of the rows that it was given.
#[derive(Debug)]
struct Part {
    block: Block,
    lengths: Option<Arc<[usize]>>,
}

impl Recomputed for Part {
    fn forward(&self, h: Tensor<3>, modulation: Tensor<2>) -> Tensor<3> {
        self.block.on_tokens(h, modulation, self.lengths.as_ref())
    }

    fn gradients(
        &self,
        h: Tensor<3>,
        modulation: Tensor<2>,
        g: Tensor<3>,
    ) -> (Tensor<3>, Tensor<2>, Tensor<1>) {
        let (h, modulation) = (h.autodiff().require_grad(), modulation.autodiff().require_grad());
        let block = self.block.clone().map_layers(&mut Leaves);
        let y = block.on_tokens(h.clone(), modulation.clone(), self.lengths.as_ref());
        let gradients = (y * g.autodiff()).sum().backward();
        let weights = row(&block, Some(&gradients));
        (h.grad(&gradients).expect(REACHED), modulation.grad(&gradients).expect(REACHED), weights)
    }
}

/// Weights as the beginnings of a tape.
struct Leaves;

impl ModuleMapper for Leaves {
    fn map_float<const D: usize>(&mut self, weight: Param<Tensor<D>>) -> Param<Tensor<D>> {
        weight.map(|weight| weight.autodiff().require_grad())
    }
}

/// The weights of the layers of a block in one row, or their gradients.
fn row(block: &Block, gradients: Option<&Gradients>) -> Tensor<1> {
    let mut row = Row { gradients, parts: Vec::new() };
    block.visit_layers(&mut row);
    Tensor::cat(row.parts, 0)
}

struct Row<'a> {
    gradients: Option<&'a Gradients>,
    parts: Vec<Tensor<1>>,
}

impl ModuleVisitor for Row<'_> {
    fn visit_float<const D: usize>(&mut self, weight: &Param<Tensor<D>>) {
        let weight = weight.val();
        let part = match self.gradients {
            Some(gradients) => weight.grad(gradients).expect(REACHED),
            None => weight,
        };
        let count = part.shape().num_elements();
        self.parts.push(part.reshape([count]));
    }
}
