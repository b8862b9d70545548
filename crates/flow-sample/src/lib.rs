//! From a trained network to samples and densities.
//!
//! A [`Predictor`] answers "what is the velocity (data, noise, score) at `x` and `t`": a trained
//! network with its schedule ([`Trained`]), two of them combined by guidance ([`Guided`]), one
//! steered by a gradient ([`Steered`]) or read along another schedule ([`Retimed`]), or the exact
//! field of known data ([`flow_path::Exact`]), which makes every sampler testable without training.
//! A [`Sampler`] turns noise into samples by asking a predictor.
//!
//! ```
//! use burn::tensor::Device;
//! use flow_ode::Method;
//! use flow_path::{Exact, Gaussian, Linear};
//! use flow_sample::{Ode, Sampler, Way, prior};
//!
//! # fn main() -> Result<(), flow_sample::SampleError> {
//! let device = Device::flex();
//! let field = Exact::new(Gaussian::new(vec![3.0, -1.0], 0.5), Linear { sigma_min: 0.0 });
//! let x0 = prior(7, 0..1000, 2, &field, &device);
//! let generated = Ode::on_grid(Method::Midpoint).sample(&field, x0, &Way::steps(20))?;
//! assert_eq!(generated.nfe, 40);
//! let mean: f32 = generated.x.mean_dim(0).sum().into_scalar::<f32>();
//! assert!((mean - 2.0).abs() < 0.1); // (3 - 1) within the error of 1,000 samples
//! # Ok(())
//! # }
//! ```
//!
//! The samplers, each along a [`Way`]: a [`Grid`] of times, and [`Noise`] that is seeded per sample
//! or given:
//!
//! | sampler | what a step is | evaluations of `n` steps |
//! |---|---|---|
//! | [`Ode`] | any method of flow-ode on `dx/dt = v` | those of the method |
//! | [`Reparametrised`] | Euler or midpoint along the data, the noise or their difference | `n`, `2n` |
//! | [`Ddim`] | the predicted pair mixed anew, with a share of fresh noise | `n` |
//! | [`Ancestral`] | a draw from the posterior (DDPM) | `n` |
//! | [`Churn`] | DDIM too far, then noised back | `n` |
//! | [`Edm`], [`KarrasChurn`] | Heun in the noise level, the second noised before | `2n - 1` |
//! | [`Sde`] | Euler-Maruyama with any [`Diffusion`] | `n` |
//! | [`Langevin`] | DDIM, then `k` steps of Langevin dynamics | `n (1 + k) - k` |
//! | [`DpmSolver`] | exponential, from one or two predictions, with or without noise | `n` |
//! | [`FlowMap`] | one jump of a flow map, a network of two times | `n` |
//! | [`UniPc`] | exponential, from two or three predictions, corrected by the next | `n` |
//!
//! A network that predicts the noise says little about the data near pure noise, and one that
//! predicts the data little about the noise near the data. No sampler asks there: see
//! [`Predictor::span`].
//!
//! A predictor [`Conditioned`] on an [`Observation`] answers for the data that explain it: a hole
//! filled, a picture sharpened, a measurement explained, by a network that was trained for none of
//! this. [`Dps`], [`PiGdm`], [`Mmps`] and [`Replacement`] say by which approximation, and [`Draws`]
//! asks for several answers.
//!
//! [`Likelihood`] goes the other way: from data to noise with the [`Divergence`] of the velocity,
//! hence to log-densities, and by [`Dequantise`] to bits per dimension.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use flow_ode::{Adaptive, Method, Tolerance};
//! use flow_path::{Exact, Gaussian, Linear, Target};
//! use flow_sample::{ExactTrace, Likelihood};
//!
//! # fn main() -> Result<(), flow_sample::SampleError> {
//! let data = Gaussian::new(vec![3.0, -1.0], 0.5);
//! let field = Exact::new(data.clone(), Linear { sigma_min: 0.0 });
//! let x1 = Tensor::<2>::from_data([[2.5, -0.2]], &Device::flex());
//! let adaptive = Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 });
//! let density = Likelihood::new(Method::Dopri5, adaptive.into())
//!     .log_prob(&field, x1, &ExactTrace { chunk: 2 })?;
//! assert!((density.nats[0] - data.log_density(&[2.5, -0.2])).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```

mod bits;
mod counted;
mod divergence;
mod ends;
mod error;
mod guidance;
mod interruptible;
mod inverse;
mod likelihood;
mod noise;
mod predictor;
mod pullback;
mod push;
mod retimed;
mod sampler;
mod steered;
mod thresholded;

pub use bits::{Dequantise, log_mean_exp};
pub use counted::Counted;
pub use divergence::{Divergence, ExactTrace, Hutchinson, Probe};
pub use error::SampleError;
pub use guidance::{Guided, Interval};
pub use interruptible::Interruptible;
pub use inverse::{
    Answers, Blur, Conditioned, Conditioning, Dense, Dps, Draws, Evidence, LinearOperator, Mask,
    Measurement, Mmps, Observation, ObservationNoise, PiGdm, Pool, Replacement, Sparse,
    adjoint_gap,
};
pub use likelihood::{Likelihood, LogProb};
pub use noise::{latent_grid, latents, latents_of, lengths, normal_rows, prior, starts, starts_of};
pub use predictor::{Predictor, Trained, Velocity};
pub use push::push;
pub use retimed::Retimed;
pub use sampler::{
    Ancestral, ByMethod, Churn, Ddim, Diffusion, DpmSolver, Edm, Final, FlowMap, Generated,
    GivenGrid, Grid, GridConfig, KarrasChurn, KarrasGrid, Langevin, LastStep, LogSnrGrid,
    Multistep, Noise, Ode, Reparametrised, Rule, Sampler, SamplerConfig, Sde, Seeded, Space, UniPc,
    UniPcOrder, UniformGrid, Visit, Watch, Way,
};
pub use steered::Steered;
pub use thresholded::{Threshold, Thresholded};

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
