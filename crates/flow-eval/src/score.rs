//! A score: a number, how sure it is, and what perfect samples would get.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::points::shared_len;
use crate::{EvalError, Points};

/// The value of a metric, with what is needed to judge it.
///
/// No metric of this crate gives NaN: where sums leave the range of `f64` it returns
/// [`EvalError::Overflow`]. Infinite values come from [`psnr`](crate::psnr) of equal images and
/// from [`mean_log_density`](crate::mean_log_density) off the support alone.
///
/// A distance between two finite sets is not 0 even when both come from the same distribution. The
/// `floor` is the same metric of real data against other real data at the same `n`: a score at its
/// floor cannot be told from perfect.
///
/// With serde it is written and read as a table of its fields. JSON knows no infinity and writes it
/// as null, which is read as NaN. What later versions added may be missing in the files of earlier
/// ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// What was measured, in words.
    pub name: String,
    /// The estimate.
    #[serde(deserialize_with = "number_or_null")]
    pub value: f64,
    /// Standard error of `value`; each metric says which randomness it covers.
    pub std_error: Option<f64>,
    /// What real data score, where it was measured.
    pub floor: Option<f64>,
    /// Number of points that were scored; of two sets, of the smaller.
    #[serde(default)]
    pub n: usize,
    /// Unit of the value, where it has one.
    pub unit: Option<Cow<'static, str>>,
    /// Whether a smaller value is a better one.
    #[serde(default)]
    pub lower_is_better: bool,
    /// Seed of the metric's own randomness, where it has any.
    pub seed: Option<u64>,
}

fn number_or_null<'de, D: Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(source)?.unwrap_or(f64::NAN))
}

impl Score {
    /// A score of which less is better, such as a distance or a number of evaluations.
    #[must_use]
    pub fn lower(name: impl Into<String>, value: f64, n: usize) -> Self {
        Self {
            name: name.into(),
            value,
            std_error: None,
            floor: None,
            n,
            unit: None,
            lower_is_better: true,
            seed: None,
        }
    }

    /// A score of which more is better, such as a likelihood.
    #[must_use]
    pub fn higher(name: impl Into<String>, value: f64, n: usize) -> Self {
        Self { lower_is_better: false, ..Self::lower(name, value, n) }
    }

    /// This score of a mean over independent samples, with the standard error of that mean.
    pub(crate) fn with_mean_of(self, samples: &[f64]) -> Self {
        let (mean, std_error) = crate::standard_error::mean_and_std_error(samples);
        Self { value: mean, std_error, ..self }
    }

    /// This score of a fraction of `total` independent trials, with its binomial standard error.
    ///
    /// The error is the standard deviation of the fraction given the count, for Jeffreys' prior:
    /// that of the beta distribution with parameters `count + 1/2` and `total - count + 1/2`. It
    /// agrees with `sqrt(p (1 - p) / total)` for large counts, and does not call a fraction certain
    /// because none, or all, of a few trials failed. One trial gives none.
    ///
    /// # Reference
    /// Brown, Cai & DasGupta (2001), "Interval Estimation for a Binomial Proportion", Statistical
    /// Science 16, section 3.
    pub(crate) fn with_fraction(self, count: usize, total: usize) -> Self {
        let (k, n) = (count as f64, total as f64);
        let std_error =
            (1 < total).then(|| ((k + 0.5) * (n - k + 0.5) / (n + 2.0)).sqrt() / (n + 1.0));
        Self { value: k / n, std_error, ..self }
    }

    /// The last step of a metric: a value that is not finite is an error.
    pub(crate) fn measured(self) -> Result<Self, EvalError> {
        if self.value.is_finite() {
            Ok(self)
        } else {
            Err(EvalError::Overflow { metric: self.name, value: self.value })
        }
    }

    pub(crate) fn with_seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// This score in a unit, such as "nats".
    #[must_use]
    pub fn with_unit(self, unit: &'static str) -> Self {
        Self { unit: Some(Cow::Borrowed(unit)), ..self }
    }

    /// This score with a standard error of the caller's making, such as that of a
    /// [`Bootstrap`](crate::Bootstrap); one that is not finite is none.
    #[must_use]
    pub fn with_std_error(self, std_error: f64) -> Self {
        Self { std_error: Some(std_error).filter(|e| e.is_finite()), ..self }
    }

