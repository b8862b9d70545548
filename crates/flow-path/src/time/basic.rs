//! Uniform time, and the common laws that favour the middle or the ends.

use std::f64::consts::PI;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use serde::{Deserialize, Serialize};

use super::{LEAST_TIME, TimeSampler, draws};
use crate::config::{Check, finite, insist, positive, within};
use crate::{PathError, Times, without_values};

/// Uniform time, each sample by itself: the law of the original objective.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uniform;

impl TimeSampler for Uniform {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        draws(n, || rng.random())
    }

    fn density(&self, _t: f64) -> f64 {
        1.0
    }
}

/// Uniform time with one sample in each of `n` equal intervals, in the order of the batch.
///
/// Each sample by itself is uniform only over its interval: a batch whose order carries meaning
/// must be shuffled. The batch covers the unit interval evenly, which lowers the variance of its
/// mean loss.
///
/// # Reference
/// Low-discrepancy times follow Kingma et al. (2021), "Variational Diffusion Models",
/// arXiv:2107.00630, here with independent jitter in each interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stratified;

impl TimeSampler for Stratified {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        let mut stratum = 0.0;
        draws(n, || {
            let t = (stratum + rng.random::<f64>()) / n as f64;
            stratum += 1.0;
            t
        })
    }

    fn density(&self, _t: f64) -> f64 {
        1.0
    }
}

without_values!(Uniform, Stratified);

/// Logit-normal time: `ln(t / (1 - t)) ~ N(mean, std^2)`.
///
/// With mean 0 the middle is favoured; a positive mean moves the weight towards the data. The
/// density vanishes at both ends.
///
/// A standard deviation far above 1 puts times so near to the ends that they round to them; they
/// are moved to the nearest number inside.
///
/// # Reference
/// Esser et al. (2024), "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis",
/// arXiv:2403.03206, section 3.1, whose time runs from data to noise: its mean is minus ours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogitNormal {
    /// Mean of the logit of `t`, finite.
    pub mean: f64,
    /// Standard deviation of the logit of `t`, positive and finite.
    pub std: f64,
}

impl Check for LogitNormal {
    fn check(&self) -> Result<(), PathError> {
        finite("mean", self.mean)?;
        positive("std", self.std)
    }
}

impl Default for LogitNormal {
    /// Mean 0 and standard deviation 1.
    fn default() -> Self {
        Self { mean: 0.0, std: 1.0 }
    }
}

impl TimeSampler for LogitNormal {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        insist(self.check());
        draws(n, || {
            let z: f64 = StandardNormal.sample(rng);
            1.0 / (1.0 + (-(self.mean + self.std * z)).exp())
        })
    }

    fn density(&self, t: f64) -> f64 {
        insist(self.check());
        if t <= 0.0 || 1.0 <= t {
            return 0.0;
        }
        let z = ((t / (1.0 - t)).ln() - self.mean) / self.std;
        (-0.5 * z * z).exp() / (self.std * (2.0 * PI).sqrt() * t * (1.0 - t))
    }
}

/// U-shaped time with density proportional to `cosh(sharpness (2 t - 1))`: both ends are favoured.
///
/// `|2 t - 1|` has about the mean `1 - 1 / sharpness`; a sharpness of 0 is uniform.
///
/// # Reference
/// Lee, Lin & Fanti (2024), "Improving the Training of Rectified Flows", arXiv:2405.20320, make the
/// case for a U-shaped law; this one is symmetric about the middle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UShaped {
    /// How strongly the ends are favoured; zero or positive, and finite.
    pub sharpness: f64,
}

impl UShaped {
    /// Where `sinh` would overflow, and equals half an exponential in every digit.
    const SHARP: f64 = 700.0;
    /// Where the density differs from 1 by less than a rounding error.
    const FLAT: f64 = 1e-9;
}

impl Check for UShaped {
    fn check(&self) -> Result<(), PathError> {
        let allowed = (0.0..f64::INFINITY).contains(&self.sharpness);
        within("sharpness", self.sharpness, allowed, "[0, inf)")
    }
}

