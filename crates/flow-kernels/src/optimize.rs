//! From gradients to weights: AdamW, the moving average, the norm of a gradient.

use burn::tensor::Tensor;

use crate::AdamWStep;

/// One step of AdamW on one tensor, all of it in one pass; returns the weight and both means.
///
/// `m = b_1 m + (1 - b_1) g`, `v = b_2 v + (1 - b_2) g^2`,
/// `w = (1 - lr decay) w - lr (m / (1 - b_1^t)) / (sqrt(v / (1 - b_2^t)) + epsilon)`.
///
/// The operations and their order are those of Burn's `AdamW`: the results are the same bits.
///
/// A gradient that is not finite makes its weight so, with one exception: beyond 1.8e19 its square
/// overflows, `v` is infinite from then on, and the weight no longer moves.
///
/// # Shapes
/// All four tensors have one shape.
///
/// # Panics
/// If the shapes differ or `time` is 0, where both means are divided by zero.
#[must_use]
pub fn adamw<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    means: [Tensor<D>; 2],
    step: &AdamWStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let dims = weight.dims();
    for other in [gradient.dims(), means[0].dims(), means[1].dims()] {
        assert!(other == dims, "adamw: expected the weight's shape {dims:?}, got {other:?}");
    }
    assert!(0 < step.time, "adamw: expected the number of a step from 1, got 0");
    #[cfg(feature = "flex")]
    if crate::flex::runs_without_tape(&weight) {
        return crate::flex::adamw(weight, gradient, means, step);
    }
    let [m, v] = means;
    let m = m.mul_scalar(step.beta1) + gradient.clone().mul_scalar(1.0 - step.beta1);
    let v = v.mul_scalar(step.beta2) + gradient.square().mul_scalar(1.0 - step.beta2);
    let [m_correction, v_correction] = step.corrections();
    let root = v.clone().div_scalar(v_correction).sqrt().add_scalar(step.epsilon);
    let update = m.clone().div_scalar(m_correction) / root;
    let weight = weight.mul_scalar(step.shrink()) - update.mul_scalar(step.rate as f32);
    (weight, [m, v])
}

/// `average + (1 - beta) (weight - average)`, in one pass; the weight itself for `beta = 0`.
///
/// In this form the average of a constant is that constant. With two rounded factors, `beta` and
/// `1 - beta`, which need not add up to 1, it would move to a multiple of it.
///
/// A number that is not finite in either makes the result so. The difference of two numbers of
/// opposite sign beyond half the largest overflows.
///
/// # Shapes
/// Both tensors have one shape.
///
/// # Panics
/// If the shapes differ or `beta` does not lie in `[0, 1]`.
#[must_use]
pub fn blend<const D: usize>(average: Tensor<D>, weight: Tensor<D>, beta: f64) -> Tensor<D> {
    let (dims, other) = (average.dims(), weight.dims());
    assert!(other == dims, "blend: expected the average's shape {dims:?}, got {other:?}");
    assert!((0.0..=1.0).contains(&beta), "blend: expected a beta in [0, 1], got {beta}");
    if beta == 0.0 {
        return weight;
    }
    #[cfg(feature = "flex")]
    if crate::flex::runs_without_tape(&average) {
        return crate::flex::blend(average, weight, beta);
    }
    average.clone() + (weight - average) * (1.0 - beta)
}

/// `sum_i x_i^2`, `[1]`, in one pass and in fixed chunks.
///
/// Not finite if a number is not, or if it exceeds the largest number: 1.8e19 has the square
/// 3.4e38. Below 1e-23 squares vanish.
#[must_use]
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::flex::runs_without_tape(&x) {
        return crate::flex::sum_of_squares(x);
    }
    x.square().sum()
}

/// `factor x`, in place where `x` is not shared, and not at all where the factor is 1.
///
/// By the rules of floating point: zero times infinity is not a number.
///
/// # Shapes
/// `factor`: `[1]`.
///
/// # Panics
/// If `factor` is not one number.
#[must_use]
pub fn scale<const D: usize>(x: Tensor<D>, factor: Tensor<1>) -> Tensor<D> {
    let dims = factor.dims();
    assert!(dims == [1], "scale: expected a factor of shape [1], got {dims:?}");
    #[cfg(feature = "flex")]
    if crate::flex::runs_without_tape(&x) {
        return crate::flex::scale(x, factor);
    }
    x * factor.unsqueeze()
}
