//! Predictions of a network, and the algebra between them.

use burn::prelude::*;

use crate::config::{Check, positive};
use crate::times::column;
use crate::{Coefficients, PathError, Schedule, Times, choices};

/// Largest factor from the error of a prediction to that of the velocity, in units of `x_t` and of
/// the length of the path, within [`Prediction::span`].
pub const LARGEST_AMPLIFICATION: f64 = 100.0;

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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// The velocity `dx_t/dt = alpha' x_1 + sigma' x_0`.
    #[default]
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
    /// `x_1 = c_skip x_t/alpha + c_out F(c_in x_t/alpha)` of Karras et al. (2022), "Elucidating the
    /// Design Space of Diffusion-Based Generative Models", arXiv:2206.00364, table 1, at noise
    /// level `sigma/alpha`.
    Edm {
        /// Standard deviation of the data.
        sigma_data: f64,
    },
}

choices! {
    impl Prediction {
        /// dx/dt: flow matching
        "velocity" => Velocity,
        /// x_1: denoising
        "data" => Data,
        /// x_0: DDPM
        "noise" => Noise,
        /// -x_0 / sigma: score matching
        "score" => Score,
        /// alpha x_0 - sigma x_1
        "v" => V,
        /// x_1 - x_0
        "displacement" => Displacement,
        /// the preconditioned denoiser of EDM
        "edm" => Edm { sigma_data = 0.5 },
    }
}

/// Whether paths start from noise that is far larger than data of unit size.
fn explodes(schedule: &dyn Schedule) -> bool {
    2.0 < schedule.prior_std()
}

impl Check for Prediction {
    fn check(&self) -> Result<(), PathError> {
        match *self {
            Self::Edm { sigma_data } => positive("sigma_data", sigma_data),
            _ => Ok(()),
        }
    }
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

    /// Factor on `x_t` as the network's input: one, but for the `c_in` of [`Prediction::Edm`],
    /// which gives the input unit variance at every noise level, `1 / S`, and along schedules whose
    /// noise outgrows the data, where it is that of data of unit size (Karras et al. 2022,
    /// arXiv:2206.00364, section 5: a network is to see inputs of one size at every noise level).
    #[must_use]
    pub fn input_scale(self, schedule: &dyn Schedule, t: f64) -> f64 {
        let c = schedule.at(t);
        match self {
            Self::Edm { sigma_data } => c.sigma.hypot(sigma_data * c.alpha).recip(),
            _ if explodes(schedule) => c.sigma.hypot(c.alpha).recip(),
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
        if !explodes(schedule) && !matches!(self, Self::Edm { .. }) {
            return x_t;
        }
        t.column(&x_t, |t| self.input_scale(schedule, t)) * x_t
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

    /// The times of a schedule at which a velocity can be read off this prediction.
    ///
    /// Near pure noise the noise says little about the data: an error `d` in it becomes
    /// `d sigma / alpha` in the data and `d D / alpha` in the velocity. The data near its own end
    /// says little about the noise, where the factor is `D / sigma`. The span of the schedule is
    /// cut where that factor, for a state of unit size (`alpha^2 + sigma^2 = 1`), passes
    /// [`LARGEST_AMPLIFICATION`]: on the linear schedule at `alpha = 0.0101` for `Noise` and at
    /// `sigma = 0.0101` for `Data`, for `Score` at both, since it is the noise over `sigma`. The
    /// share of data of the diffusion with the usual rates grows by no more than a rate of 10,
    /// which keeps its noise end. `V`, `Displacement` and `Edm` use the whole span, `Velocity` too
    /// unless the path stands still at an end (polynomials of a degree above one), which it then
    /// leaves as `Score` does.
    ///
    /// What is left out is passed without asking: near pure noise `x_t / sigma` stays as it is, and
    /// from the last time on the pair predicted there is mixed anew. Samplers do so by themselves.
    ///
    /// The bisection relies on a share of data that grows with time.
    #[must_use]
    pub fn span(self, schedule: &dyn Schedule) -> (f64, f64) {
        let (start, end) = schedule.span();
        let middle = schedule.time_at_log_snr(0.0);
        (self.nearest(schedule, start, middle), self.nearest(schedule, end, middle))
    }

    /// The time nearest to an end, on the way to the middle, at which this prediction is well
    /// conditioned.
    fn nearest(self, schedule: &dyn Schedule, end: f64, middle: f64) -> f64 {
        let moves = || schedule.at(end).det().abs() > f64::EPSILON;
        let regular = |t: f64| self.is_well_conditioned(&schedule.at(t));
        if (self == Self::Velocity && moves()) || regular(end) || !regular(middle) {
            return end;
        }
        let (mut singular, mut nearest) = (end, middle);
        // 64 halvings of an interval no longer than one leave less than a rounding error.
        for _ in 0..64 {
            let half = f64::midpoint(singular, nearest);
            if regular(half) {
                nearest = half;
            } else {
                singular = half;
            }
        }
        nearest
    }

    /// Whether the error of the velocity is at most [`LARGEST_AMPLIFICATION`] times that of this
    /// prediction, or no share is small.
    fn is_well_conditioned(self, c: &Coefficients) -> bool {
        let size = c.alpha.hypot(c.sigma);
        // The path turns from noise to data by this angle per unit time.
        let turning = c.det() / (size * size);
        let least = (turning / LARGEST_AMPLIFICATION).min(0.5);
        let (data, noise) = (least < c.alpha / size, least < c.sigma / size);
        match self {
            Self::Noise => data,
            Self::Data => noise,
            Self::Score | Self::Velocity => data && noise,
            Self::V | Self::Displacement | Self::Edm { .. } => true,
        }
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