    /// This score beside its floor, see [`floor`]; one that is NaN is none.
    #[must_use]
    pub fn with_floor(self, floor: f64) -> Self {
        Self { floor: Some(floor).filter(|floor| !floor.is_nan()), ..self }
    }

    /// The value and its standard error without further words: `0.0312 ± 0.0004`.
    #[must_use]
    pub fn value_text(&self) -> String {
        let digits = Digits::of(self.value, self.std_error);
        let value = digits.show(self.value);
        self.std_error.map_or(value.clone(), |error| format!("{value} ± {}", digits.show(error)))
    }

    /// The floor with as many digits as the value, or with its own where the value has no error.
    #[must_use]
    pub fn floor_text(&self) -> Option<String> {
        let digits = |floor| match self.std_error {
            Some(error) if error <= 0.0 => Digits::of(floor, None),
            _ => Digits::of(self.value, self.std_error),
        };
        self.floor.map(|floor| digits(floor).show(floor))
    }
}

/// What real data score against other real data.
///
/// Score the samples as `metric(samples, real)`, and give here `held_out` real points, as many as
/// there are samples, and the same `real` points: then only the quality of the samples can set the
/// two apart.
///
/// ```
/// use flow_eval::{Points, energy_distance, floor};
///
/// let real = [0.0, 1.0, 2.0, 3.0].map(f32::sin);
/// let held_out = [4.0, 5.0, 6.0, 7.0].map(f32::sin);
/// let samples = [0.1, 0.2, 0.3, 0.4];
/// let points = |x| Points::new(x, 1).unwrap();
/// let [real, held_out, samples] = [&real, &held_out, &samples].map(|x| points(x));
///
/// let floor = floor(energy_distance, held_out, real)?;
/// let score = energy_distance(samples, real)?.with_floor(floor);
/// assert_eq!(score.floor, Some(floor));
/// # Ok::<(), flow_eval::EvalError>(())
/// ```
///
/// # Errors
/// Those of the metric, and sets of different sizes: a floor at another `n` is another floor.
pub fn floor<M>(metric: M, held_out: Points<'_>, real: Points<'_>) -> Result<f64, EvalError>
where
    M: Fn(Points<'_>, Points<'_>) -> Result<Score, EvalError>,
{
    shared_len(held_out, real, "a floor")?;
    metric(held_out, real).map(|score| score.value)
}

impl fmt::Display for Score {
    /// `sliced Wasserstein 0.0312 ± 0.0004 (floor 0.0270, N = 10000)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.value_text())?;
        if let Some(unit) = &self.unit {
            write!(f, " {unit}")?;
        }
        match self.floor_text() {
            Some(floor) => write!(f, " (floor {floor}, N = {})", self.n),
            None => write!(f, " (N = {})", self.n),
        }
    }
}

/// How many digits of a score are worth printing.
#[derive(Clone, Copy)]
enum Digits {
    Decimals(usize),
    Scientific,
}

impl Digits {
    const MOST_DECIMALS: i32 = 6;

    /// Numbers from here on are written with a power of ten.
    const LARGE: f64 = 1e9;

    /// One digit of the standard error, two when it begins with 1; without one, four of the value.
    fn of(value: f64, std_error: Option<f64>) -> Self {
        let exponent = |x: f64| x.abs().log10().floor();
        if [Some(value), std_error].into_iter().flatten().any(|x| Self::LARGE <= x.abs()) {
            return Self::Scientific;
        }
        let last = match std_error {
            Some(e) if e > 0.0 && e.is_finite() => {
                exponent(e) - f64::from(u8::from(e / 10_f64.powf(exponent(e)) < 1.95))
            }
            _ if value != 0.0 && value.is_finite() => exponent(value) - 3.0,
            _ => 0.0,
        };
        match -(last as i32) {
            decimals if decimals > Self::MOST_DECIMALS => Self::Scientific,
            decimals => Self::Decimals(decimals.max(0) as usize),
        }
    }

