//! Steps of DDIM, each corrected by Langevin dynamics.

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::bounds::within;
use super::walk::{add_noise, walk};
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// The predictor-corrector sampler: a step of DDIM to the next time, then steps of Langevin
/// dynamics that stay there.
///
/// At time `s` each correction is `x + e score(x) + sqrt(2 e) z` with `e = (ratio sigma_s)^2`. Its
/// stationary law is the one whose score the predictor tells, whatever the state before, so that
/// errors of earlier steps are forgotten: those of long steps, and of answers to an observation
/// whose early predictions were wrong about it. What it cannot mend is a wrong score at `s`.
///
/// The noise of the state bounds the curvature of `-log p_s` by `1 / sigma_s^2` where the law is
/// log-concave, so that the dynamics are stable for a `ratio` below `sqrt(2)`; an approximate
/// likelihood such as [`Dps`](crate::Dps) adds curvature of its own. Steps of finite length leave
/// too much of the noise by the share `ratio^2 / 2`, and nothing where there is no noise left.
/// The last step, to the data, has no correction, and neither has a time beyond the span of the
/// predictor. `n` steps cost `n (1 + corrections) - corrections` evaluations.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential Equations",
/// arXiv:2011.13456, section 4.2 and appendix G, whose step is `2 r^2 sigma^2` for noise alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Langevin {
    /// Corrections after each step, at most [`MOST_CORRECTIONS`](Self::MOST_CORRECTIONS).
    pub corrections: usize,
    /// Length of a correction in units of the noise, in `[0, 1]`.
    pub ratio: f64,
    /// Amount of fresh noise in the step before them, in `[0, 1]`: see [`Ddim`](super::Ddim).
    pub eta: f64,
}

impl Langevin {
    /// Most corrections of a step: more cost a thousand times a plain sampler.
    pub const MOST_CORRECTIONS: usize = 1_000;
}

impl Default for Langevin {
    fn default() -> Self {
        Self { corrections: 1, ratio: 0.3, eta: 0.0 }
    }
}

impl Sampler for Langevin {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let eta = within("eta", self.eta, (0.0, 1.0))?;
        let ratio = within("ratio", self.ratio, (0.0, 1.0))?;
        within("corrections", self.corrections as f64, (0.0, Self::MOST_CORRECTIONS as f64))?;
        walk(way, predictor, x0, |model, step, x| {
            let draw = |k: usize, x: &Tensor<2>| {
                way.noise.draw(step.index * (self.corrections + 1) + k, x)
            };
            let data = model.predict(Prediction::Data, &x, step.t);
            let keep = (1.0 - eta * eta + (eta * step.decay()).powi(2)).sqrt();
            let mut x = step.remix(x, data, keep, |x| draw(0, x));
            if step.to.sigma == 0.0 || model.end() < step.s || step.index + 1 == step.count {
                return Ok(x);
            }
            let length = (ratio * step.to.sigma).powi(2);
            for k in 1..=self.corrections {
                let score = model.predict(Prediction::Score, &x, step.s);
                x = add_noise(x + score * length, (2.0 * length).sqrt(), |x| draw(k, x));
            }
            Ok(x)
        })
    }
}
