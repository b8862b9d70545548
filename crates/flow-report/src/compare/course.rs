//! Scores in the course of training, over the runs of a column.

use flow_eval::Score;
use flow_judge::Point;
use serde::Serialize;

use super::Curve;
use super::scored::ScoredRun;

/// A score against the images seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Course {
    pub(crate) score: String,
    /// As far as all runs have them.
    pub(crate) points: Vec<Moment>,
    /// What real data score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<f64>,
    /// Number of points that were scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<usize>,
}

/// A score after so many images, or at so many evaluations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Moment {
    #[serde(rename = "images")]
    pub(crate) at: f64,
    /// Of each run, in the order of the seeds.
    pub(crate) values: Vec<f64>,
}

/// The mean over the runs.
pub(crate) fn mean(moments: &[Moment]) -> Curve {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    moments.iter().map(|moment| (moment.at, mean(&moment.values))).collect()
}

/// The mean of the seeds and their standard deviation, 0 for a single one.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    // The mean of equal values may differ from them by a rounding error.
    let equal = values.iter().all(|value| value.total_cmp(&values[0]).is_eq());
    (mean, if equal { 0.0 } else { (squares / (n - 1.0)).sqrt() })
}

/// The outline of what lies between the smallest and the largest value; nothing of one run.
pub(crate) fn band(moments: &[Moment]) -> Curve {
    if moments.iter().all(|moment| moment.values.len() < 2) {
        return Curve::new();
    }
    let edge = |of: fn(f64, f64) -> f64, start: f64| {
        let place = move |m: &Moment| (m.at, m.values.iter().copied().fold(start, of));
        moments.iter().map(place).collect::<Curve>()
    };
    let low = edge(f64::min, f64::INFINITY);
    let high = edge(f64::max, f64::NEG_INFINITY);
    low.into_iter().chain(high.into_iter().rev()).collect()
}

/// The error of the velocity in the batches of a training.
pub(crate) const LEARNING: &str = "error of the velocity in training";

/// The error of training batches, and scores and evaluations of the checkpoints.
pub(super) fn courses(runs: &[ScoredRun]) -> Vec<Course> {
    let mut courses = vec![course(runs, LEARNING, |run| run.learning.clone())];
    courses.retain(|course| !course.points.is_empty());
    let Some(first) = runs[0].course.first() else { return courses };
    let of = |score: &str, value: &dyn Fn(&Point) -> Option<f64>| {
        let moment = |point: &Point| (point.images as f64, value(point).unwrap_or(f64::NAN));
        course(runs, score, |run| run.course.iter().map(moment).collect())
    };
    courses.push(of("network evaluations", &|point| Some(point.nfe)));
    for (index, score) in first.scores.iter().enumerate() {
        let value = |point: &Point| point.scores.get(index).map(|score| score.value);
        let (floor, n) = (score.floor, Some(score.n));
        courses.push(Course { floor, n, ..of(&score.name, &value) });
    }
    courses
}

/// A score of all runs at the images of the first, as far as all of them have it.
fn course(runs: &[ScoredRun], score: &str, curve: impl Fn(&ScoredRun) -> Curve) -> Course {
    let curves: Vec<Curve> = runs.iter().map(curve).collect();
    let moments = curves.iter().map(Vec::len).min().unwrap_or_default();
    let moment = |i: usize| {
        let values = curves.iter().map(|curve| curve[i].1).collect();
        Moment { at: curves[0][i].0, values }
    };
    let points = (0..moments).map(moment).collect();
    Course { score: score.to_owned(), points, floor: None, n: None }
}

impl Course {
    /// The mean of the seeds with their standard deviation.
    pub(super) fn score_of(&self, values: &[f64]) -> Score {
        let (mean, deviation) = mean_and_deviation(values);
        let mut score = Score::lower(self.score.as_str(), mean, self.n.unwrap_or_default());
        score.std_error = (values.len() > 1).then_some(deviation);
        score.floor = self.floor;
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_goes_along_the_smallest_values_and_back_along_the_largest() {
        let moment = |at, values: &[f64]| Moment { at, values: values.to_vec() };
        let moments = [moment(1.0, &[3.0, 1.0]), moment(2.0, &[5.0, 6.0])];
        assert_eq!(mean(&moments), [(1.0, 2.0), (2.0, 5.5)]);
        assert_eq!(band(&moments), [(1.0, 1.0), (2.0, 5.0), (2.0, 6.0), (1.0, 3.0)]);
        assert_eq!(band(&[moment(1.0, &[3.0])]), []);
    }
}
