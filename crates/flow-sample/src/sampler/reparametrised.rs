//! Straight steps in other coordinates than time and space.

use burn::tensor::Tensor;
use flow_path::{Coefficients, Prediction, Schedule};
use serde::{Deserialize, Serialize};

use super::walk::walk;
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// Coordinates in which one prediction is the rate of change: `dz/d eta = prediction`.
///
/// | space | `z` | `eta` | prediction |
/// |---|---|---|---|
/// | `Data` | `x / sigma` | `alpha / sigma` | the data `x_1` |
/// | `Noise` | `x / alpha` | `sigma / alpha` | the noise `x_0` |
/// | `Displacement` | `x / (alpha + sigma)` | `alpha / (alpha + sigma)` | `x_1 - x_0` |
///
/// # Reference
/// Gao et al. (2024), "Diffusion Meets Flow Matching: Two Sides of the Same Coin", whose time runs
/// from data to noise and whose displacement is `x_0 - x_1`, in the clock
/// `sigma / (alpha + sigma)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Space {
    /// Steps along the predicted data.
    Data,
    /// Steps along the predicted noise; has no place for pure noise.
    Noise,
    /// Steps along the predicted displacement; finite everywhere.
    #[default]
    Displacement,
}

impl Space {
    fn prediction(self) -> Prediction {
        match self {
            Self::Data => Prediction::Data,
            Self::Noise => Prediction::Noise,
            Self::Displacement => Prediction::Displacement,
        }
    }

    /// The scalars `(p, q)` of the step `x_s = p x_t + q prediction`.
    fn step(self, from: &Coefficients, to: &Coefficients) -> (f64, f64) {
        match self {
            Self::Data => {
                let p = to.sigma / from.sigma;
                (p, to.alpha - p * from.alpha)
            }
            Self::Noise => {
                let p = to.alpha / from.alpha;
                (p, to.sigma - p * from.sigma)
            }
            Self::Displacement => {
                let p = (to.alpha + to.sigma) / (from.alpha + from.sigma);
                (p, to.alpha - p * from.alpha)
            }
        }
    }

    /// The time at which `eta` is halfway, if it is finite at both ends.
    fn middle(
        self,
        schedule: &dyn Schedule,
        from: &Coefficients,
        to: &Coefficients,
    ) -> Option<f64> {
        let eta = |c: &Coefficients| match self {
            Self::Data => c.alpha / c.sigma,
            Self::Noise => c.sigma / c.alpha,
            Self::Displacement => c.alpha / (c.alpha + c.sigma),
        };
        let half = f64::midpoint(eta(from), eta(to));
        let signal_to_noise = match self {
            Self::Data => half,
            Self::Noise => half.recip(),
            Self::Displacement => half / (1.0 - half),
        };
        half.is_finite().then(|| schedule.time_at_log_snr(2.0 * signal_to_noise.ln()))
    }
}

/// How a step uses predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The prediction at the start of the step: order 1, and in every space the same step, DDIM.
    Euler,
    /// The prediction halfway in `eta`: order 2, and in every space another step. One that touches
    /// an infinite `eta`, or whose middle lies beyond the predictor's span, is an Euler step.
    #[default]
    Midpoint,
}

/// Euler or midpoint steps in a reparametrised space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reparametrised {
    /// The coordinates.
    pub space: Space,
    /// The rule.
    pub rule: Rule,
}

impl Sampler for Reparametrised {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let what = self.space.prediction();
        walk(way, predictor, x0, |model, step, x| {
            if self.space == Space::Noise && step.from.alpha == 0.0 {
                return Err(SampleError::PureNoise { t: step.t });
            }
            let mut rate = model.predict(what, &x, step.t);
            if self.rule == Rule::Midpoint
                && let Some(t) = self.space.middle(model.schedule(), &step.from, &step.to)
                && t <= model.end()
            {
                let (p, q) = self.space.step(&step.from, &model.schedule().at(t));
                let halfway = x.clone() * p + rate * q;
                rate = model.predict(what, &halfway, t);
            }
            let (p, q) = self.space.step(&step.from, &step.to);
            Ok(x * p + rate * q)
        })
    }
}
