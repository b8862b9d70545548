//! Shifting time towards the noise, as larger images need.

use rand::Rng;

use super::{TimeSampler, inside};
use crate::{PathError, Times};

/// Shift of time by a factor: on the linear schedule it divides `alpha / sigma` by `factor`.
///
/// `t -> t / (t + factor (1 - t))`; in log signal-to-noise ratio,
/// `lambda -> lambda - 2 ln(factor)`. A factor above one moves times towards the noise. Shifts form
/// a group: they compose by multiplying their factors, the factor 1 does nothing, and the inverse
/// has the reciprocal factor. A shift applied both to the training times and to the sampling grid
/// is meant; applied twice to either, it is the shift by `factor^2`.
///
/// # Reference
/// Esser et al. (2024), arXiv:2403.03206, equation 23, whose time runs from data to noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeShift(f64);

impl TimeShift {
    /// The shift by a factor.
    ///
    /// # Errors
    /// If the factor is not between `1e-100` and `1e100`.
    pub fn new(factor: f64) -> Result<Self, PathError> {
        if (Self::LEAST..=Self::LARGEST).contains(&factor) {
            Ok(Self(factor))
        } else {
            let domain = "[1e-100, 1e100]";
            Err(PathError::Parameter { name: "factor", value: factor, domain })
        }
    }

    /// Factors beyond these shift every time to an end, and their squares would overflow.
    const LEAST: f64 = 1e-100;
    const LARGEST: f64 = 1e100;

    /// The shift for `dim` numbers per sample relative to `base_dim`: the factor
    /// `sqrt(dim / base_dim)` keeps the uncertainty about the data's mean.
    ///
    /// # Panics
    /// If a dimension is zero.
    #[must_use]
    pub fn for_dimensions(dim: usize, base_dim: usize) -> Self {
        assert!(0 < dim && 0 < base_dim, "expected positive dimensions, got {dim} and {base_dim}");
        Self((dim as f64 / base_dim as f64).sqrt())
    }

    /// The factor.
    #[must_use]
    pub fn factor(self) -> f64 {
        self.0
    }

    /// The shifted time; the ends stay where they are, and NaN stays NaN.
    #[must_use]
    pub fn apply(self, t: f64) -> f64 {
        t / (t + self.0 * (1.0 - t))
    }

    /// The shift that undoes this one.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self(self.0.recip())
    }

    /// This shift after another, with a factor that stays between `1e-100` and `1e100`.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        Self((self.0 * first.0).clamp(Self::LEAST, Self::LARGEST))
    }

    /// Derivative of the shifted time with respect to the time.
    #[must_use]
    pub fn slope(self, t: f64) -> f64 {
        self.0 / (t + self.0 * (1.0 - t)).powi(2)
    }
}

/// A law of time followed by a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shifted<L> {
    /// The law before the shift.
    pub law: L,
    /// The shift.
    pub shift: TimeShift,
}

impl<L: TimeSampler> TimeSampler for Shifted<L> {
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
        // The ends, which a law may draw on purpose, stay where they are.
        let shift = |t: f64| if 0.0 < t && t < 1.0 { inside(self.shift.apply(t)) } else { t };
        self.law.sample(n, rng).map(shift)
    }

    fn density(&self, t: f64) -> f64 {
        let back = self.shift.inverse();
        self.law.density(back.apply(t)) * back.slope(t)
    }
}
