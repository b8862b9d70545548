//! Blocks whose inside a tape does not keep.

use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::tensor::Tensor;

use super::block::Block;
use crate::recompute::{Part, recomputed};

/// [`Block::forward`] as one step of the tape.
pub(super) fn forward(
    block: &Block,
    h: Tensor<3>,
    condition: &Tensor<2>,
    lengths: Option<&Arc<[usize]>>,
) -> Tensor<3> {
    let part = OnTokens { block: block.clone(), lengths: lengths.cloned() };
    recomputed(&part, h, block.asked(condition))
}

/// What a block does with tokens, and the lengths of the rows that it was given.
#[derive(Clone, Debug)]
struct OnTokens {
    block: Block,
    lengths: Option<Arc<[usize]>>,
}

impl Part for OnTokens {
    fn forward(&self, h: Tensor<3>, modulation: Tensor<2>) -> Tensor<3> {
        self.block.on_tokens(h, modulation, self.lengths.as_ref())
    }

    fn untracked(&self) -> Self {
        Self { block: self.block.valid(), lengths: self.lengths.clone() }
    }

    fn visit_layers(&self, visitor: &mut impl ModuleVisitor) {
        self.block.visit_layers(visitor);
    }

    fn map_layers(self, mapper: &mut impl ModuleMapper) -> Self {
        Self { block: self.block.map_layers(mapper), ..self }
    }
}
