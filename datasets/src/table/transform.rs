//! Monotone transforms of a column of numbers onto the scale of the noise, with inverse and slope.

#![allow(clippy::float_cmp, reason = "cells are equal or they are not")]

use serde::{Deserialize, Serialize};

use super::normal::inverse_normal;

/// Points of a quantile transform at most: they are stored in the file of the model.
const MOST_POINTS: usize = 201;

/// Which transform a column gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TransformKind {
    /// Mean 0 and spread 1.
    #[default]
    Standard,
    /// Least and greatest value become -1 and 1.
    MinMax,
    /// The standard score of `ln(1 + x)`, for skewed numbers above -1.
    #[serde(rename = "log1p")]
    Log1p,
    /// Ranks become quantiles of the normal law.
    Quantile,
    /// The standard score of `ln(u / (1 - u))`, where `u` is 0 at the first of two numbers and 1 at
    /// the second: for what lies between known bounds, as a parameter with a uniform prior does.
    /// What is generated never leaves them.
    Logit([f64; 2]),
}

impl TransformKind {
    /// Its name, as in a recipe.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::MinMax => "min-max",
            Self::Log1p => "log1p",
            Self::Quantile => "quantile",
            Self::Logit(_) => "logit",
        }
    }

    /// Whether it is defined at a number.
    pub(crate) fn takes(self, x: f64) -> bool {
        match self {
            Self::Log1p => -1.0 < x,
            Self::Logit([low, high]) => (low..=high).contains(&x),
            _ => true,
        }
    }
}

/// A fitted transform `z = f(x)`, strictly increasing.
///
/// The density of a column in its own units is `p(x) = p(z) dz/dx`; [`Transform::log_slope`] is
/// `ln dz/dx`, as a function of `z`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Transform {
    /// `z = (x - mean) / scale`.
    Standard {
        /// Mean of the training rows.
        mean: f64,
        /// Their standard deviation.
        scale: f64,
    },
    /// `z = 2 (x - min) / (max - min) - 1`.
    MinMax {
        /// Least value of the training rows.
        min: f64,
        /// Their greatest.
        max: f64,
    },
    /// `z = (ln(1 + x) - mean) / scale`.
    #[serde(rename = "log1p")]
    Log1p {
        /// Mean of the logarithms.
        mean: f64,
        /// Their standard deviation.
        scale: f64,
    },
    /// Linear between the points `(values[i], scores[i])`, and on beyond the last by their slope.
    ///
    /// The points are quantiles of the training rows: `scores[i]` is the normal quantile of the
    /// mean rank of `values[i]`, `(rank - 1/2) / n`.
    Quantile {
        /// Values, increasing.
        values: Vec<f64>,
        /// Their normal quantiles, increasing.
        scores: Vec<f64>,
    },
    /// `z = (ln(u / (1 - u)) - mean) / scale` with `u = (x - low) / (high - low)`.
    ///
    /// A number at a bound counts as one that lies a millionth of the range inside, since the
    /// logarithm there is infinite; beyond the bounds there is no number.
    Logit {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
        /// Mean of the logarithms of the training rows.
        mean: f64,
        /// Their standard deviation.
        scale: f64,
    },
}

impl Transform {
    /// Fits a transform to values, of which NaN are left out; nothing if the transform cannot take
    /// one of them, or if there is none.
    ///
    /// Values without spread get the scale 1.
    #[must_use]
    pub fn fit(kind: TransformKind, values: &[f64]) -> Option<Self> {
        let mut known: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        if known.is_empty() || known.iter().any(|x| x.is_infinite()) {
            return None;
        }
        let fitted = match kind {
            TransformKind::Standard => {
                let (mean, scale) = moments(&known);
                Self::Standard { mean, scale }
            }
            TransformKind::MinMax => {
                known.sort_by(f64::total_cmp);
                let (min, max) = (known[0], known[known.len() - 1]);
                // Twice the largest number would be infinite; a range that wide is refused below.
                let max = if min < max { max } else { min + 2.0 * step(min) };
                Self::MinMax { min, max }
            }
            _ if !known.iter().all(|&x| kind.takes(x)) => return None,
            TransformKind::Log1p => {
                let logs: Vec<f64> = known.iter().map(|x| x.ln_1p()).collect();
                let (mean, scale) = moments(&logs);
                Self::Log1p { mean, scale }
            }
            TransformKind::Quantile => quantiles(known),
            TransformKind::Logit([low, high]) => {
                let logits: Vec<f64> = known.iter().map(|&x| logit(x, low, high)).collect();
                let (mean, scale) = moments(&logits);
                Self::Logit { low, high, mean, scale }
            }
        };
        fitted.is_sound().then_some(fitted)
    }

