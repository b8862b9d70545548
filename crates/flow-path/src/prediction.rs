//! What a network predicts, and the algebra between predictions.

use burn::prelude::*;

use crate::schedule::ENDPOINT_MARGIN;
use crate::times::column;
use crate::{Coefficients, Schedule, Times};

/// What a network predicts about the pair `(x_0, x_1)` behind `x_t`.
///
/// Each is a linear combination `p x_1 + q x_0` with scalars known at time `t`, as is
/// `x_t = alpha x_1 + sigma x_0` itself. Two combinations determine the pair, so any prediction
/// follows from any other and `x_t` by a two-by-two system: [`Prediction::convert`].
///
/// | prediction | `p` (of the data) | `q` (of the noise) | loses the pair where |
/// |---|---|---|---|
/// | `Velocity` | `alpha'` | `sigma'` | `D = 0` |
/// | `Data` | 1 | 0 | `sigma = 0` |
/// | `Noise` | 0 | 1 | `alpha = 0` |
/// | `Score` | 0 | `-1 / sigma` | `alpha = 0`; infinite at `sigma = 0` |
/// | `V` | `-sigma` | `alpha` | nowhere |
/// | `Displacement` | 1 | -1 | `alpha + sigma = 0`: nowhere |
/// | `Edm` | `sigma / (s S)` | `-s alpha / S` | nowhere |
///
/// with `s = sigma_data` and `S^2 = sigma^2 + s^2 alpha^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// The velocity `dx_t/dt = alpha' x_1 + sigma' x_0`.
    Velocity,
    /// The data `x_1`.
    Data,
    /// The noise `x_0`.
    Noise,
    /// The score `grad log p_t = -x_0 / sigma`.
    Score,
    /// The v-prediction `alpha x_0 - sigma x_1` of Salimans & Ho (2022), "Progressive Distillation
    /// for Fast Sampling of Diffusion Models", arXiv:2202.00512.
    V,
    /// The displacement `x_1 - x_0`, which is the velocity of the linear schedule.
    Displacement,
    /// The raw output `F` of the preconditioned denoiser
    /// `x_1 = c_skip x_t/alpha + c_out F(c_in x_t/alpha)` of Karras et al. (2022), "Elucidating the Design Space of
    /// Diffusion-Based Generative Models", arXiv:2206.00364, table 1, at noise level `sigma/alpha`.
    Edm {
        /// Standard deviation of the data.
        sigma_data: f64,
    },
}

impl Prediction {
    /// The factors `(p, q)` of `p x_1 + q x_0`.
    #[must_use]
    pub fn factors(self, c: &Coefficients) -> (f64, f64) {
        match self {
            Self::Velocity => (c.d_alpha, c.d_sigma),
            Self::Data => (1.0, 0.0),
            Self::Noise => (0.0, 1.0),
            Self::Score => (0.0, -1.0 / c.sigma),
            Self::V => (-c.sigma, c.alpha),
            Self::Displacement => (1.0, -1.0),
            Self::Edm { sigma_data } => {
                let total = c.sigma.hypot(sigma_data * c.alpha);
                (c.sigma / (sigma_data * total), -sigma_data * c.alpha / total)
            }
        }
    }

    /// Factor on `x_t` as the network's input: one, but for the `c_in` of [`Prediction::Edm`], which gives
    /// the input unit variance at every noise level, `1 / S`.
    #[must_use]
    pub fn input_scale(self, c: &Coefficients) -> f64 {
        match self {
            Self::Edm { sigma_data } => c.sigma.hypot(sigma_data * c.alpha).recip(),
            _ => 1.0,
        }
    }

    /// The network's input at the points `x_t`, one time per sample.
    ///
    /// # Shapes
    /// `x_t` and the output are `[B, ..]`.
    #[must_use]
    pub fn input<const D: usize>(
        self,
        x_t: Tensor<D>,
        schedule: &dyn Schedule,
        t: &Times,
    ) -> Tensor<D> {
        match self {
            Self::Edm { .. } => t.column(&x_t, |t| self.input_scale(&schedule.at(t))) * x_t,
            _ => x_t,
        }
    }

