//! The coefficients of an optimizer's step.

/// The coefficients of one step of [`adamw`](crate::adamw).
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
        // Powers are 0 long before the number of a step exceeds 31 bits.
        let time = i32::try_from(self.time).unwrap_or(i32::MAX);
        [self.beta1, self.beta2].map(|beta| 1.0 - beta.powi(time))
    }
}
