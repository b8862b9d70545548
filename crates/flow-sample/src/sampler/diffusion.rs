//! Diffusion coefficients: the noise that a stochastic sampler adds per unit time.

use flow_path::Coefficients;
use serde::{Deserialize, Serialize};

/// The squared diffusion coefficient `g^2` of [`Sde`](super::Sde) up to its factor; any of these
/// keeps the marginals.
///
/// The score in the drift is divided by `sigma`, hence forms that vanish with the noise.
///
/// # Reference
/// Ma et al. (2024), "SiT: Exploring Flow and Diffusion-based Generative Models with Scalable
/// Interpolant Transformers", arXiv:2401.08740, where `g^2` is `w_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Diffusion {
    /// `0`: the probability-flow ODE.
    Zero,
    /// `1`, the same at every time.
    Constant,
    /// `sigma`.
    #[default]
    Sigma,
    /// `1 - t`.
    Linear,
    /// `2 sigma D / alpha` with `D = alpha' sigma - alpha sigma'`: that of the noising diffusion,
    /// of which DDPM is a discretisation. At pure noise, where it is infinite or not a number,
    /// [`Sde`](super::Sde) refuses to begin.
    Ddpm,
}

impl Diffusion {
    /// `g^2` at time `t`, per unit time: not a number where `t` or a coefficient is none, which
    /// [`Sde`](super::Sde) refuses.
    #[must_use]
    pub fn squared(self, t: f64, c: &Coefficients) -> f64 {
        match self {
            Self::Zero => 0.0,
            Self::Constant => 1.0,
            Self::Sigma => c.sigma,
            Self::Linear => 1.0 - t,
            Self::Ddpm => c.noising_sde().diffusion_squared,
        }
    }
}
