//! The numbers that `flow compare --group --json` prints, as claims and tables ask for them.

use serde::Deserialize;

/// A run over its seeds.
#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    scores: Vec<Scored>,
    #[serde(default)]
    courses: Vec<Course>,
    #[serde(default)]
    equal_errors: Vec<EqualErrors>,
}

/// A number that is not finite is null in JSON.
#[derive(Debug, Deserialize)]
struct Scored {
    score: String,
    row: String,
    #[serde(default)]
    values: Vec<Option<f64>>,
    mean: Option<f64>,
    spread: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Course {
    score: String,
    points: Vec<Moment>,
}

#[derive(Debug, Deserialize)]
struct Moment {
    images: f64,
    values: Vec<Option<f64>>,
}

#[derive(Debug, Deserialize)]
struct EqualErrors {
    with: String,
    ratios: Vec<Ratio>,
}

#[derive(Debug, Deserialize)]
struct Ratio {
    method: String,
    nfe: f64,
    values: Vec<Option<f64>>,
    mean: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// A number over the seeds of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    /// Of each seed, as far as they are known.
    pub(super) values: Vec<f64>,
    pub(super) mean: f64,
    /// Standard deviation over the seeds; of one seed, the standard error of the score.
    pub(super) spread: Option<f64>,
    /// An interval of what the samples alone leave open.
    pub(super) bracket: Option<(f64, f64)>,
}

impl Number {
    /// One that is known.
    pub(super) fn exact(value: f64) -> Self {
        Self { values: vec![], mean: value, spread: Some(0.0), bracket: None }
    }

    /// The difference to `factor` times another, seed by seed; nothing where one of them lacks a
    /// seed.
    pub(super) fn minus(&self, other: &Self, factor: f64) -> Option<Self> {
        let pairs = self.values.iter().zip(&other.values);
        let differences: Vec<_> = pairs.map(|(a, b)| Some(a - factor * b)).collect();
        let whole = 1 < self.values.len() && self.values.len() == other.values.len();
        whole.then(|| over(&differences))
    }