    /// `z = f(x)`; NaN for what the transform cannot take.
    #[must_use]
    pub fn forward(&self, x: f64) -> f64 {
        match self {
            Self::Standard { mean, scale } => (x - mean) / scale,
            Self::MinMax { min, max } => 2.0 * (x - min) / (max - min) - 1.0,
            Self::Log1p { .. } if x <= -1.0 => f64::NAN,
            Self::Log1p { mean, scale } => (x.ln_1p() - mean) / scale,
            Self::Quantile { values, scores } => along(values, scores, x),
            Self::Logit { low, high, mean, scale } => (logit(x, *low, *high) - mean) / scale,
        }
    }

    /// `x` with `f(x) = z`.
    #[must_use]
    pub fn inverse(&self, z: f64) -> f64 {
        match self {
            Self::Standard { mean, scale } => mean + scale * z,
            Self::MinMax { min, max } => min + (max - min) * (0.5 * (z + 1.0)),
            Self::Log1p { mean, scale } => (mean + scale * z).exp_m1(),
            Self::Quantile { values, scores } => along(scores, values, z),
            Self::Logit { low, high, mean, scale } => {
                let u = 1.0 / (1.0 + (-(mean + scale * z)).exp());
                (low + (high - low) * u).clamp(*low, *high)
            }
        }
    }

    /// `ln dz/dx` at the `x` with `f(x) = z`.
    #[must_use]
    pub fn log_slope(&self, z: f64) -> f64 {
        match self {
            Self::Standard { scale, .. } => -scale.ln(),
            Self::MinMax { min, max } => (2.0 / (max - min)).ln(),
            // dz/dx = 1 / (scale (1 + x)), and ln(1 + x) = mean + scale z.
            Self::Log1p { mean, scale } => -scale.ln() - (mean + scale * z),
            Self::Quantile { values, scores } => {
                let i = segment(scores, z);
                (scores[i + 1] - scores[i]).ln() - (values[i + 1] - values[i]).ln()
            }
            // dz/dx = 1 / (scale (high - low) u (1 - u)), and with l = ln(u / (1 - u)) the
            // logarithm of 1 / (u (1 - u)) is |l| + 2 ln(1 + e^-|l|).
            Self::Logit { low, high, mean, scale } => {
                let l = (mean + scale * z).abs();
                l + 2.0 * (-l).exp().ln_1p() - scale.ln() - (high - low).ln()
            }
        }
    }

    /// Which transform it is.
    #[must_use]
    pub fn kind(&self) -> TransformKind {
        match self {
            Self::Standard { .. } => TransformKind::Standard,
            Self::MinMax { .. } => TransformKind::MinMax,
            Self::Log1p { .. } => TransformKind::Log1p,
            Self::Quantile { .. } => TransformKind::Quantile,
            Self::Logit { low, high, .. } => TransformKind::Logit([*low, *high]),
        }
    }

    /// Whether it increases everywhere by finite numbers.
    pub(crate) fn is_sound(&self) -> bool {
        let positive = |x: f64| x.is_finite() && 0.0 < x && (1.0 / x).is_finite();
        let increases = |x: &[f64]| x.windows(2).all(|pair| positive(pair[1] - pair[0]));
        match self {
            Self::Standard { mean, scale } | Self::Log1p { mean, scale } => {
                mean.is_finite() && positive(*scale)
            }
            Self::MinMax { min, max } => min.is_finite() && positive(max - min),
            Self::Logit { low, high, mean, scale } => {
                low.is_finite() && positive(high - low) && mean.is_finite() && positive(*scale)
            }
            Self::Quantile { values, scores } => {
                let ends = [values.first(), values.last(), scores.first(), scores.last()];
                values.len() == scores.len()
                    && 2 <= values.len()
                    && ends.iter().all(|end| end.is_some_and(|x| x.is_finite()))
                    && increases(values)
                    && increases(scores)
            }
        }
    }
}

/// `ln(u / (1 - u))` of a number between two bounds; NaN beyond them.
fn logit(x: f64, low: f64, high: f64) -> f64 {
    const INSIDE: f64 = 1e-6;
    if !(low..=high).contains(&x) {
        return f64::NAN;
    }
    let u = ((x - low) / (high - low)).clamp(INSIDE, 1.0 - INSIDE);
    u.ln() - (-u).ln_1p()
}

