//! A part of a network as one step of a tape, which keeps its inputs alone.

use std::sync::Arc;

use burn::backend::{
    Autodiff, Flex, autodiff::checkpoint::strategy::CheckpointStrategy, flex::FlexTensor,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

use super::{primitive, tape};
use crate::Recomputed;

pub(super) fn forward(x: FlexTensor, c: FlexTensor, part: &dyn Recomputed) -> FlexTensor {
    let (x, c) = (Tensor::from_primitive::<Flex>(x), Tensor::from_primitive::<Flex>(c));
    primitive(part.forward(x, c))
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    c: FloatTensor<Autodiff<Flex, C>>,
    weights: FloatTensor<Autodiff<Flex, C>>,
    part: Arc<dyn Recomputed>,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), c.node(), weights.node()];
    let (x, c) = (x.into_primitive(), c.into_primitive());
    let y = forward(x.clone(), c.clone(), &*part);
    tape::record::<C, _, 3>(nodes, y, |_| Saved { x, c, part })
}

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    c: FlexTensor,
    part: Arc<dyn Recomputed>,
}

impl tape::Saved<3> for Saved {
    fn gradients(self, g: FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let [x, g] = [self.x, g].map(Tensor::from_primitive::<Flex>);
        let c = Tensor::from_primitive::<Flex>(self.c);
        // A tape of its own, which is why it may run while this one is walked.
        let (x, c, weights) = self.part.gradients(x, c, g);
        [primitive(x), primitive(c), primitive(weights)].map(Some)
    }
}
