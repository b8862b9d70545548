//! Ranks in bins, beside the counts that uniform ranks stay within.

use super::bands::Tails;
use super::ranks::Ranks;

/// How many ranks fall into each of some bins, beside what uniform ranks stay within.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histogram {
    /// Ranks in each bin.
    pub counts: Vec<usize>,
    /// Least counts of the band.
    pub low: Vec<usize>,
    /// Greatest counts of the band.
    pub high: Vec<usize>,
}

impl Histogram {
    /// Whether every count stays within the band.
    #[must_use]
    pub fn holds(&self) -> bool {
        let ends = self.low.iter().zip(&self.high);
        self.counts.iter().zip(ends).all(|(x, (low, high))| low <= x && x <= high)
    }
}

impl Ranks {
    /// Ranks in bins of equal width, with a band that holds the counts of uniform ranks, all of
    /// them together, with probability `level` or more.
    ///
    /// The count of a bin is binomial, with the share of the ranks' values that lie in the bin.
    /// What the band leaves out there has a probability of `(1 - level) / bins` or less, so that
    /// the bins together leave out `1 - level` at most (Bonferroni). Counts above the band at both
    /// ends are those of posteriors that are too narrow, in the middle of those that are too wide.
    ///
    /// # Panics
    /// When the level is not in `(0, 1)`, and as [`histogram`](Self::histogram).
    ///
    /// # Reference
    /// Talts, Betancourt, Simpson, Vehtari & Gelman (2018), "Validating Bayesian Inference
    /// Algorithms with Simulation-Based Calibration", arXiv:1804.06788, section 4.1: the band of
    /// each bin by itself.
    #[must_use]
    pub fn histogram_within(&self, bins: usize, level: f64) -> Histogram {
        assert!(0.0 < level && level < 1.0, "the level must be in (0, 1), not {level}");
        let counts = self.histogram(bins);
        let (n, values) = (self.ranks().len(), self.draws().saturating_add(1));
        let start = |bin: usize| (bin as u128 * values as u128).div_ceil(bins as u128);
        let band = |bin: usize| {
            let share = (start(bin + 1) - start(bin)) as f64 / values as f64;
            if bins == 1 {
                (n, n)
            } else {
                Tails::new(n, share).within((1.0 - level) / bins as f64)
            }
        };
        let (low, high) = (0..bins).map(band).unzip();
        Histogram { counts, low, high }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn the_band_of_two_bins_is_that_of_a_fair_coin() {
        // Four tosses: none or all have a probability of 1/8, one or three of 1/2.
        let ranks = Ranks::new(vec![0, 0, 0, 1], 1).unwrap();
        let found = ranks.histogram_within(2, 0.5);
        assert_eq!(found, Histogram { counts: vec![3, 1], low: vec![1; 2], high: vec![3; 2] });
        assert!(found.holds());
        assert_eq!(ranks.histogram_within(2, 0.9).low, [0, 0]);
        assert!(!Ranks::new(vec![0; 4], 1).unwrap().histogram_within(2, 0.5).holds());
        assert!(ranks.histogram_within(1, 0.5).holds());
    }

    #[test]
    fn bands_hold_uniform_ranks_as_often_as_they_say_and_others_never() {
        let mut rng = stream(5, Purpose::Calibration, 9);
        let uniform = |_| {
            let ranks = (0..200).map(|_| rng.random_range(0..=99)).collect();
            Ranks::new(ranks, 99).unwrap().histogram_within(20, 0.9).holds()
        };
        let share = (0..400).map(uniform).filter(|holds| *holds).count();
        // At least 360 of 400, with a standard deviation of 6; the bound is close, but counts are
        // whole numbers.
        assert!(342 <= share, "{share}");
        // A fifth of the truths beyond all draws on either side.
        let narrow = (0..200).map(|i| [0, 99, i % 100, i % 100, i % 100][i % 5]).collect();
        assert!(!Ranks::new(narrow, 99).unwrap().histogram_within(20, 0.9).holds());
    }
}
