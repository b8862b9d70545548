//! Guidance: two predictions, extrapolated.

use burn::tensor::Tensor;
use flow_path::{Prediction, Schedule};

use crate::predictor::Predictor;

/// Times at which guidance acts; outside, the conditional prediction is used alone.
///
/// # Reference
/// Kynkäänniemi et al. (2024), "Applying Guidance in a Limited Interval Improves Sample and
/// Distribution Quality in Diffusion Models", arXiv:2404.07724.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// First time with guidance.
    pub start: f64,
    /// Last time with guidance.
    pub end: f64,
}

impl Default for Interval {
    fn default() -> Self {
        Self { start: 0.0, end: 1.0 }
    }
}

impl Interval {
    /// Whether guidance acts at `t`, the ends included.
    #[must_use]
    pub fn holds(self, t: f64) -> bool {
        (self.start..=self.end).contains(&t)
    }
}

/// `p = p_without + scale (p_with - p_without)`.
///
/// `scale` 0 is the prediction without the condition, 1 the one with it, and more than 1
/// extrapolates. With the null class as `without` this is classifier-free guidance; with a weaker
/// network it is autoguidance (Karras et al. 2024, arXiv:2406.02507). Guiding the velocity, the
/// data, the noise or the score is the same, because conversions between them are affine.
///
/// Jumps of flow maps are extrapolated the same way, which guides the mean velocity of the step,
/// with the interval asked where it starts. That is not the jump of the guided field, whose path
/// leaves both of the others: it errs by the square of the step's length, so that few steps are
/// guided worse than many. A map that is trained with its guidance does not have this error.
///
/// # Reference
/// Ho & Salimans (2022), "Classifier-Free Diffusion Guidance", arXiv:2207.12598, equation 6, whose
/// weight `w` is `scale - 1`.
#[derive(Clone, Copy, Debug)]
pub struct Guided<W, O> {
    /// The prediction that guidance strengthens.
    pub with: W,
    /// The prediction that it moves away from.
    pub without: O,
    /// How far: 1 is no guidance.
    pub scale: f64,
    /// When.
    pub interval: Interval,
}

impl<W: Predictor, O: Predictor> Predictor for Guided<W, O> {
    fn schedule(&self) -> &dyn Schedule {
        self.with.schedule()
    }

    fn span(&self) -> (f64, f64) {
        let (with, without) = (self.with.span(), self.without.span());
        (with.0.max(without.0), with.1.min(without.1))
    }

    fn calls(&self, t: f64) -> usize {
        let without = if self.interval.holds(t) { self.without.calls(t) } else { 0 };
        self.with.calls(t) + without
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let with = self.with.predict(what, x, t);
        if !self.interval.holds(t) {
            return with;
        }
        let without = self.without.predict(what, x, t);
        without.clone() + (with - without) * self.scale
    }

    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        let with = self.with.jump(x, t, s)?;
        if !self.interval.holds(t) {
            return Some(with);
        }
        let without = self.without.jump(x, t, s)?;
        Some(without.clone() + (with - without) * self.scale)
    }
}