/// Whether values without a negative one are skewed to the right and their logarithms much less.
///
/// The skewness is above 1 and that of `ln(1 + x)` less than half of it.
pub(crate) fn skewed(values: &[f64]) -> bool {
    let known: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    if known.len() < 3 || known.iter().any(|&x| x < 0.0) {
        return false;
    }
    let logs: Vec<f64> = known.iter().map(|x| x.ln_1p()).collect();
    let (of_values, of_logs) = (skewness(&known), skewness(&logs));
    1.0 < of_values && of_logs.abs() < 0.5 * of_values
}

fn skewness(values: &[f64]) -> f64 {
    let (mean, scale) = moments(values);
    values.iter().map(|x| ((x - mean) / scale).powi(3)).sum::<f64>() / values.len() as f64
}

/// Mean and standard deviation; the spread of values without any is 1.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    // Divided by the largest, so that no square leaves the range of f64.
    let size = values.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    if size == 0.0 {
        return (0.0, 1.0);
    }
    let mean = values.iter().map(|x| x / size).sum::<f64>() / n;
    let square = values.iter().map(|x| (x / size - mean).powi(2)).sum::<f64>() / n;
    let scale = square.sqrt();
    // Below the rounding of the mean no spread can be told from none.
    let spread = if scale <= 1e-14 { 1.0 } else { size * scale };
    (size * mean, spread)
}

/// A step that a number of this size can make.
fn step(x: f64) -> f64 {
    (1e-9 * x.abs()).max(0.5)
}

fn quantiles(mut known: Vec<f64>) -> Transform {
    known.sort_by(f64::total_cmp);
    let n = known.len() as f64;
    // The mean rank of each different value.
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut start = 0;
    for group in known.chunk_by(|a, b| a == b) {
        let rank = start as f64 + 0.5 * group.len() as f64;
        points.push((group[0], inverse_normal(rank / n)));
        start += group.len();
    }
    if MOST_POINTS < points.len() {
        points = thinned(&points);
    }
    if let [(x, z)] = points[..] {
        points.push((x + step(x), z + 1.0));
    }
    let (values, scores) = points.into_iter().unzip();
    Transform::Quantile { values, scores }
}

/// Some of the points, their scores evenly spaced, so that the tails keep theirs.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (low, high) = (points[0].1, points[points.len() - 1].1);
    let at = |i: usize| low + (high - low) * i as f64 / (MOST_POINTS - 1) as f64;
    let first = |z: f64| points.partition_point(|&(_, score)| score < z).min(points.len() - 1);
    let mut kept: Vec<usize> = (0..MOST_POINTS).map(|i| first(at(i))).collect();
    kept[MOST_POINTS - 1] = points.len() - 1;
    kept.dedup();
    kept.into_iter().map(|i| points[i]).collect()
}

/// The segment of increasing points in which `x` lies; the first or last if it lies outside.
fn segment(points: &[f64], x: f64) -> usize {
    points.partition_point(|&point| point <= x).saturating_sub(1).min(points.len() - 2)
}

