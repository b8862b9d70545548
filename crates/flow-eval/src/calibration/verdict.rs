//! The verdict of a test of calibration, as a number and in words.

use std::fmt;

use serde::Serialize;

use super::ranks::Ranks;
use crate::Score;

/// Whether posteriors are calibrated, and how they deviate if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing is seen against them at this number of observations.
    Calibrated,
    /// Over-confident: truths lie outside more often than the posteriors say.
    TooNarrow,
    /// Under-confident: truths lie inside more often than the posteriors say.
    TooWide,
    /// Moved: truths lie to one side.
    Biased,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Calibrated => "calibrated, as far as these observations tell",
            Self::TooNarrow => "too narrow: over-confident",
            Self::TooWide => "too wide: under-confident",
            Self::Biased => "biased to one side",
        })
    }
}

impl Ranks {
    /// The greatest deviation of the ranks' distribution function from a uniform one, in standard
    /// errors, under a name of the caller's choice. The floor is the median for uniform ranks.
    ///
    /// It is the greatest of up to 99 dependent deviations, so that values of 2 to 3 are common:
    /// use [`Ranks::verdict`] to judge.
    #[must_use]
    pub fn deviation(&self, name: impl Into<String>, seed: u64) -> Score {
        let bands = self.bands(0.95, seed);
        Score::lower(name, bands.deviation, self.ranks().len())
            .with_unit("standard errors")
            .with_floor(bands.usual)
            .with_seed(seed)
    }

    /// What the ranks say, at a level such as 0.95.
    ///
    /// Ranks within their [`bands`](Ranks::bands) are called calibrated; right posteriors are
    /// called something else with probability `1 - level`. Of others it is said in which way they
    /// are wrong the most: by the mean of the ranks, or by how far they lie from the middle.
    ///
    /// # Panics
    /// When the level is not in `(0, 1)`.
    #[must_use]
    pub fn verdict(&self, level: f64, seed: u64) -> Verdict {
        if self.bands(level, seed).hold() {
            return Verdict::Calibrated;
        }
        // Uniform numbers in (-1/2, 1/2) have the variance 1/12, their squares 1/180.
        let (n, values) = (self.ranks().len() as f64, self.draws() as f64 + 1.0);
        let centred = self.ranks().iter().map(|&rank| (rank as f64 + 0.5) / values - 0.5);
        let (sum, squares) = centred.fold((0.0, 0.0), |(a, b), u| (a + u, b + u * u));
        let bias = (sum / n / (1.0 / 12.0 / n).sqrt()).abs();
        let spread = (squares / n - 1.0 / 12.0) / (1.0 / 180.0 / n).sqrt();
        if spread.abs() < bias {
            Verdict::Biased
        } else if 0.0 < spread {
            Verdict::TooNarrow
        } else {
            Verdict::TooWide
        }
    }
}
