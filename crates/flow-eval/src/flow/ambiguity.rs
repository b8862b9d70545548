//! Ambiguity: the variance of the velocities that meet at one place and time.

use serde::Serialize;

use crate::EvalError;

/// All bins together take at most this many places: 400 megabytes.
const MOST_BINS: usize = 1 << 24;

/// Equal bins between two bounds, both of which belong to a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    /// Lower bound of the first bin.
    pub low: f64,
    /// Upper bound of the last bin.
    pub high: f64,
    /// Number of bins.
    pub count: usize,
}

impl Bins {
    fn index(&self, x: f64) -> Option<usize> {
        let at = (x - self.low) / (self.high - self.low) * self.count as f64;
        let inside = self.low <= x && x <= self.high;
        // The upper bound itself, and what rounding puts there, is of the last bin.
        inside.then(|| (at as usize).min(self.count - 1))
    }

    fn check(&self, name: &'static str) -> Result<(), EvalError> {
        if self.low < self.high && (self.high - self.low).is_finite() && 0 < self.count {
            return Ok(());
        }
        let value = self.count as f64;
        Err(EvalError::Parameter { name, value, expected: "at least one bin between low < high" })
    }
}

/// The velocities in one bin of position and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VelocitySpread {
    /// Number of velocities.
    pub count: usize,
    /// Their mean, which regression learns; 0 where there are none.
    pub mean: f64,
    /// Their standard deviation, which regression loses; 0 for fewer than two.
    pub std: f64,
}

/// Mean and spread of one-dimensional velocities by position and time: `[t.count, x.count]`,
/// row-major.
///
/// Rectified flow learns the mean velocity at `(x, t)`, though the straight lines between noise and
/// data cross there with many velocities. The spread of `x_1 - x_0` shows where; that of a model's
/// velocities, how much of it the model can express: nothing for a deterministic field, up to the
/// change of the field across a bin. Velocities outside the bins are left out; a time or position
/// on the upper bound is of the last bin.
///
/// # Errors
/// When there are no bins or more than 16,777,216 in all, and when a number is not finite.
///
/// # Panics
/// When the slices differ in length.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, figure 3.
pub fn velocity_spread(
    positions: &[f32],
    times: &[f32],
    velocities: &[f32],
    x: Bins,
    t: Bins,
) -> Result<Vec<VelocitySpread>, EvalError> {
    let n = velocities.len();
    assert_eq!((positions.len(), times.len()), (n, n), "one position and one time to a velocity");
    x.check("bins of x")?;
    t.check("bins of t")?;
    let count = t.count.checked_mul(x.count).filter(|&count| count <= MOST_BINS);
    let Some(count) = count else {
        let (value, expected) = (t.count as f64 * x.count as f64, "at most 16777216 in all");
        return Err(EvalError::Parameter { name: "bins of x and t", value, expected });
    };
    let mut bins = vec![VelocitySpread::default(); count];
    for (row, ((&position, &time), &velocity)) in
        positions.iter().zip(times).zip(velocities).enumerate()
    {
        let [position, time, velocity] = [position, time, velocity].map(f64::from);
        if let Some(value) = [position, time, velocity].into_iter().find(|x| !x.is_finite()) {
            return Err(EvalError::NotFinite { row, column: 0, value });
        }
        if let (Some(j), Some(i)) = (x.index(position), t.index(time)) {
            bins[i * x.count + j].add(velocity);
        }
    }
    for bin in &mut bins {
        bin.std = (bin.std / (bin.count.max(2) - 1) as f64).sqrt();
    }
    Ok(bins)
}

impl VelocitySpread {
    /// Welford's update, with the sum of squared deviations kept in `std`.
    fn add(&mut self, velocity: f64) {
        self.count += 1;
        let deviation = velocity - self.mean;
        self.mean += deviation / self.count as f64;
        self.std += deviation * (velocity - self.mean);
    }
}