    /// The scalars `(a, b)` with `value_to = a value_from + b x_t`.
    ///
    /// Not finite where `self` loses the pair (see the table of [`Prediction`]), except to itself.
    #[must_use]
    pub fn convert(self, to: Self, c: &Coefficients) -> (f64, f64) {
        if self == to {
            return (1.0, 0.0);
        }
        combine(self.factors(c), (c.alpha, c.sigma), to.factors(c))
    }

    /// Factor between squared errors: `|error_to|^2 = factor |error_from|^2` at the same `x_t`.
    #[must_use]
    pub fn error_factor(self, to: Self, c: &Coefficients) -> f64 {
        self.convert(to, c).0.powi(2)
    }

    /// The times of a schedule at which this prediction is finite and gives every other one.
    ///
    /// The span of the schedule, less [`ENDPOINT_MARGIN`] at an end where the prediction is infinite or
    /// loses the pair: the data end for `Data` and `Score` when no noise is left there, the noise end
    /// for `Noise` and `Score` when no data is left there, either end for `Velocity` when the
    /// conditional velocity stops there. `V`, `Displacement` and `Edm` use the whole span.
    #[must_use]
    pub fn span(self, schedule: &dyn Schedule) -> (f64, f64) {
        let (start, end) = schedule.span();
        let regular = |t: f64| {
            let c = schedule.at(t);
            let ((p, q), lost) = (self.factors(&c), self.lost(&c));
            p.is_finite() && q.is_finite() && lost.abs() > f64::EPSILON
        };
        (
            if regular(start) { start } else { start + ENDPOINT_MARGIN },
            if regular(end) { end } else { end - ENDPOINT_MARGIN },
        )
    }

    /// Determinant of this prediction against `x_t`: zero where the pair cannot be recovered.
    fn lost(self, c: &Coefficients) -> f64 {
        let (p, q) = self.factors(c);
        p * c.sigma - q * c.alpha
    }

    /// The regression target `p x_1 + q x_0` of a batch, one time per sample.
    ///
    /// # Shapes
    /// `x0`, `x1` and the output are `[B, ..]`.
    #[must_use]
    pub fn target<const D: usize>(
        self,
        x0: Tensor<D>,
        x1: Tensor<D>,
        schedule: &dyn Schedule,
        t: &Times,
    ) -> Tensor<D> {
        let (p, q) = t.iter().map(|t| self.factors(&schedule.at(t))).unzip();
        column(&x1, p) * x1 + column(&x0, q) * x0
    }

    /// A predicted batch turned into another prediction, at the same time for all samples.
    ///
    /// # Shapes
    /// `value`, `x_t` and the output are `[B, ..]`.
    #[must_use]
    pub fn convert_tensor<const D: usize>(
        self,
        to: Self,
        value: Tensor<D>,
        x_t: Tensor<D>,
        c: &Coefficients,
    ) -> Tensor<D> {
        let (a, b) = self.convert(to, c);
        if self == to { value } else { value * a + x_t * b }
    }

    /// A predicted batch turned into another prediction, one time per sample.
    ///
    /// # Shapes
    /// `value`, `x_t` and the output are `[B, ..]`.
    #[must_use]
    pub fn convert_batch<const D: usize>(
        self,
        to: Self,
        value: Tensor<D>,
        x_t: Tensor<D>,
        schedule: &dyn Schedule,
        t: &Times,
    ) -> Tensor<D> {
        let (a, b) = t.iter().map(|t| self.convert(to, &schedule.at(t))).unzip();
        column(&value, a) * value + column(&x_t, b) * x_t
    }
}

/// The scalars that write the row `to` as a combination of the rows `from` and `x`.
pub(crate) fn combine(from: (f64, f64), x: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let det = from.0 * x.1 - from.1 * x.0;
    ((to.0 * x.1 - to.1 * x.0) / det, (from.0 * to.1 - from.1 * to.0) / det)
}
