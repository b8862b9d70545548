//! The noising diffusion of a schedule, and back.

use std::fmt::{self, Debug};

use super::{Coefficients, ENDPOINT_MARGIN, Schedule};

/// The diffusion `dz = f z ds + g dw` whose transition kernel is the schedule, in the diffusion's
/// own time `s = 1 - t` from data to noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoisingSde {
    /// Linear drift rate `f = d ln(alpha) / ds`.
    pub drift: f64,
    /// Squared diffusion coefficient `g^2 = 2 alpha sigma d(sigma / alpha) / ds`.
    pub diffusion_squared: f64,
}

impl Coefficients {
    /// The noising diffusion at this time: `f = -alpha'/alpha` and `g^2 = 2 sigma D / alpha`.
    ///
    /// Singular where `alpha = 0`: the linear schedule reaches pure noise in finite time only
    /// because its drift diverges there. Not a number where `sigma = 0` and `sigma'` is infinite,
    /// as at the data end of the variance-preserving schedule: `g^2` has a limit there
    /// (`beta_min`), but the four numbers do not know it. [`Schedule::span`] leaves such an end
    /// out.
    #[must_use]
    pub fn noising_sde(&self) -> NoisingSde {
        NoisingSde {
            drift: -self.d_alpha / self.alpha,
            diffusion_squared: 2.0 * self.sigma * self.det() / self.alpha,
        }
    }
}

/// The schedule of a diffusion `dz = f(s) z ds + g(s) dw` given in its own time `s = 1 - t`.
///
/// `alpha = exp(int_0^s f)` and `sigma = alpha sqrt(int_0^s g^2 / alpha^2)`, by Runge-Kutta steps
/// of fourth order at each call: meant for trying a diffusion out, not for inner loops.
///
/// # Reference
/// Song et al. (2021), arXiv:2011.13456; Karras et al. (2022), "Elucidating the Design Space of
/// Diffusion-Based Generative Models", arXiv:2206.00364, appendix B.
#[derive(Clone)]
pub struct FromSde<F, G> {
    drift: F,
    diffusion_squared: G,
    steps: usize,
}

impl<F, G> FromSde<F, G>
where
    F: Fn(f64) -> f64 + Send + Sync,
    G: Fn(f64) -> f64 + Send + Sync,
{
    /// The schedule of the drift rate `f(s)` and the squared diffusion `g^2(s)`.
    pub fn new(drift: F, diffusion_squared: G) -> Self {
        Self { drift, diffusion_squared, steps: 512 }
    }

    /// `(ln(alpha), sigma^2 / alpha^2)` at diffusion time `s`.
    fn integrals(&self, s: f64) -> (f64, f64) {
        let h = s / self.steps as f64;
        let (mut log_alpha, mut noise) = (0.0, 0.0);
        for k in 0..self.steps {
            let start = s * k as f64 / self.steps as f64;
            let (f0, f1, f2) =
                ((self.drift)(start), (self.drift)(start + 0.5 * h), (self.drift)(start + h));
            // Simpson for both, with ln(alpha) at the midpoint from the parabola through f.
            let middle = log_alpha + h * (5.0 * f0 + 8.0 * f1 - f2) / 24.0;
            let end = log_alpha + h * (f0 + 4.0 * f1 + f2) / 6.0;
            let rate =
                |s: f64, log_alpha: f64| (self.diffusion_squared)(s) * (-2.0 * log_alpha).exp();
            noise += h / 6.0
                * (rate(start, log_alpha)
                    + 4.0 * rate(start + 0.5 * h, middle)
                    + rate(start + h, end));
            log_alpha = end;
        }
        (log_alpha, noise)
    }
}

impl<F, G> Schedule for FromSde<F, G>
where
    F: Fn(f64) -> f64 + Send + Sync,
    G: Fn(f64) -> f64 + Send + Sync,
{
    fn at(&self, t: f64) -> Coefficients {
        let s = 1.0 - t;
        let (log_alpha, noise) = self.integrals(s);
        let alpha = log_alpha.exp();
        let sigma = alpha * noise.sqrt();
        let drift = (self.drift)(s);
        Coefficients {
            alpha,
            sigma,
            d_alpha: -drift * alpha,
            d_sigma: -drift * sigma - 0.5 * (self.diffusion_squared)(s) / sigma,
        }
    }

    fn prior_std(&self) -> f64 {
        self.at(0.0).sigma
    }

    fn span(&self) -> (f64, f64) {
        (0.0, 1.0 - ENDPOINT_MARGIN)
    }
}

impl<F, G> Debug for FromSde<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromSde").field("steps", &self.steps).finish_non_exhaustive()
    }
}
