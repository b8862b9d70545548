//! The kernels as an extension of burn-flex, with and without autodiff.

use std::sync::Arc;

use burn::backend::{
    Autodiff, Backend, Flex, autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension,
    flex::FlexTensor, tensor::FloatTensor,
};

use super::{attention, conv, linear, norm, recompute, resample};
use crate::{Activation, Precision, Recomputed};

/// The operations that have a kernel, on primitives. A missing bias is an untracked zero.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Kernels: Backend {
    fn fused_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn fused_group_norm_act(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        groups: usize,
        epsilon: f64,
        act: Activation,
    ) -> FloatTensor<Self>;

    fn fused_linear_act(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        act: Activation,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        lengths: Option<Arc<[usize]>>,
    ) -> FloatTensor<Self>;

    fn fused_upsample_nearest(x: FloatTensor<Self>, factor: usize) -> FloatTensor<Self>;

    fn recomputed_part(
        x: FloatTensor<Self>,
        c: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        part: Arc<dyn Recomputed>,
    ) -> FloatTensor<Self>;
}

impl Kernels for Flex {
    fn fused_conv2d(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        stride: usize,
        padding: usize,
        precision: Precision,
    ) -> FlexTensor {
        conv::forward(x, weight, bias, stride, padding, precision)
    }

    fn fused_group_norm_act(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        groups: usize,
        epsilon: f64,
        act: Activation,
    ) -> FlexTensor {
        let options = norm::Options { groups, epsilon, act };
        norm::forward(x, scale, shift, options)
    }

    fn fused_linear_act(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        act: Activation,
        precision: Precision,
    ) -> FlexTensor {
        linear::forward(x, weight, bias, act, precision)
    }

    fn fused_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        lengths: Option<Arc<[usize]>>,
    ) -> FlexTensor {
        attention::forward(q, k, v, lengths.as_deref())
    }

    fn fused_upsample_nearest(x: FlexTensor, factor: usize) -> FlexTensor {
        resample::forward(x, factor)
    }

    fn recomputed_part(
        x: FlexTensor,
        c: FlexTensor,
        _: FlexTensor,
        part: Arc<dyn Recomputed>,
    ) -> FlexTensor {
        recompute::forward(x, c, &*part)
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn fused_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        precision: Precision,
    ) -> FloatTensor<Self> {
        conv::tracked::<C>(x, weight, bias, stride, padding, precision)
    }

    fn fused_group_norm_act(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        groups: usize,
        epsilon: f64,
        act: Activation,
    ) -> FloatTensor<Self> {
        let options = norm::Options { groups, epsilon, act };
        norm::tracked::<C>(x, scale, shift, options)
    }

    fn fused_linear_act(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        act: Activation,
        precision: Precision,
    ) -> FloatTensor<Self> {
        linear::tracked::<C>(x, weight, bias, act, precision)
    }

    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        lengths: Option<Arc<[usize]>>,
    ) -> FloatTensor<Self> {
        attention::tracked::<C>(q, k, v, lengths)
    }

    fn fused_upsample_nearest(x: FloatTensor<Self>, factor: usize) -> FloatTensor<Self> {
        resample::tracked::<C>(x, factor)
    }

    fn recomputed_part(
        x: FloatTensor<Self>,
        c: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        part: Arc<dyn Recomputed>,
    ) -> FloatTensor<Self> {
        recompute::tracked::<C>(x, c, weights, part)
    }
}