impl TimeSampler for UShaped {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        insist(self.check());
        draws(n, || {
            if self.sharpness < Self::FLAT {
                return rng.random();
            }
            if Self::SHARP < self.sharpness {
                // asinh(u sinh(s)) = s + ln(u) to rounding, for the u that can be drawn.
                let u = 2.0 * rng.random::<f64>() - 1.0;
                let from_middle = (1.0 + u.abs().ln() / self.sharpness).max(0.0);
                return 0.5 + 0.5 * from_middle.copysign(u);
            }
            let y = (2.0 * rng.random::<f64>() - 1.0) * self.sharpness.sinh();
            0.5 + 0.5 * y.asinh() / self.sharpness
        })
    }

    fn density(&self, t: f64) -> f64 {
        insist(self.check());
        if self.sharpness < Self::FLAT {
            return 1.0;
        }
        if Self::SHARP < self.sharpness {
            let from_middle = (2.0 * t - 1.0).abs();
            let rising = (self.sharpness * (from_middle - 1.0)).exp();
            return self.sharpness * (rising + (-self.sharpness * (from_middle + 1.0)).exp());
        }
        self.sharpness * (self.sharpness * (2.0 * t - 1.0)).cosh() / self.sharpness.sinh()
    }
}

/// Beta-distributed time, with density `t^(data - 1) (1 - t)^(noise - 1) / B(data, noise)`.
///
/// Where an exponent is far below 1 times round to the ends; they are moved to the nearest number
/// inside.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beta {
    /// Exponent of the data, in `[1e-3, 1e6]`: a larger one moves times towards 1.
    pub data: f64,
    /// Exponent of the noise, in `[1e-3, 1e6]`: a larger one moves times towards 0.
    pub noise: f64,
}

impl Beta {
    /// The law with the given exponents.
    ///
    /// # Errors
    /// If an exponent is not between `1e-3` and `1e6`. Below, most times would round to an end;
    /// above, all of them to one number.
    pub fn new(data: f64, noise: f64) -> Result<Self, PathError> {
        let law = Self { data, noise };
        law.check().map(|()| law)
    }
}

impl Check for Beta {
    fn check(&self) -> Result<(), PathError> {
        [("data", self.data), ("noise", self.noise)].into_iter().try_for_each(|(name, value)| {
            within(name, value, (1e-3..=1e6).contains(&value), "[1e-3, 1e6]")
        })
    }
}

impl TimeSampler for Beta {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        insist(self.check());
        let law =
            rand_distr::Beta::new(self.data, self.noise).expect("both exponents are positive");
        draws(n, || law.sample(rng))
    }

    fn density(&self, t: f64) -> f64 {
        // An exponent of 1 at an end would be 0 times infinity.
        let t = t.clamp(LEAST_TIME, 1.0 - LEAST_TIME);
        let Self { data, noise } = *self;
        insist(self.check());
        let log_normaliser = ln_gamma(data) + ln_gamma(noise) - ln_gamma(data + noise);
        ((data - 1.0) * t.ln() + (noise - 1.0) * (-t).ln_1p() - log_normaliser).exp()
    }
}

/// Times with the density `(1 + a) t^a`, drawn as `U^(1 / (1 + a))`: a positive `a` favours the
/// data, a negative one the noise, and 0 is uniform.
///
/// It is the law of posterior estimation, where the end near the data decides how sharp a posterior
/// becomes: those authors tune `a` between -0.5 and 4. [`Beta`] with the exponents `1 + a` and 1 is
/// the same law.
///
/// # Reference
/// Wildberger, Dax, Buchholz, Green, Macke & Schoelkopf (2023), "Flow Matching for Scalable
/// Simulation-Based Inference", arXiv:2305.17161, section 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerLaw {
    /// The exponent `a` of the density, in `(-1, 1e6]`.
    pub exponent: f64,
}

impl Check for PowerLaw {
    fn check(&self) -> Result<(), PathError> {
        let allowed = -1.0 < self.exponent && self.exponent <= 1e6;
        within("exponent", self.exponent, allowed, "(-1, 1e6]")
    }
}

impl TimeSampler for PowerLaw {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        insist(self.check());
        draws(n, || rng.random::<f64>().powf(1.0 / (1.0 + self.exponent)))
    }

    fn density(&self, t: f64) -> f64 {
        insist(self.check());
        (1.0 + self.exponent) * t.powf(self.exponent)
    }
}

/// Logarithm of the gamma function: Stirling's series after shifting the argument above 10.
fn ln_gamma(x: f64) -> f64 {
    let shift: f64 = (0..10).map(|k| (x + f64::from(k)).ln()).sum();
    let y = x + 10.0;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * y * y)) / (y * y)) / y;
    (y - 0.5) * y.ln() - y + 0.5 * (2.0 * PI).ln() + series - shift
}
