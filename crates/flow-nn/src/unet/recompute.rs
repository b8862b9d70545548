//! Residual branches whose inside a tape does not keep.

use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::tensor::Tensor;
use flow_kernels::Precision;

use super::block::ResidualBlock;
use crate::recompute::{Part, recomputed};

/// [`ResidualBlock::branch`] as one step of the tape.
///
/// The sum with what goes around the branch stays outside: gradients of images that are skips too
/// are then added up in the order that they have without such steps, and have the same bits.
pub(super) fn branch(
    block: &ResidualBlock,
    x: Tensor<4>,
    scale: Tensor<2>,
    shift: Tensor<2>,
    precision: Precision,
) -> Tensor<4> {
    let [batch, _, height, width] = x.dims();
    let part = Branch { block: block.clone(), sides: [height, width], precision };
    let y = recomputed(&part, x.flatten(2, 3), Tensor::cat(vec![scale, shift], 1));
    y.reshape([batch, block.channels(), height, width])
}

/// A block over images of this height and width.
#[derive(Clone, Debug)]
struct Branch {
    block: ResidualBlock,
    sides: [usize; 2],
    precision: Precision,
}

impl Part for Branch {
    fn forward(&self, x: Tensor<3>, c: Tensor<2>) -> Tensor<3> {
        let ([batch, from, _], [height, width]) = (x.dims(), self.sides);
        let channels = self.block.channels();
        let [scale, shift] = [0, channels].map(|at| c.clone().narrow(1, at, channels));
        let x = x.reshape([batch, from, height, width]);
        self.block.branch(x, scale, shift, self.precision).flatten(2, 3)
    }

    fn untracked(&self) -> Self {
        Self { block: self.block.valid(), ..*self }
    }

    fn visit_layers(&self, visitor: &mut impl ModuleVisitor) {
        self.block.visit_branch(visitor);
    }

    fn map_layers(self, mapper: &mut impl ModuleMapper) -> Self {
        Self { block: self.block.map_branch(mapper), ..self }
    }
}