/// The broken line through the points at `x`.
fn along(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let i = segment(xs, x);
    ys[i] + (x - xs[i]) / (xs[i + 1] - xs[i]) * (ys[i + 1] - ys[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [TransformKind; 5] = [
        TransformKind::Standard,
        TransformKind::MinMax,
        TransformKind::Log1p,
        TransformKind::Quantile,
        TransformKind::Logit([-1.0, 100.0]),
    ];

    /// Skewed positive numbers, some equal.
    fn values() -> Vec<f64> {
        (0..60_i32).map(|i| f64::from(i % 50).powi(2) / 40.0).collect()
    }

    #[test]
    fn the_inverse_undoes_every_transform_also_beyond_the_training_rows() {
        for kind in KINDS {
            let transform = Transform::fit(kind, &values()).unwrap();
            for x in [-0.5, 0.0, 0.01, 3.3, 60.0, 90.0] {
                let back = transform.inverse(transform.forward(x));
                assert!((back - x).abs() < 1e-12 * (1.0 + x.abs()), "{kind:?}: {x} gives {back}");
            }
        }
    }

    #[test]
    fn the_slope_is_the_difference_quotient() {
        // The error of a central difference is h^2 f'''/6 beside rounding of 1e-16 / h.
        let h = 1e-6;
        for kind in KINDS {
            let transform = Transform::fit(kind, &values()).unwrap();
            for x in [0.013, 3.31, 20.77, 80.0] {
                let quotient = (transform.forward(x + h) - transform.forward(x - h)) / (2.0 * h);
                let slope = transform.log_slope(transform.forward(x));
                assert!((slope - quotient.ln()).abs() < 1e-7, "{kind:?} at {x}: {slope}");
            }
        }
    }

    #[test]
    fn scores_have_mean_zero_and_spread_one_and_ranges_reach_from_minus_one_to_one() {
        let logit = TransformKind::Logit([-1.0, 100.0]);
        for kind in [TransformKind::Standard, TransformKind::Log1p, logit] {
            let transform = Transform::fit(kind, &values()).unwrap();
            let scores: Vec<f64> = values().iter().map(|&x| transform.forward(x)).collect();
            let (mean, scale) = moments(&scores);
            assert!(mean.abs() < 1e-14 && (scale - 1.0).abs() < 1e-14, "{kind:?} {mean} {scale}");
        }
        let transform = Transform::fit(TransformKind::MinMax, &values()).unwrap();
        assert_eq!([0.0, 60.025].map(|x| transform.forward(x)), [-1.0, 1.0]);
    }

    #[test]
    fn the_quantile_transform_makes_any_law_normal() {
        // The scores of 2,000 exponential quantiles are normal quantiles: moments 0, 1, 0 and 3.
        let n = 2000;
        let x: Vec<f64> =
            (0..n).map(|i| -(1.0 - (f64::from(i) + 0.5) / f64::from(n)).ln()).collect();
        let transform = Transform::fit(TransformKind::Quantile, &x).unwrap();
        let moment =
            |k| x.iter().map(|&x| transform.forward(x).powi(k)).sum::<f64>() / f64::from(n);
        let got = [1, 2, 3, 4].map(moment);
        // 201 points between which the map is linear, and tails cut at 1/4000.
        for (got, known) in got.iter().zip([0.0, 1.0, 0.0, 3.0]) {
            assert!((got - known).abs() < 0.05, "{got} and {known}");
        }
    }

    #[test]
    fn what_lies_between_bounds_stays_there_whatever_is_generated() {
        // The logits of a uniform law have a logistic law, of deviation pi / sqrt(3).
        let x: Vec<f64> = (0..20_000).map(|i| -1.0 + 2.0 * (f64::from(i) + 0.5) / 2e4).collect();
        let transform = Transform::fit(TransformKind::Logit([-1.0, 1.0]), &x).unwrap();
        let Transform::Logit { mean, scale, .. } = transform else { panic!("{transform:?}") };
        let known = std::f64::consts::PI / 3.0_f64.sqrt();
        assert!(mean.abs() < 1e-10 && (scale - known).abs() < 1e-3, "{mean} and {scale}");
        for z in [-1e30, -40.0, 0.0, 40.0, 1e30] {
            let x = transform.inverse(z);
            assert!((-1.0..=1.0).contains(&x), "{z} gives {x}");
        }
        // At a bound: a millionth of the range inside.
        assert!((transform.inverse(transform.forward(1.0)) - (1.0 - 2e-6)).abs() < 1e-12);
        assert!(transform.forward(1.0 + 1e-9).is_nan() && transform.forward(f64::NAN).is_nan());
        assert_eq!(Transform::fit(TransformKind::Logit([-1.0, 0.5]), &x), None);
        assert_eq!(Transform::fit(TransformKind::Logit([1.0, -1.0]), &[0.0]), None);
        assert_eq!(Transform::fit(TransformKind::Logit([0.0, f64::INFINITY]), &[0.5]), None);
    }

    #[test]
    fn numbers_of_any_size_have_a_spread() {
        for size in [1e-300, 1.0, 1e307] {
            let x = [-size, 0.0, size];
            for kind in [TransformKind::Standard, TransformKind::MinMax, TransformKind::Quantile] {
                let Some(transform) = Transform::fit(kind, &x) else { continue };
                let z = transform.forward(size);
                assert!(0.5 < z && z < 2.0, "{kind:?} of {size}: {z}");
            }
        }
        assert!(Transform::fit(TransformKind::Standard, &[1e307, -1e307]).is_some());
    }

    #[test]
    fn values_without_spread_are_moved_and_not_divided_by_nothing() {
        for kind in KINDS {
            let transform = Transform::fit(kind, &[3.0, 3.0, f64::NAN]).unwrap();
            assert!(transform.forward(3.0).is_finite() && transform.log_slope(0.0).is_finite());
            assert!((transform.inverse(transform.forward(3.0)) - 3.0).abs() < 1e-12, "{kind:?}");
        }
    }

    #[test]
    fn a_logarithm_takes_no_number_below_minus_one() {
        assert_eq!(Transform::fit(TransformKind::Log1p, &[-1.0, 2.0]), None);
        assert_eq!(Transform::fit(TransformKind::Standard, &[f64::NAN]), None);
        assert!(skewed(&values().iter().map(|x| x.exp()).collect::<Vec<_>>()));
        assert!(!skewed(&values().iter().map(|x| -x).collect::<Vec<_>>()));
    }
}
