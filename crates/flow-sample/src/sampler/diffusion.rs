//! How much noise a stochastic sampler adds per unit time.

use flow_path::Coefficients;

/// The squared diffusion coefficient `g^2` of [`Sde`](super::Sde), any of which keeps the marginals.
///
/// The score in the drift is divided by `sigma`, hence forms that vanish with the noise.
///
/// # Reference
/// Ma et al. (2024), "SiT: Exploring Flow and Diffusion-based Generative Models with Scalable
/// Interpolant Transformers", arXiv:2401.08740, where `g^2` is `w_t`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Diffusion {
    /// `0`: the probability-flow ODE.
    Zero,
    /// The same at every time.
    Constant(f64),
    /// `c sigma`.
    Sigma(f64),
    /// `c (1 - t)`.
    Linear(f64),
    /// `2 sigma D / alpha` times `eta^2`, with `D = alpha' sigma - alpha sigma'`: for `eta` 1 the
    /// coefficient of the noising diffusion, of which DDPM is a discretisation. At pure noise,
    /// where it is infinite or not a number, [`Sde`](super::Sde) refuses to begin.
    Ddpm {
        /// Amount of noise: 0 is the ODE, 1 is DDPM.
        eta: f64,
    },
}

impl Diffusion {
    /// `g^2` at time `t`, per unit time: not a number where `t` or a coefficient is none, which
    /// [`Sde`](super::Sde) refuses.
    #[must_use]
    pub fn squared(self, t: f64, c: &Coefficients) -> f64 {
        match self {
            Self::Zero => 0.0,
            Self::Constant(g2) => g2,
            Self::Sigma(factor) => factor * c.sigma,
            Self::Linear(factor) => factor * (1.0 - t),
            Self::Ddpm { eta } => eta * eta * c.noising_sde().diffusion_squared,
        }
    }
}
