//! Replication of pixels; its gradient sums blocks.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

use std::mem::MaybeUninit;

use burn::backend::{
    Autodiff, Flex, autodiff::checkpoint::strategy::CheckpointStrategy, flex::FlexTensor,
    tensor::FloatTensor,
};

use super::{buffer::written, contiguous, dims, parallel::for_each, slice, tape, tensor};

pub(super) fn forward(x: FlexTensor, factor: usize) -> FlexTensor {
    let x = contiguous(x);
    let [batch, channels, h, w] = dims(&x);
    let wide = w * factor;
    let write = |y: &mut [MaybeUninit<f32>]| {
        let len = y.len();
        let rows = y.chunks_mut((h * factor * wide).max(1)).zip(slice(&x).chunks((h * w).max(1)));
        for_each(rows, len, |(y, x)| {
            for (y, x) in y.chunks_mut(factor * wide).zip(x.chunks(w)) {
                let (first, copies) = y.split_at_mut(wide);
                for (block, &x) in first.chunks_mut(factor).zip(x) {
                    block.fill(MaybeUninit::new(x));
                }
                for copy in copies.chunks_mut(wide) {
                    copy.copy_from_slice(first);
                }
            }
        });
    };
    // SAFETY: each input row fills the `factor` output rows that it stands for.
    let y = unsafe { written(batch * channels * h * factor * wide, write) };
    tensor(y, [batch, channels, h * factor, wide])
}

/// `dL/dx`: the sum of `g = dL/dy` over each block.
fn backward(g: FlexTensor, factor: usize) -> FlexTensor {
    let g = contiguous(g);
    let [batch, channels, tall, wide] = dims(&g);
    let (h, w) = (tall / factor, wide / factor);
    let mut x_grad = vec![0.0; batch * channels * h * w];
    let planes = x_grad.chunks_mut((h * w).max(1)).zip(slice(&g).chunks((tall * wide).max(1)));
    for_each(planes, batch * channels * tall * wide, |(x_grad, g)| {
        for (x_grad, g) in x_grad.chunks_mut(w).zip(g.chunks(factor * wide)) {
            for g in g.chunks(wide) {
                for (x, block) in x_grad.iter_mut().zip(g.chunks(factor)) {
                    *x += block.iter().sum::<f32>();
                }
            }
        }
    });
    tensor(x_grad, [batch, channels, h, w])
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    factor: usize,
) -> FloatTensor<Autodiff<Flex, C>> {
    let (x, node) = x.into_parts();
    let y = forward(x, factor);
    tape::record::<C, _, 1>([node], y, |_| Saved { factor })
}

#[derive(Clone, Debug)]
struct Saved {
    factor: usize,
}

impl tape::Saved<1> for Saved {
    fn gradients(self, g: FlexTensor, [asked]: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [asked.then(|| backward(g, self.factor))]
    }
}
