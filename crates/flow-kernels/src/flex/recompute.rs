//! A part of a network as one step of a tape, which keeps its inputs alone.

use std::sync::Arc;

use burn::backend::{
    Autodiff, Flex,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    flex::FlexTensor,
    tensor::FloatTensor,
};
use burn::tensor::Tensor;

use super::primitive;
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
    match Step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::UnTracked(prep) => prep.finish(y),
        OpsKind::Tracked(prep) => prep.finish(Saved { x, c, part }, y),
    }
}

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    c: FlexTensor,
    part: Arc<dyn Recomputed>,
}

#[derive(Debug)]
struct Step;

impl Backward<Flex, 3> for Step {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let g = Tensor::from_primitive::<Flex>(grads.consume::<Flex>(&ops.node));
        let Saved { x, c, part } = ops.state;
        let (x, c) = (Tensor::from_primitive::<Flex>(x), Tensor::from_primitive::<Flex>(c));
        // A tape of its own, which is why it may run while this one is walked.
        let (x, c, weights) = part.gradients(x, c, g);
        let gradients = [primitive(x), primitive(c), primitive(weights)];
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}
