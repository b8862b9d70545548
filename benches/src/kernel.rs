//! The fused operations, alone or with their gradients.

use std::hint::black_box;

use burn::tensor::Tensor;
use flow_kernels::{Activation, attention, conv2d, group_norm_act, linear_act, upsample_nearest};

use crate::{Work, noise};

/// How far an operation is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The result alone, without a tape.
    Forward,
    /// The result and the gradient of each operand.
    WithBackward,
}

/// 64 images of 64 channels and 32x32 pixels.
const IMAGES: [usize; 4] = [64, 64, 32, 32];

/// Side of the matrices of [`product`].
const SIDE: usize = 2048;

/// A product of two square matrices: the pace of the machine's arithmetic that networks are held
/// against.
#[must_use]
pub fn product() -> Work {
    let [a, b] = [1, 2].map(|seed| noise::tensor([SIDE, SIDE], seed));
    let run = move || drop(black_box(a.clone().matmul(b.clone())));
    Work::new(run).with_products((SIDE as f64).powi(3))
}

/// A 3x3 convolution with its gradients, 64 channels to 64.
#[must_use]
pub fn conv_3x3() -> Work {
    conv(Pass::WithBackward)
}

/// Group norm and SiLU with their gradients.
#[must_use]
pub fn norm_silu() -> Work {
    norm(Pass::WithBackward)
}

/// A 3x3 convolution, 64 channels to 64.
#[must_use]
pub fn conv(pass: Pass) -> Work {
    const WEIGHT: [usize; 4] = [64, 64, 3, 3];
    work(pass, &[&IMAGES, &WEIGHT, &[64]], |t| {
        let (x, weight) = (t[0].clone().reshape(IMAGES), t[1].clone().reshape(WEIGHT));
        flat(conv2d(x, weight, Some(t[2].clone()), 1, 1))
    })
}

/// Group norm of 8 groups, scale and shift per channel, SiLU.
#[must_use]
pub fn norm(pass: Pass) -> Work {
    work(pass, &[&IMAGES, &[64], &[64]], |t| {
        let [scale, shift] = [1, 2].map(|i| t[i].clone().reshape([1, 64]));
        let x = t[0].clone().reshape(IMAGES);
        flat(group_norm_act(x, 8, 1e-5, scale, shift, Activation::Silu))
    })
}

/// A layer of an MLP with SiLU, 4096 rows of 256.
#[must_use]
pub fn linear(pass: Pass) -> Work {
    work(pass, &[&[4096, 256], &[256, 256], &[256]], |t| {
        let (x, weight) = (t[0].clone().reshape([4096, 256]), t[1].clone().reshape([256, 256]));
        flat(linear_act(x, weight, Some(t[2].clone()), Activation::Silu))
    })
}

/// Attention of 4 heads over 64 positions of 16 channels, batch 64.
#[must_use]
pub fn attend(pass: Pass) -> Work {
    const HEADS: [usize; 4] = [64, 4, 64, 16];
    work(pass, &[&HEADS, &HEADS, &HEADS], |t| {
        let [q, k, v] = [0, 1, 2].map(|i| t[i].clone().reshape(HEADS));
        flat(attention(q, k, v))
    })
}

/// 64 images of 64 channels from 16x16 pixels to 32x32.
#[must_use]
pub fn upsample(pass: Pass) -> Work {
    const SMALL: [usize; 4] = [64, 64, 16, 16];
    work(pass, &[&SMALL], |t| flat(upsample_nearest(t[0].clone().reshape(SMALL), 2)))
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    x.flatten(0, D - 1)
}

/// An operation on flat operands of these shapes; what it reshapes, it does not copy.
fn work(pass: Pass, shapes: &[&[usize]], op: fn(&[Tensor<1>]) -> Tensor<1>) -> Work {
    let sizes = shapes.iter().map(|shape| shape.iter().product());
    let operands: Vec<Tensor<1>> =
        (1..).zip(sizes).map(|(seed, size)| noise::tensor([size], seed)).collect();
    Work::new(move || match pass {
        Pass::Forward => drop(black_box(op(&operands))),
        Pass::WithBackward => {
            let leaves: Vec<_> =
                operands.iter().map(|x| x.clone().autodiff().require_grad()).collect();
            black_box(op(&leaves).sum().backward());
        }
    })
}
