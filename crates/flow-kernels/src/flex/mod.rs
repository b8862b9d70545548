//! The kernels on burn-flex: `extension.rs` makes them operations of the backend, this file calls
//! those on tensors.
#![allow(
    clippy::inline_always,
    reason = "what is not inlined into a `dispatch` is compiled for the baseline instruction set"
)]

mod activation;
mod attention;
mod bf16;
mod buffer;
mod conv;
mod extension;
mod gemm;
mod linear;
mod norm;
mod optimize;
mod parallel;
mod recompute;
mod resample;
mod right;
mod simd;
mod tape;
mod transpose;

use std::sync::Arc;

use burn::{
    backend::{Dispatch, Flex, flex::FlexTensor},
    tensor::{DType, Device, Shape, Tensor, TensorData},
};

use crate::{Activation, AdamWStep, Precision, Recomputed};
use buffer::{Place, written};
use extension::Kernels;

pub(crate) fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
    precision: Precision,
) -> Tensor<4> {
    let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[0]], &x.device()));
    Tensor::from_dispatch(Dispatch::fused_conv2d(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
        padding,
        precision,
    ))
}

pub(crate) fn group_norm_act(
    x: Tensor<4>,
    groups: usize,
    epsilon: f64,
    scale: Tensor<2>,
    shift: Tensor<2>,
    act: Activation,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_group_norm_act(
        x.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        groups,
        epsilon,
        act,
    ))
}

pub(crate) fn linear_act(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
    precision: Precision,
) -> Tensor<2> {
    let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[1]], &x.device()));
    Tensor::from_dispatch(Dispatch::fused_linear_act(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        act,
        precision,
    ))
}

pub(crate) fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    lengths: Option<Arc<[usize]>>,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_attention(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
        lengths,
    ))
}

pub(crate) fn upsample_nearest(x: Tensor<4>, factor: usize) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_upsample_nearest(x.into_dispatch(), factor))
}

pub(crate) fn recomputed(
    x: Tensor<3>,
    c: Tensor<2>,
    weights: Tensor<1>,
    part: Arc<dyn Recomputed>,
) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::recomputed_part(
        x.into_dispatch(),
        c.into_dispatch(),
        weights.into_dispatch(),
        part,
    ))
}

pub(crate) fn adamw<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    means: [Tensor<D>; 2],
    step: &AdamWStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let (weight, means) =
        optimize::adamw(primitive(weight), primitive(gradient), means.map(primitive), step);
    (Tensor::from_primitive::<Flex>(weight), means.map(Tensor::from_primitive::<Flex>))
}

pub(crate) fn blend<const D: usize>(average: Tensor<D>, weight: Tensor<D>, beta: f64) -> Tensor<D> {
    let average = optimize::blend(primitive(average), primitive(weight), beta);
    Tensor::from_primitive::<Flex>(average)
}

pub(crate) fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    Tensor::from_primitive::<Flex>(optimize::sum_of_squares(primitive(x)))
}

pub(crate) fn scale<const D: usize>(x: Tensor<D>, factor: Tensor<1>) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(optimize::scale(primitive(x), &primitive(factor)))
}

fn primitive<const D: usize>(x: Tensor<D>) -> FlexTensor {
    x.try_into_primitive::<Flex>().expect("`runs_without_tape` has found it on burn-flex")
}

/// Whether this CPU has products of bfloat16.
pub(crate) fn has_bf16() -> bool {
    bf16::Engine::of(Precision::Bf16).is_some()
}

/// Whether a tensor is one that the kernels work on, and on no tape.
pub(crate) fn runs_without_tape<const D: usize>(x: &Tensor<D>) -> bool {
    runs(x) && !x.is_autodiff()
}

/// Whether a tensor is one that the kernels work on.
pub(crate) fn runs<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && x.device() == Device::flex()
}

/// The tensor, stored row by row and in full by its own buffer.
fn contiguous(x: FlexTensor) -> FlexTensor {
    x.to_contiguous()
}

/// The numbers of a contiguous tensor.
fn slice(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("the operands of a kernel are contiguous and f32, as the first of them is")
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The dimensions of a primitive of known rank.
fn dims<const D: usize>(x: &FlexTensor) -> [usize; D] {
    x.layout().shape().dims()
}

/// An elementwise function of a contiguous tensor, in place if it is not shared.
///
/// # Safety
/// `f` must write every element of its [`Place`].
#[allow(unsafe_code, reason = "the new buffer is not zeroed before it is written")]
unsafe fn transform(mut x: FlexTensor, f: impl FnOnce(Place<'_>)) -> FlexTensor {
    if let Some(numbers) = x.try_storage_mut::<f32>() {
        f(Place::Within(numbers));
        return x;
    }
    let from = slice(&x);
    // SAFETY: the caller's promise.
    let values = unsafe { written(from.len(), |to| f(Place::Apart { from, to })) };
    tensor(values, x.layout().shape().clone())
}