    fn show(self, x: f64) -> String {
        match self {
            Self::Decimals(decimals) => format!("{x:.decimals$}"),
            Self::Scientific => format!("{x:.2e}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(value: f64, std_error: Option<f64>, floor: Option<f64>) -> String {
        Score { std_error, floor, ..Score::lower("distance", value, 10_000) }.to_string()
    }

    #[test]
    fn digits_stop_where_the_standard_error_begins() {
        let text = score(0.031_234, Some(0.000_42), Some(0.027_01));
        assert_eq!(text, "distance 0.0312 ± 0.0004 (floor 0.0270, N = 10000)");
        assert_eq!(score(0.031_234, Some(0.001_2), None), "distance 0.0312 ± 0.0012 (N = 10000)");
        assert_eq!(score(1234.5, Some(20.0), None), "distance 1234 ± 20 (N = 10000)");
        // A value without an error says nothing about the digits of its floor.
        assert_eq!(
            score(0.0, Some(0.0), Some(0.013_51)),
            "distance 0 ± 0 (floor 0.01351, N = 10000)"
        );
    }

    #[test]
    fn without_a_standard_error_four_digits_are_shown() {
        assert_eq!(score(0.031_234, None, None), "distance 0.03123 (N = 10000)");
        assert_eq!(score(31.234, None, Some(2.0)), "distance 31.23 (floor 2.00, N = 10000)");
        assert_eq!(score(0.0, None, None), "distance 0 (N = 10000)");
    }

    #[test]
    fn tiny_and_infinite_values_stay_readable() {
        assert_eq!(score(3.123e-7, Some(1e-8), None), "distance 3.12e-7 ± 1.00e-8 (N = 10000)");
        assert_eq!(score(f64::INFINITY, None, None), "distance inf (N = 10000)");
        assert_eq!(score(1.5e38, Some(2e36), None), "distance 1.50e38 ± 2.00e36 (N = 10000)");
    }

    #[test]
    fn a_fraction_of_none_or_all_has_an_error() {
        let fraction = |count, total| Score::lower("share", 0.0, total).with_fraction(count, total);
        // Beta(1/2, 60 + 1/2) has the mean 0.5 / 61 and the variance m (1 - m) / 62.
        let none = fraction(0, 60);
        assert!((none.std_error.unwrap() - 0.011_451).abs() < 1e-6, "{none}");
        assert_eq!(none.to_string(), "share 0.000 ± 0.011 (N = 60)");
        assert_eq!(fraction(60, 60).std_error, none.std_error);
        assert_eq!(fraction(60, 60).to_string(), "share 1.000 ± 0.011 (N = 60)");
        // For large counts it is the binomial error: 1 / n apart.
        assert!((fraction(5_000, 10_000).std_error.unwrap() - 0.005).abs() < 1e-6);
        assert_eq!(fraction(1, 1).std_error, None);
    }

    #[test]
    fn a_value_that_is_no_number_is_an_error_that_names_the_metric() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Score::lower("distance", value, 3).measured().unwrap_err().to_string();
            assert!(
                error.starts_with("distance is ") && error.contains("range of double"),
                "{error}"
            );
        }
        let odd = Score::lower("distance", 1.0, 3).with_std_error(f64::NAN).with_floor(f64::NAN);
        assert_eq!((odd.std_error, odd.floor), (None, None));
    }

    #[test]
    fn a_unit_follows_the_value() {
        let score = Score::higher("log-likelihood", -1.25, 8).with_unit("nats");
        assert_eq!(score.to_string(), "log-likelihood -1.250 nats (N = 8)");
    }

    #[test]
    fn a_score_is_read_as_it_was_written_and_older_files_may_lack_fields() {
        let score = Score::higher("log-likelihood", 0.1 + 0.2, 8).with_unit("nats").with_floor(1.0);
        let text = serde_json::to_string(&score).unwrap();
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);

        let bare: Score = serde_json::from_str(r#"{"name": "PSNR", "value": null}"#).unwrap();
        assert!(bare.value.is_nan(), "{bare:?}");
        assert_eq!((bare.n, bare.floor, bare.unit), (0, None, None));
        assert!(serde_json::from_str::<Score>(r#"{"name": "PSNR"}"#).is_err());
    }

    #[test]
    fn a_floor_needs_sets_of_one_size() {
        let (a, b) = (Points::new(&[0.0; 3], 1).unwrap(), Points::new(&[0.0; 4], 1).unwrap());
        let error = floor(|_, _| Ok(Score::lower("", 0.0, 1)), a, b).unwrap_err();
        assert_eq!(
            error.to_string(),
            "3 points against 4: a floor needs as many of each, drop the surplus"
        );
    }
}