    /// With as many digits as its spread makes sure of.
    pub(super) fn text(&self) -> String {
        let digits = |spread: f64| {
            let places = 1.0 - spread.log10().floor();
            if places.is_finite() { places.clamp(0.0, 8.0) as usize } else { 4 }
        };
        match (self.bracket, self.spread) {
            (Some((low, high)), None) => format!("{:.2} ({low:.2} to {high:.2})", self.mean),
            (Some((low, high)), Some(spread)) => {
                format!("{:.2} ± {spread:.2} ({low:.2} to {high:.2})", self.mean)
            }
            (None, Some(spread)) if self.mean.abs().max(spread) < 1e-3 && spread != 0.0 => {
                format!("{:.1e} ± {spread:.1e}", self.mean)
            }
            (None, Some(spread)) if spread != 0.0 => {
                let digits = digits(spread);
                format!("{:.digits$} ± {spread:.digits$}", self.mean)
            }
            (None, _) => plain(self.mean),
        }
    }
}

/// A number without a spread, with three digits that say something.
fn plain(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        small if small < 1e-3 => format!("{value:.2e}"),
        large if 100.0 <= large => format!("{value:.0}"),
        _ => {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

impl Column {
    /// Every number whose score has this name or begins with it, by its row. Rows are those of the
    /// tables, `after 5 %` in the course of training, and `midpoint at 20` of the score
    /// `evaluations over those of OTHER`.
    pub(super) fn numbers(&self, score: &str) -> Vec<(String, Number)> {
        let mut found = Vec::new();
        for scored in self.scores.iter().filter(|scored| scored.score.starts_with(score)) {
            let number = Number {
                values: scored.values.iter().copied().flatten().collect(),
                mean: scored.mean.unwrap_or(f64::NAN),
                spread: scored.spread,
                bracket: None,
            };
            found.push((scored.row.clone(), number));
        }
        for course in self.courses.iter().filter(|course| course.score.starts_with(score)) {
            let last = course.points.last().map_or(f64::NAN, |moment| moment.images);
            for moment in &course.points {
                found.push((after(moment.images / last), over(&moment.values)));
            }
        }
        for EqualErrors { with, ratios } in &self.equal_errors {
            if !format!("evaluations over those of {with}").starts_with(score) {
                continue;
            }
            for ratio in ratios {
                let number = Number {
                    bracket: ratio.low.zip(ratio.high),
                    mean: ratio.mean.unwrap_or(f64::NAN),
                    ..over(&ratio.values)
                };
                found.push((format!("{} at {:.0}", ratio.method, ratio.nfe), number));
            }
        }
        found
    }
}

/// `after 5 %` of the training.
fn after(share: f64) -> String {
    let percent = 100.0 * share;
    let text = if percent < 10.0 { format!("{percent:.1}") } else { format!("{percent:.0}") };
    format!("after {} %", text.trim_end_matches(".0"))
}

/// Mean and standard deviation.
fn over(values: &[Option<f64>]) -> Number {
    let values: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let spread = (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt());
    Number { values, mean, spread, bracket: None }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two runs with made-up numbers, as `flow compare` prints them.
    pub(crate) fn made_up() -> Vec<Column> {
        let scored = |score: &str, row: &str, values: [f64; 3]| {
            let over = over(&values.map(Some));
            serde_json::json!({
                "score": score, "row": row, "values": values, "mean": over.mean,
                "spread": over.spread, "floor": null, "runs": 3, "n": null, "solver": null
            })
        };
        let course = |values: [[f64; 3]; 2]| {
            let points = [
                serde_json::json!({ "images": 5.0, "values": values[0] }),
                serde_json::json!({ "images": 1000.0, "values": values[1] }),
            ];
            serde_json::json!([{ "score": "network evaluations", "points": points }])
        };
        let columns = serde_json::json!([
            {
                "name": "OT", "seeds": [0, 1, 2],
                "scores": [
                    scored("FD-clf (accuracy 0.98)", "euler x 5", [1.0, 1.1, 1.2]),
                    scored("FD-clf (accuracy 0.98)", "euler x 50", [0.5, 0.5, 0.8]),
                ],
                "courses": course([[100.0, 110.0, 105.0], [100.0, 104.0, 102.0]]),
                "equal_errors": [{ "with": "VP", "ratios": [{
                    "method": "midpoint", "nfe": 20.0, "values": [0.5, 0.6, 0.55],
                    "mean": 0.55, "low": 0.48, "high": 0.63
                }]}]
            },
            {
                "name": "VP", "seeds": [0, 1, 2],
                "scores": [
                    scored("FD-clf (accuracy 0.98)", "euler x 5", [3.0, 3.1, 3.2]),
                    scored("FD-clf (accuracy 0.98)", "euler x 50", [0.6, 0.5, 0.7]),
                    serde_json::json!({
                        "score": "bits", "row": "", "values": [null], "mean": null, "spread": null
                    }),
                ],
                "courses": course([[400.0, 420.0, 410.0], [150.0, 150.0, 150.0]])
            }
        ]);
        serde_json::from_value(columns).unwrap()
    }

    #[test]
    fn scores_are_found_by_how_they_begin_and_the_course_by_its_moments() {
        let columns = made_up();
        let rows = |score: &str| -> Vec<String> {
            columns[0].numbers(score).into_iter().map(|(row, _)| row).collect()
        };
        assert_eq!(rows("FD-clf"), ["euler x 5", "euler x 50"]);
        assert_eq!(rows("network evaluations"), ["after 0.5 %", "after 100 %"]);
        assert_eq!(rows("evaluations over those of VP"), ["midpoint at 20"]);
        assert_eq!(rows("nosuch"), [""; 0]);
        let number = &columns[0].numbers("FD-clf")[0].1;
        assert!((number.mean - 1.1).abs() < 1e-12 && (number.spread.unwrap() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn numbers_have_the_digits_that_their_spread_makes_sure_of() {
        let columns = made_up();
        assert_eq!(columns[0].numbers("FD-clf")[0].1.text(), "1.10 ± 0.10");
        assert_eq!(
            columns[0].numbers("evaluations over")[0].1.text(),
            "0.55 ± 0.05 (0.48 to 0.63)"
        );
        let tiny = Number { spread: Some(7e-7), ..Number::exact(1.04e-6) };
        assert_eq!(tiny.text(), "1.0e-6 ± 7.0e-7");
        assert_eq!(Number::exact(2.99).text(), "2.99");
        assert_eq!(Number::exact(142.0).text(), "142");
    }
}
