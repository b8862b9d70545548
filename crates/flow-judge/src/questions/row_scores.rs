//! Scores of answers about rows of a table, beside the rows themselves.

use flow_eval::Score;

use super::image_scores::with_mean;

/// What is found row by row.
#[derive(Debug, Default)]
pub(super) struct RowScores {
    error: Vec<f64>,
    crps: Vec<f64>,
    inside: Vec<f64>,
    right: Vec<f64>,
}

impl RowScores {
    /// Takes what a row holds and what was answered, of each number `(truth, answers)` in standard
    /// deviations of its column, and of each category the share of answers that are right.
    pub(super) fn add(&mut self, numbers: &[(f64, Vec<f64>)], right: &[f64]) {
        let mean = |values: &mut dyn Iterator<Item = f64>, n: usize| values.sum::<f64>() / n as f64;
        if !numbers.is_empty() {
            let over = |f: fn(f64, &[f64]) -> f64| {
                mean(&mut numbers.iter().map(|(truth, drawn)| f(*truth, drawn)), numbers.len())
            };
            self.error.push(over(squared_error).sqrt());
            self.crps.push(over(crps));
            self.inside.push(over(inside));
        }
        if !right.is_empty() {
            self.right.push(mean(&mut right.iter().copied(), right.len()));
        }
    }

    /// The means over rows with their standard errors, where there is anything to score; `draws`
    /// are the answers to each.
    pub(super) fn scores(&self, draws: usize) -> Vec<Score> {
        let of = |score: fn(String, f64, usize) -> Score, name: String, values: &[f64]| {
            let score = score(name, 0.0, values.len());
            (!values.is_empty()).then(|| with_mean(score, values))
        };
        let interval = (1 < draws).then(|| format!("inside {:.0} %", 100.0 * nominal(draws)));
        [
            of(Score::lower, "error of the mean".into(), &self.error),
            of(Score::lower, "CRPS".into(), &self.crps),
            interval.and_then(|name| of(Score::higher, name, &self.inside)),
            of(Score::higher, "agreement".into(), &self.right),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn squared_error(truth: f64, drawn: &[f64]) -> f64 {
    (drawn.iter().sum::<f64>() / drawn.len() as f64 - truth).powi(2)
}

/// The continuous ranked probability score, `E|X - y| - E|X - X'| / 2`, with the mean over pairs of
/// different answers: its expectation does not depend on how many there are.
///
/// # Reference
/// Gneiting & Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", Journal
/// of the American Statistical Association 102, section 4.2; Ferro (2014), "Fair scores for
/// ensemble forecasts", Quarterly Journal of the Royal Meteorological Society 140.
fn crps(truth: f64, drawn: &[f64]) -> f64 {
    let n = drawn.len() as f64;
    let mut sorted = drawn.to_vec();
    sorted.sort_by(f64::total_cmp);
    let away = sorted.iter().map(|x| (x - truth).abs()).sum::<f64>() / n;
    // The sum of x_j - x_i over pairs i < j.
    let apart: f64 = sorted.iter().enumerate().map(|(i, x)| x * (2.0 * i as f64 + 1.0 - n)).sum();
    away - apart / (n * (n - 1.0)).max(1.0)
}

/// Answers at each end that lie outside of the interval: a twentieth, and one at least.
fn outside(draws: usize) -> usize {
    (0.05 * (draws + 1) as f64).round().max(1.0) as usize
}

/// How probable it is that a truth of the law of its answers lies between the first and the last
/// of those inside: all of its ranks are equally probable.
fn nominal(draws: usize) -> f64 {
    (draws + 1).saturating_sub(2 * outside(draws)) as f64 / (draws + 1) as f64
}

/// 1 if the truth lies within the interval of its answers.
fn inside(truth: f64, drawn: &[f64]) -> f64 {
    let mut sorted = drawn.to_vec();
    sorted.sort_by(f64::total_cmp);
    let k = outside(sorted.len());
    let ends = sorted.get(k - 1).zip(sorted.len().checked_sub(k).and_then(|at| sorted.get(at)));
    f64::from(u8::from(ends.is_some_and(|(low, high)| (low..=high).contains(&&truth))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_a_number_are_their_formulas() {
        // E|X - 0.5| = (0.5 + 0.5 + 2.5) / 3, the mean of |x_i - x_j| over pairs 2.
        let drawn = [3.0, 0.0, 1.0];
        assert!((crps(0.5, &drawn) - (3.5 / 3.0 - 1.0)).abs() < 1e-12);
        assert!((crps(0.5, &[2.0]) - 1.5).abs() < 1e-12, "of one answer its distance");
        assert!((squared_error(0.5, &drawn) - (4.0_f64 / 3.0 - 0.5).powi(2)).abs() < 1e-12);
    }

    #[test]
    fn an_interval_leaves_out_a_twentieth_at_each_end() {
        let drawn: Vec<f64> = (0..39).map(f64::from).rev().collect();
        // Two of 40 ranks at each end: from answer 1 to answer 37.
        assert_eq!((outside(39), nominal(39)), (2, 0.9));
        for (truth, want) in [(0.9, 0.0), (1.0, 1.0), (37.0, 1.0), (37.1, 0.0)] {
            assert_eq!((truth, inside(truth, &drawn)), (truth, want));
        }
        assert!((nominal(16) - 15.0 / 17.0).abs() < 1e-12);
        assert_eq!((nominal(1), nominal(0)), (0.0, 0.0));
    }

    #[test]
    fn rows_count_alike_and_what_is_not_there_has_no_score() {
        let mut scores = RowScores::default();
        scores.add(&[(0.0, vec![1.0, 3.0])], &[0.5, 1.0]);
        scores.add(&[(2.0, vec![1.0, 3.0])], &[0.25, 0.25]);
        let found: Vec<(String, f64)> =
            scores.scores(2).into_iter().map(|score| (score.name, score.value)).collect();
        // CRPS: 2 - 1 and 1 - 1. Of two answers the interval is from one to the other.
        let want = [("error of the mean", 1.0), ("CRPS", 0.5), ("inside 33 %", 0.5)];
        for ((name, value), want) in found.iter().zip(want) {
            assert_eq!((name.as_str(), *value), want);
        }
        assert_eq!(found[3], ("agreement".to_owned(), 0.5));
        assert!(RowScores::default().scores(2).is_empty());
    }
}
