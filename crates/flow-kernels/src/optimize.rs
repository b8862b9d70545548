//! From gradients to weights: AdamW, the moving average, the norm of a gradient.

use burn::tensor::Tensor;

/// The coefficients of one step of [`adamw`].
///
/// # Reference
/// Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization", arXiv:1711.05101,
/// algorithm 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWStep {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the gradient's mean.
    pub beta1: f32,
    /// Decay of the gradient's mean square.
    pub beta2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Fraction of the learning rate by which weights shrink.
    pub weight_decay: f32,
    /// Number of the step, from 1.
    pub time: usize,
}

impl AdamWStep {
    /// `1 - lr decay`, by which weights shrink.
    pub(crate) fn shrink(&self) -> f32 {
        (1.0 - self.rate * f64::from(self.weight_decay)) as f32
    }

    /// `1 - beta^t` of both means, which start at zero.
    pub(crate) fn corrections(&self) -> [f32; 2] {
        [self.beta1, self.beta2].map(|beta| 1.0 - beta.powi(self.time as i32))
    }
}

/// One step of AdamW on one tensor, all of it in one pass; returns the weight and both means.
///
/// `m = b_1 m + (1 - b_1) g`, `v = b_2 v + (1 - b_2) g^2`,
/// `w = (1 - lr decay) w - lr (m / (1 - b_1^t)) / (sqrt(v / (1 - b_2^t)) + epsilon)`.
///
/// The operations and their order are those of Burn's `AdamW`: the results are the same bits.
///
/// # Shapes
/// All four tensors have one shape.
///
/// # Panics
/// If the shapes differ.
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

/// `beta average + (1 - beta) weight`, in one pass.
///
/// # Shapes
/// Both tensors have one shape.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn blend<const D: usize>(average: Tensor<D>, weight: Tensor<D>, beta: f64) -> Tensor<D> {
    let (dims, other) = (average.dims(), weight.dims());
    assert!(other == dims, "blend: expected the average's shape {dims:?}, got {other:?}");
    #[cfg(feature = "flex")]
    if crate::flex::runs_without_tape(&average) {
        return crate::flex::blend(average, weight, beta);
    }
    average * beta + weight * (1.0 - beta)
}

/// `sum_i x_i^2`, `[1]`, in one pass and in fixed chunks.
#[must_use]
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::flex::runs_without_tape(&x) {
        return crate::flex::sum_of_squares(x);
    }
    x.square().sum()
}

/// `factor x`, in place where nobody else holds `x`, and not at all where the factor is 1.
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
