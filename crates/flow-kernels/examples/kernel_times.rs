//! Times each kernel against the same work in stock Burn, both in one process.
//!
//! `cargo run --release -p flow-kernels --features flex --example kernel_times`, with
//! `RAYON_NUM_THREADS=1` for one thread. Prints the minimum of interleaved samples in microseconds
//! and the ratio stock / kernel, for the forward pass without a tape and for forward and backward;
//! beside them the kernel with operands rounded to bf16, if it has one and the CPU has them.
#![allow(clippy::print_stdout, reason = "the table is this program's result")]

use std::time::Instant;

use burn::tensor::{
    Device, Distribution, Tensor,
    activation::{silu, softmax},
    module,
    ops::ConvOptions,
};
use flow_kernels::{
    Activation, Precision, attention, conv2d_in, group_norm_act, linear_act_in, upsample_nearest,
};

const SAMPLES: usize = 15;

/// An operation on flat tensors.
type Operation = fn(&[Tensor<1>]) -> Tensor<1>;

/// One piece of work, by stock Burn, by a kernel, and by a kernel that rounds its operands.
struct Work {
    name: &'static str,
    lens: Vec<usize>,
    stock: Operation,
    kernel: Operation,
    rounded: Option<Operation>,
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    x.flatten(0, D - 1)
}

fn reshaped<const D: usize>(x: &Tensor<1>, dims: [usize; D]) -> Tensor<D> {
    x.clone().reshape(dims)
}

const IMAGES: [usize; 4] = [64, 64, 32, 32];

const WEIGHT: [usize; 4] = [64, 64, 3, 3];

fn conv(t: &[Tensor<1>], precision: Precision) -> Tensor<1> {
    let (x, weight) = (reshaped(&t[0], IMAGES), reshaped(&t[1], WEIGHT));
    flat(conv2d_in(x, weight, Some(t[2].clone()), 1, 1, precision))
}

fn conv_work() -> Work {
    Work {
        name: "conv 3x3, 64 -> 64, 32x32, batch 64",
        lens: vec![IMAGES.iter().product(), WEIGHT.iter().product(), 64],
        stock: |t| {
            let options = ConvOptions::new([1; 2], [1; 2], [1; 2], 1);
            let (x, weight) = (reshaped(&t[0], IMAGES), reshaped(&t[1], WEIGHT));
            flat(module::conv2d(x, weight, Some(t[2].clone()), options))
        },
        kernel: |t| conv(t, Precision::F32),
        rounded: Some(|t| conv(t, Precision::Bf16)),
    }
}

fn norm_work() -> Work {
    Work {
        name: "group norm + SiLU, 4.2 M",
        lens: vec![IMAGES.iter().product(), 64, 64],
        stock: |t| {
            let x = t[0].clone().reshape([64, 8, 8 * 32 * 32]);
            let centred = x.clone() - x.mean_dim(2);
            let deviation = (centred.clone().square().mean_dim(2) + 1e-5).sqrt();
            let x_hat = (centred / deviation).reshape(IMAGES);
            let [scale, shift] = [1, 2].map(|i| reshaped(&t[i], [1, 64, 1, 1]));
            flat(silu(x_hat * scale + shift))
        },
        kernel: |t| {
            let [scale, shift] = [1, 2].map(|i| reshaped(&t[i], [1, 64]));
            let x = reshaped(&t[0], IMAGES);
            flat(group_norm_act(x, 8, 1e-5, scale, shift, Activation::Silu))
        },
        rounded: None,
    }
}

fn attention_work() -> Work {
    const HEADS: [usize; 4] = [64, 4, 64, 16];
    Work {
        name: "attention, batch 64, 4 heads, 64 x 16",
        lens: vec![HEADS.iter().product(); 3],
        stock: |t| {
            let [q, k, v] = [0, 1, 2].map(|i| reshaped(&t[i], HEADS));
            flat(softmax(q.matmul(k.transpose()) / 4.0, 3).matmul(v))
        },
        kernel: |t| {
            let [q, k, v] = [0, 1, 2].map(|i| reshaped(&t[i], HEADS));
            flat(attention(q, k, v))
        },
        rounded: None,
    }
}

fn linear(t: &[Tensor<1>], precision: Precision) -> Tensor<1> {
    let (x, weight) = (reshaped(&t[0], [4096, 256]), reshaped(&t[1], [256, 256]));
    flat(linear_act_in(x, weight, Some(t[2].clone()), Activation::Silu, precision))
}

fn linear_work() -> Work {
    Work {
        name: "linear + SiLU, 4096 x 256 -> 256",
        lens: vec![4096 * 256, 256 * 256, 256],
        stock: |t| {
            let (x, weight) = (reshaped(&t[0], [4096, 256]), reshaped(&t[1], [256, 256]));
            flat(silu(module::linear(x, weight, Some(t[2].clone()))))
        },
        kernel: |t| linear(t, Precision::F32),
        rounded: Some(|t| linear(t, Precision::Bf16)),
    }
}

fn upsample_work() -> Work {
    Work {
        name: "nearest x2, 64 x 64 x 16 x 16",
        lens: vec![64 * 64 * 16 * 16],
        stock: |t| {
            let x = reshaped(&t[0], [64, 64, 16, 1, 16, 1]);
            flat(x.expand([64, 64, 16, 2, 16, 2]))
        },
        kernel: |t| flat(upsample_nearest(reshaped(&t[0], [64, 64, 16, 16]), 2)),
        rounded: None,
    }
}

fn random(lens: &[usize], device: &Device) -> Vec<Tensor<1>> {
    lens.iter().map(|&len| Tensor::random([len], Distribution::Normal(0.0, 1.0), device)).collect()
}

fn microseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

/// Minima over interleaved samples.
fn compare(ops: &[Operation], time: impl Fn(Operation) -> f64) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; ops.len()];
    for _ in 0..SAMPLES {
        for (best, &op) in best.iter_mut().zip(ops) {
            *best = best.min(time(op));
        }
    }
    best
}

fn forward(op: Operation, inputs: &[Tensor<1>]) -> f64 {
    microseconds(|| drop(op(inputs)))
}

fn forward_and_backward(op: Operation, inputs: &[Tensor<1>]) -> f64 {
    let leaves: Vec<_> = inputs.iter().map(|x| x.clone().autodiff().require_grad()).collect();
    microseconds(|| drop((op(&leaves)).sum().backward()))
}

fn main() {
    let device = Device::flex();
    println!("| work | pass | stock us | kernel us | stock / kernel | kernel in bf16 us |");
    println!("|---|---|---|---|---|---|");
    for work in [conv_work(), norm_work(), attention_work(), linear_work(), upsample_work()] {
        let inputs = random(&work.lens, &device);
        let rounded = work.rounded.filter(|_| Precision::Bf16.is_native_to(&device));
        let ops: Vec<Operation> = [work.stock, work.kernel].into_iter().chain(rounded).collect();
        for (pass, time) in [
            ("forward", forward as fn(_, &[Tensor<1>]) -> f64),
            ("with backward", forward_and_backward),
        ] {
            let best = compare(&ops, |op| time(op, &inputs));
            let (stock, kernel) = (best[0], best[1]);
            let rounded = best.get(2).map_or(String::new(), |us| format!("{us:.0}"));
            println!(
                "| {} | {pass} | {stock:.0} | {kernel:.0} | {:.2} | {rounded} |",
                work.name,
                stock / kernel
            );
        }
    }
}
