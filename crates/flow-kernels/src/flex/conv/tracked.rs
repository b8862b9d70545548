//! The convolution as a step of a tape.

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

use crate::Precision;

use super::{
    Geometry, bias_gradient, contiguous, convolve, dims, input_gradient, slice, weight_gradient,
};

pub(in crate::flex) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    weight: FloatTensor<Autodiff<Flex, C>>,
    bias: FloatTensor<Autodiff<Flex, C>>,
    stride: usize,
    padding: usize,
    precision: Precision,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), weight.node(), bias.node()];
    let [x, weight, bias] = [x, weight, bias].map(|t| contiguous(t.into_primitive()));
    let geometry = Geometry::new(dims(&x), dims(&weight), stride, padding);
    let y = convolve(&geometry, precision, slice(&x), slice(&weight), slice(&bias));
    match Step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::UnTracked(prep) => prep.finish(y),
        OpsKind::Tracked(prep) => prep.finish(Saved { geometry, x, weight, precision }, y),
    }
}

#[derive(Clone, Debug)]
struct Saved {
    geometry: Geometry,
    x: FlexTensor,
    weight: FlexTensor,
    precision: Precision,
}

#[derive(Debug)]
struct Step;

impl Backward<Flex, 3> for Step {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let g = contiguous(grads.consume::<Flex>(&ops.node));
        let Saved { geometry, x, weight, precision } = ops.state;
        let (x, weight, g) = (slice(&x), slice(&weight), slice(&g));
        let [x_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, input_gradient(&geometry, precision, g, weight));
        }
        if let Some(node) = weight_node {
            grads.register::<Flex>(node.id, weight_gradient(&geometry, precision, x, g));
        }
        if let Some(node) = bias_node {
            grads.register::<Flex>(node.id, bias_gradient(&geometry, g));
        }
    }
}
