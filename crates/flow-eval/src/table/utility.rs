//! The utility of generated rows for training a predictor on them.

use crate::points::shared_dim;
use crate::table::column::Column;
use crate::table::nearest::nearest_k;
use crate::{EvalError, Gower, Points, Score};

/// Neighbours that a prediction is made of.
const NEIGHBOURS: usize = 5;
/// Columns that are predicted, spread evenly where there are more.
const MOST_COLUMNS: usize = 16;
/// Rows to learn from, and rows to predict: each pair of them has a distance for each column.
const MOST_LEARNED: usize = 4000;
const MOST_PREDICTED: usize = 1000;

/// How well the columns of real rows are predicted from generated rows: train on synthetic, test on
/// real.
///
/// Each column in turn is predicted from all others, by the five nearest of the generated rows in
/// the distance of [`Gower`]: a number by their mean, a category by the most frequent. The value is
/// the mean over the columns of `R^2 = 1 - sum (y - yhat)^2 / sum (y - mean)^2` for numbers and of
/// the share of right answers for categories; 1 is perfect, and the mean of a column alone has an
/// `R^2` of 0. The floor is the same for the real training rows: more is not to be had from rows
/// that only resemble them. A column that is constant in the real rows has nothing to be predicted
/// and is left out. Of more than 16 columns as many are predicted, and of many rows the first 4,000
/// and 1,000 are taken.
///
/// The standard error is that of the mean over the real rows, with the variances of the columns
/// taken as given. Neighbours are no strong learner; they have nothing to tune, so that the score
/// speaks of the rows alone.
///
/// # Errors
/// Sets of different dimensions, fewer than two columns, a category that is none, and columns all
/// of which are constant.
///
/// # Reference
/// Esteban, Hyland & Raetsch (2017), "Real-valued (Medical) Time Series Generation with Recurrent
/// Conditional GANs", arXiv:1706.02633, section 4.2.
pub fn utility(
    generated: Points<'_>,
    train: Points<'_>,
    real: Points<'_>,
    columns: &[Column],
) -> Result<Score, EvalError> {
    let dim = shared_dim(generated, real)?;
    shared_dim(train, real)?;
    for rows in [generated, train, real] {
        Column::check(columns, rows)?;
    }
    if dim < 2 {
        return Err(EvalError::TooFew { metric: "a column and another", n: dim, needed: 2 });
    }
    let real = real.first(MOST_PREDICTED);
    let predicted = dim.min(MOST_COLUMNS);
    let targets = (0..predicted).map(|i| i * dim / predicted);
    let problems = targets.filter_map(|target| Problem::new(real, columns, target));
    let problems: Vec<Problem> = problems.collect();
    if problems.is_empty() {
        let (metric, needed) = ("a column that is not constant", 1);
        return Err(EvalError::TooFew { metric, n: 0, needed });
    }
    let of = |rows: Points<'_>| -> Result<Vec<f64>, EvalError> {
        let mut sums = vec![0.0; real.len()];
        for problem in &problems {
            let skills = problem.skills(rows.first(MOST_LEARNED), real, columns)?;
            sums.iter_mut().zip(skills).for_each(|(sum, skill)| *sum += skill);
        }
        Ok(sums.into_iter().map(|sum| sum / problems.len() as f64).collect())
    };
    let (made, own) = (of(generated)?, of(train)?);
    let floor = own.iter().sum::<f64>() / own.len() as f64;
    let n = generated.len().min(real.len());
    Score::higher("utility", 0.0, n).with_mean_of(&made).with_floor(floor).measured()
}

/// One column that is predicted from the others.
struct Problem {
    target: usize,
    kind: Column,
    /// Its real values, and their variance where it holds numbers.
    values: Vec<f64>,
    variance: f64,
}

impl Problem {
    /// Nothing for a column that is constant.
    fn new(real: Points<'_>, columns: &[Column], target: usize) -> Option<Self> {
        let values = Column::of(real, target);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
        let variance = squares / values.len() as f64;
        // Equal numbers differ from their mean by its rounding.
        let constant = values.iter().all(|y| y.total_cmp(&values[0]).is_eq());
        let kind = columns[target];
        (!constant && 0.0 < variance).then_some(Self { target, kind, values, variance })
    }

    /// What each real row adds to the score, learned from `rows`.
    fn skills(
        &self,
        rows: Points<'_>,
        real: Points<'_>,
        columns: &[Column],
    ) -> Result<Vec<f64>, EvalError> {
        let kinds = without(columns, self.target);
        let [known, asked] = [rows, real].map(|rows| {
            rows.rows().flat_map(|row| without(row, self.target)).collect::<Vec<f32>>()
        });
        let (known, asked) = (Points::new(&known, kinds.len())?, Points::new(&asked, kinds.len())?);
        let gower = Gower::fit(known, &kinds)?;
        let (known, asked) = (gower.embed(known)?, gower.embed(asked)?);
        let (known, asked) = (Points::new(&known, gower.dim())?, Points::new(&asked, gower.dim())?);
        let learned = Column::of(rows, self.target);
        let near = nearest_k(asked, known, NEIGHBOURS.min(rows.len()));
        let skill = |(near, y): (Vec<(f64, usize)>, &f64)| {
            let near: Vec<f64> = near.into_iter().map(|(_, row)| learned[row]).collect();
            match self.kind {
                Column::Number => {
                    let mean = near.iter().sum::<f64>() / near.len() as f64;
                    1.0 - (y - mean).powi(2) / self.variance
                }
                Column::Category(_) => f64::from(most_frequent(&near).total_cmp(y).is_eq()),
            }
        };
        Ok(near.into_iter().zip(&self.values).map(skill).collect())
    }
}

/// All but one of a row.
fn without<T: Copy>(row: &[T], column: usize) -> Vec<T> {
    [&row[..column], &row[column + 1..]].concat()
}

/// The most frequent value; of several the one that comes first.
fn most_frequent(values: &[f64]) -> f64 {
    let count = |value: f64| values.iter().filter(|other| other.total_cmp(&value).is_eq()).count();
    values.iter().rev().copied().max_by_key(|value| count(*value)).unwrap_or(f64::NAN)
}
