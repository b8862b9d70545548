//! The convolution as a step of a tape.

use burn::backend::{
    Autodiff, Flex, autodiff::checkpoint::strategy::CheckpointStrategy, flex::FlexTensor,
    tensor::FloatTensor,
};

use super::super::tape;
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
    tape::record::<C, _, 3>(nodes, y, |_| Saved { geometry, x, weight, precision })
}

#[derive(Clone, Debug)]
struct Saved {
    geometry: Geometry,
    x: FlexTensor,
    weight: FlexTensor,
    precision: Precision,
}

impl tape::Saved<3> for Saved {
    fn gradients(self, g: FlexTensor, asked: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let Self { geometry, x, weight, precision } = self;
        let g = contiguous(g);
        let (x, weight, g) = (slice(&x), slice(&weight), slice(&g));
        [
            asked[0].then(|| input_gradient(&geometry, precision, g, weight)),
            asked[1].then(|| weight_gradient(&geometry, precision, x, g)),
            asked[2].then(|| bias_gradient(&geometry, g)),
        ]
    }
}
