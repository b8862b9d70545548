//! The log-normal noise level of EDM, as a law of time.

use std::f64::consts::PI;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::TimeSampler;
use crate::config::{Check, finite, insist, positive};
use crate::{PathError, Schedule, Times};

/// Log-normal noise level, `ln(sigma / alpha) ~ N(mean, std^2)`, which a schedule turns into times.
///
/// # Reference
/// Karras et al. (2022), arXiv:2206.00364, table 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogNormalLevel {
    /// Mean of the logarithm of the noise level, finite.
    pub mean: f64,
    /// Standard deviation of the logarithm of the noise level, positive and finite.
    pub std: f64,
}

impl LogNormalLevel {
    /// The law of the times at which a schedule has these noise levels.
    pub fn on<S: Schedule>(self, schedule: S) -> EdmLogNormal<S> {
        EdmLogNormal { mean: self.mean, std: self.std, schedule }
    }
}

impl Default for LogNormalLevel {
    /// The paper's law, mean -1.2 and standard deviation 1.2, for data of standard deviation 0.5.
    fn default() -> Self {
        Self { mean: -1.2, std: 1.2 }
    }
}

impl Check for LogNormalLevel {
    fn check(&self) -> Result<(), PathError> {
        finite("mean", self.mean)?;
        positive("std", self.std)
    }
}

/// Log-normal noise level: `ln(sigma / alpha) ~ N(mean, std^2)`, at the time where the schedule has
/// it.
///
/// Noise levels outside the span of the schedule fall on its ends, whose mass
/// [`TimeSampler::density`] leaves out. The ends themselves are drawn, as the schedule is finite
/// there.
///
/// # Reference
/// Karras, Aittala, Aila & Laine (2022), "Elucidating the Design Space of Diffusion-Based
/// Generative Models", arXiv:2206.00364, table 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdmLogNormal<S> {
    /// Mean of the logarithm of the noise level, finite.
    pub mean: f64,
    /// Standard deviation of the logarithm of the noise level, positive and finite.
    pub std: f64,
    /// The schedule that turns noise levels into times.
    pub schedule: S,
}

impl<S: Schedule> EdmLogNormal<S> {
    /// The paper's law, mean -1.2 and standard deviation 1.2, for data of standard deviation 0.5.
    pub fn new(schedule: S) -> Self {
        LogNormalLevel::default().on(schedule)
    }

    fn check(&self) -> Result<(), PathError> {
        LogNormalLevel { mean: self.mean, std: self.std }.check()
    }
}

impl<S: Schedule> TimeSampler for EdmLogNormal<S> {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        insist(self.check());
        let mut draw = || {
            let z: f64 = StandardNormal.sample(rng);
            self.schedule.time_at_log_snr(-2.0 * (self.mean + self.std * z))
        };
        Times::new((0..n).map(|_| draw()).collect())
    }

    fn density(&self, t: f64) -> f64 {
        let c = self.schedule.at(t);
        insist(self.check());
        let z = (-0.5 * c.log_snr() - self.mean) / self.std;
        if z.is_infinite() {
            // A normal law falls faster than any noise level rises.
            return 0.0;
        }
        (-0.5 * z * z).exp() / (self.std * (2.0 * PI).sqrt()) * 0.5 * c.d_log_snr()
    }
}
