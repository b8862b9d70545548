//! AdamW, moving average and squared norm, each in one pass over memory.
//!
//! No product is contracted with a sum, so that the bits are those of the operations one by one.

use burn::backend::flex::FlexTensor;

use super::{
    contiguous,
    parallel::for_each,
    simd::{Simd, WithSimd, dispatch, sum_of},
    slice, tensor,
};
use crate::AdamWStep;

/// Numbers of a piece: of four arrays, all in a core's first caches.
const PIECE: usize = 1 << 12;

/// The weight and both means after a step.
pub(super) fn adamw(
    weight: FlexTensor,
    gradient: FlexTensor,
    means: [FlexTensor; 2],
    step: &AdamWStep,
) -> (FlexTensor, [FlexTensor; 2]) {
    let (mut weight, gradient) = (contiguous(weight), contiguous(gradient));
    let [mut m, mut v] = means.map(contiguous);
    let gradient = slice(&gradient);
    let jobs = weight
        .storage_mut::<f32>()
        .chunks_mut(PIECE)
        .zip(gradient.chunks(PIECE))
        .zip(m.storage_mut::<f32>().chunks_mut(PIECE).zip(v.storage_mut().chunks_mut(PIECE)));
    for_each(jobs, gradient.len(), |((weight, gradient), (m, v))| {
        dispatch(AdamW { weight, gradient, m, v, step });
    });
    (weight, [m, v])
}

struct AdamW<'a> {
    weight: &'a mut [f32],
    gradient: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    step: &'a AdamWStep,
}

impl WithSimd for AdamW<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let &AdamWStep { rate, beta1, beta2, epsilon, .. } = self.step;
        let (rate, shrink) = (rate as f32, self.step.shrink());
        let [m_correction, v_correction] = self.step.corrections();
        let means = self.m.iter_mut().zip(self.v);
        for ((w, &g), (m, v)) in self.weight.iter_mut().zip(self.gradient).zip(means) {
            *m = *m * beta1 + g * (1.0 - beta1);
            *v = *v * beta2 + g * g * (1.0 - beta2);
            let update = (*m / m_correction) / ((*v / v_correction).sqrt() + epsilon);
            *w = *w * shrink - update * rate;
        }
    }
}

/// `average + (1 - beta) (weight - average)`.
pub(super) fn blend(average: FlexTensor, weight: FlexTensor, beta: f64) -> FlexTensor {
    let (mut average, weight) = (contiguous(average), contiguous(weight));
    let weight = slice(&weight);
    let jobs = average.storage_mut::<f32>().chunks_mut(PIECE).zip(weight.chunks(PIECE));
    for_each(jobs, weight.len(), |(average, weight)| {
        dispatch(Blend { average, weight, share: (1.0 - beta) as f32 });
    });
    average
}

struct Blend<'a> {
    average: &'a mut [f32],
    weight: &'a [f32],
    share: f32,
}

impl WithSimd for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (average, &weight) in self.average.iter_mut().zip(self.weight) {
            *average += (weight - *average) * self.share;
        }
    }
}

/// `sum_i x_i^2`, first within pieces, then over them.
pub(super) fn sum_of_squares(x: FlexTensor) -> FlexTensor {
    let x = contiguous(x);
    let x = slice(&x);
    let mut sums = vec![0.0; x.len().div_ceil(PIECE)];
    for_each(sums.iter_mut().zip(x.chunks(PIECE)), x.len(), |(sum, x)| {
        *sum = dispatch(Squares(x));
    });
    tensor(vec![dispatch(Sum(&sums))], [1])
}

/// `factor x`.
pub(super) fn scale(x: FlexTensor, factor: &FlexTensor) -> FlexTensor {
    let [factor] = slice(factor) else { unreachable!("the caller has looked at the shape") };
    if factor.to_bits() == 1.0_f32.to_bits() {
        return x;
    }
    let mut x = contiguous(x);
    let numbers = x.storage_mut::<f32>();
    let work = numbers.len();
    for_each(numbers.chunks_mut(PIECE), work, |x| {
        for x in x {
            *x *= factor;
        }
    });
    x
}

struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        sum_of(self.0, |x| x * x)
    }
}

struct Sum<'a>(&'a [f32]);

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        sum_of(self.0, |x| x)
    }
}
