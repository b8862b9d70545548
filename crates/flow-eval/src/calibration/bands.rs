//! Bands that hold the whole distribution function of uniform ranks, at a chosen level.

use rand::RngExt;

use super::ranks::Ranks;
use crate::random::{Purpose, stream};

/// Uniform sets of ranks that are simulated.
const SIMULATIONS: usize = 1000;

/// Points at most at which the distribution function is looked at.
const MOST_POINTS: usize = 100;

/// The distribution function of ranks at some points, beside what uniform ranks stay within.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bands {
    /// Shares of the values that a rank may take: what a uniform distribution function is there.
    /// For [`tarp`](crate::tarp) these are credibility levels.
    pub expected: Vec<f64>,
    /// The share of the ranks below: for [`tarp`](crate::tarp) the coverage.
    pub found: Vec<f64>,
    /// Lower ends of the bands.
    pub low: Vec<f64>,
    /// Upper ends of the bands.
    pub high: Vec<f64>,
    /// The greatest distance of the two from each other, in standard errors of a share.
    pub(super) deviation: f64,
    /// The median of that over uniform sets.
    pub(super) usual: f64,
}

impl Bands {
    /// Whether the distribution function stays within all of them.
    #[must_use]
    pub fn hold(&self) -> bool {
        let ends = self.low.iter().zip(&self.high);
        self.found.iter().zip(ends).all(|(x, (low, high))| low <= x && x <= high)
    }
}

impl Ranks {
    /// Simultaneous bands: the distribution function of uniform ranks stays within all of them with
    /// probability `level`, such as 0.95.
    ///
    /// At each point the count of ranks below is binomial. The tails that the bands leave out there
    /// are equally likely at every point, and as likely as the least likely count of a set of
    /// uniform ranks is at the level: found from 1,000 simulated sets.
    ///
    /// # Panics
    /// When the level is not in `(0, 1)`.
    ///
    /// # Reference
    /// Sailynoja, Burkner & Vehtari (2022), "Graphical Test for Discrete Uniformity and Its
    /// Applications in Goodness-of-Fit Evaluation and Multiple Sample Comparison",
    /// arXiv:2103.10522, algorithm 1.
    #[must_use]
    pub fn bands(&self, level: f64, seed: u64) -> Bands {
        assert!(0.0 < level && level < 1.0, "the level must be in (0, 1), not {level}");
        let (n, values) = (self.ranks().len(), self.draws().saturating_add(1));
        let points = values.min(MOST_POINTS);
        // Ranks below this one count at point k.
        let cut = |k: usize| (k as u128 * values as u128 / points as u128) as usize;
        let cuts: Vec<usize> = (1..points).map(cut).collect();
        let found = counts(self.ranks().iter().copied(), &cuts);
        let mut rng = stream(seed, Purpose::Bands, 0);
        let simulated: Vec<Vec<usize>> = (0..SIMULATIONS)
            .map(|_| counts((0..n).map(|_| rng.random_range(0..values)), &cuts))
            .collect();
        let shares: Vec<f64> = cuts.iter().map(|&cut| cut as f64 / values as f64).collect();

        let mut rarest = vec![1.0_f64; SIMULATIONS];
        for (k, &share) in shares.iter().enumerate() {
            let tails = Tails::new(n, share);
            for (rarest, counts) in rarest.iter_mut().zip(&simulated) {
                *rarest = rarest.min(tails.of(counts[k]));
            }
        }
        rarest.sort_unstable_by(f64::total_cmp);
        let least = rarest[(((1.0 - level) * SIMULATIONS as f64) as usize).min(SIMULATIONS - 1)];
        let within = |&share: &f64| {
            let (low, high) = Tails::new(n, share).within(least);
            (low as f64 / n as f64, high as f64 / n as f64)
        };
        let (low, high) = shares.iter().map(within).unzip();
        let deviation = |counts: &[usize]| {
            let terms = counts.iter().zip(&shares);
            terms.map(|(&count, &share)| standardised(count, n, share).abs()).fold(0.0, f64::max)
        };
        let mut usual: Vec<f64> = simulated.iter().map(|counts| deviation(counts)).collect();
        usual.sort_unstable_by(f64::total_cmp);
        Bands {
            low,
            high,
            deviation: deviation(&found),
            usual: usual[SIMULATIONS / 2],
            found: found.iter().map(|&count| count as f64 / n as f64).collect(),
            expected: shares,
        }
    }
}

/// How many ranks are below each cut.
fn counts(ranks: impl Iterator<Item = usize>, cuts: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; cuts.len() + 1];
    for rank in ranks {
        counts[cuts.partition_point(|&cut| cut <= rank)] += 1;
    }
    counts.pop();
    let mut total = 0;
    for count in &mut counts {
        total += *count;
        *count = total;
    }
    counts
}

/// How far a binomial count is from its mean, in standard deviations.
fn standardised(count: usize, n: usize, share: f64) -> f64 {
    let n = n as f64;
    (count as f64 - n * share) / (n * share * (1.0 - share)).sqrt()
}

/// Both tails of a binomial distribution.
pub(super) struct Tails {
    /// Probability of at most so many.
    at_most: Vec<f64>,
    /// Probability of at least so many.
    at_least: Vec<f64>,
}

impl Tails {
    pub(super) fn new(n: usize, share: f64) -> Self {
        // Logarithms, since the probability of none may be less than a number can be.
        let mut log = n as f64 * (-share).ln_1p();
        let odds = share.ln() - (-share).ln_1p();
        let mut masses = Vec::with_capacity(n + 1);
        for k in 0..=n {
            masses.push(log.exp());
            log += ((n - k) as f64 / (k + 1) as f64).ln() + odds;
        }
        let mut at_least = masses.clone();
        for k in (0..n).rev() {
            at_least[k] += at_least[k + 1];
        }
        for k in 0..n {
            masses[k + 1] += masses[k];
        }
        Self { at_most: masses, at_least }
    }

    /// The least and the greatest count whose tails are at least so likely.
    pub(super) fn within(&self, least: f64) -> (usize, usize) {
        let mut inside = (0..self.at_most.len()).filter(|&count| least <= self.of(count));
        let low = inside.next().unwrap_or(0);
        (low, inside.next_back().unwrap_or(low))
    }

    /// Twice the smaller tail that begins with a count.
    fn of(&self, count: usize) -> f64 {
        (2.0 * self.at_most[count].min(self.at_least[count])).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_a_fair_coin() {
        let tails = Tails::new(4, 0.5);
        for (count, expected) in [1.0, 5.0, 11.0, 5.0, 1.0].into_iter().enumerate() {
            assert!((tails.of(count) - (2.0 * expected / 16.0_f64).min(1.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn bands_hold_as_often_as_they_say() {
        let mut rng = stream(3, Purpose::Calibration, 9);
        let holds = |_| {
            let ranks = (0..200).map(|_| rng.random_range(0..=63)).collect();
            Ranks::new(ranks, 63).unwrap().bands(0.9, 1).hold()
        };
        let share = (0..200).map(holds).filter(|holds| *holds).count();
        // 180 of 200 with a standard deviation of 4.2; the level itself is found to one in 100.
        assert!((164..=196).contains(&share), "{share}");
    }
}
