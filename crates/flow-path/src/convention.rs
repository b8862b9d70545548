//! Other conventions of time, by name.
//!
//! Diffusion models count time from the data: `s = 0` at the data, `s = 1` at the noise, or in
//! discrete steps. Everything here runs from noise to data; these functions are the only place
//! where the two meet.

use crate::{Coefficients, Schedule};

/// Diffusion time `s = 1 - t`, from data to noise, of our time `t`.
#[must_use]
pub fn to_diffusion_time(t: f64) -> f64 {
    1.0 - t
}

/// Our time `t = 1 - s` of a diffusion time `s`.
#[must_use]
pub fn from_diffusion_time(s: f64) -> f64 {
    1.0 - s
}

/// Our velocity `dx/dt` of a velocity `dx/ds` in diffusion time: its negative.
///
/// Lipman et al. (2023), arXiv:2210.02747, lemma 1 of appendix D.
#[must_use]
pub fn from_diffusion_velocity(velocity: f64) -> f64 {
    -velocity
}

/// Our time of step `step` in `0..steps` of a discrete chain whose step 0 is the least noisy one.
///
/// The chain's state after step `k` has diffusion time `(k + 1) / steps`.
///
/// # Panics
/// If the step is not below `steps`.
#[must_use]
pub fn from_discrete_step(step: usize, steps: usize) -> f64 {
    assert!(step < steps, "expected a step below {steps}, got {step}");
    from_diffusion_time((step + 1) as f64 / steps as f64)
}

/// The step of a discrete chain nearest to our time, the inverse of [`from_discrete_step`].
///
/// Times beyond the ends give the first and the last step, and NaN the first one.
///
/// # Panics
/// If there are no steps.
#[must_use]
pub fn to_discrete_step(t: f64, steps: usize) -> usize {
    assert!(0 < steps, "a discrete chain needs at least one step");
    let step = (to_diffusion_time(t) * steps as f64).round() as usize;
    step.clamp(1, steps) - 1
}

/// A schedule written in diffusion time, from data at `s = 0` to noise at `s = 1`, in ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FromDiffusionTime<S>(pub S);

impl<S: Schedule> Schedule for FromDiffusionTime<S> {
    fn at(&self, t: f64) -> Coefficients {
        let c = self.0.at(to_diffusion_time(t));
        Coefficients { d_alpha: -c.d_alpha, d_sigma: -c.d_sigma, ..c }
    }

    fn prior_std(&self) -> f64 {
        self.0.prior_std()
    }

    fn span(&self) -> (f64, f64) {
        let (start, end) = self.0.span();
        (from_diffusion_time(end), from_diffusion_time(start))
    }
}
