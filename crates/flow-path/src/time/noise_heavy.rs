//! The mode and cosmap laws of rectified-flow transformers.

use std::f64::consts::{FRAC_PI_2, PI};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::{TimeSampler, draws};
use crate::config::{Check, insist, within};
use crate::{PathError, Times, without_values};

/// Mode law: uniform `u` bent towards the middle or the ends,
/// `t = u + scale (cos^2(pi u / 2) - 1 + u)`.
///
/// A positive `scale` favours the middle, a negative one the ends, and zero is uniform. The law is
/// symmetric about 1/2, and so the same in either direction of time.
///
/// # Reference
/// Esser et al. (2024), arXiv:2403.03206, section 3.1, "Mode Sampling with Heavy Tails".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Strength, in `[-1, 2 / (pi - 2)]`.
    pub scale: f64,
}

impl Mode {
    /// Above it the law would turn back.
    const LARGEST: f64 = 2.0 / (PI - 2.0);

    fn bend(self, u: f64) -> f64 {
        u + self.scale * ((FRAC_PI_2 * u).cos().powi(2) - 1.0 + u)
    }

    fn slope(self, u: f64) -> f64 {
        1.0 + self.scale * (1.0 - FRAC_PI_2 * (PI * u).sin())
    }
}

impl Check for Mode {
    fn check(&self) -> Result<(), PathError> {
        let allowed = (-1.0..=Self::LARGEST).contains(&self.scale);
        within("scale", self.scale, allowed, "[-1, 1.752], up to 2 / (pi - 2)")
    }
}

impl TimeSampler for Mode {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        insist(self.check());
        draws(n, || self.bend(rng.random()))
    }

    fn density(&self, t: f64) -> f64 {
        insist(self.check());
        if t.is_nan() {
            return t;
        }
        let (mut below, mut above) = (0.0, 1.0);
        for _ in 0..60 {
            let u = f64::midpoint(below, above);
            if self.bend(u) < t { below = u } else { above = u }
        }
        self.slope(above).recip()
    }
}

/// Cosmap law: the linear schedule visits log signal-to-noise ratios as the cosine schedule does.
///
/// `t = 1 / (tan(pi u / 2) + 1)` for uniform `u`, with density `2 / (pi (1 - 2 t + 2 t^2))`.
///
/// # Reference
/// Esser et al. (2024), arXiv:2403.03206, section 3.1, "CosMap".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CosMap;

without_values!(CosMap);

impl TimeSampler for CosMap {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        draws(n, || 1.0 / ((FRAC_PI_2 * rng.random::<f64>()).tan() + 1.0))
    }

    fn density(&self, t: f64) -> f64 {
        2.0 / (PI * (1.0 - 2.0 * t + 2.0 * t * t))
    }
}
