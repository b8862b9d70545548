//! Pairs of columns: do they hang together as the real ones do?

use super::column::Column;
use crate::points::{at_least, shared_dim};
use crate::{EvalError, Points, Score};

/// How strongly each pair of columns hangs together, `[columns, columns]` row-major, ones on the
/// diagonal.
///
/// Two numbers have their correlation, in `[-1, 1]`; a number and a category the correlation ratio,
/// the root of the share of the number's variance that the category explains; two categories
/// Cramer's V, the root of their mean squared contingency over what it could be. The last two lie
/// in `[0, 1]`. A column that is constant hangs together with none.
///
/// # Errors
/// Columns of which the kind is not known, a category that is none, and a single row.
///
/// # Reference
/// Cramer (1946), "Mathematical Methods of Statistics", section 21.9; Fisher (1925), "Statistical
/// Methods for Research Workers", section 45.
pub fn associations(rows: Points<'_>, columns: &[Column]) -> Result<Vec<f64>, EvalError> {
    at_least(2, rows, rows, "an association")?;
    Column::check(columns, rows)?;
    let values: Vec<Vec<f64>> = (0..columns.len()).map(|column| Column::of(rows, column)).collect();
    let n = columns.len();
    let mut found = vec![1.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let (x, y) = (&values[i], &values[j]);
            let strength = match (columns[i], columns[j]) {
                (Column::Number, Column::Number) => correlation(x, y),
                (Column::Number, Column::Category(levels)) => correlation_ratio(x, y, levels),
                (Column::Category(levels), Column::Number) => correlation_ratio(y, x, levels),
                (Column::Category(rows), Column::Category(levels)) => {
                    cramers_v(x, y, [rows, levels])
                }
            };
            found[i * n + j] = strength;
            found[j * n + i] = strength;
        }
    }
    Ok(found)
}

/// Mean difference of the [`associations`] of generated and of real rows over all pairs of columns.
///
/// It carries no standard error of its own: use [`bootstrap`](crate::bootstrap). Its floor is that
/// of real rows against other real rows.
///
/// # Errors
/// As [`associations`], sets of different dimensions, and fewer than two columns.
pub fn association_difference(
    generated: Points<'_>,
    real: Points<'_>,
    columns: &[Column],
) -> Result<Score, EvalError> {
    let dim = shared_dim(generated, real)?;
    if dim < 2 {
        return Err(EvalError::TooFew { metric: "a pair of columns", n: dim, needed: 2 });
    }
    let (a, b) = (associations(generated, columns)?, associations(real, columns)?);
    let total: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
    let pairs = (dim * (dim - 1)) as f64;
    let n = generated.len().min(real.len());
    Ok(Score::lower("difference of associations", total / pairs, n))
}

/// Numbers less their mean, over the greatest of them: sums of their squares stay in range.
fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let greatest = values.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    // Where all are equal but for the rounding of their mean, they are taken as equal.
    let scale = values.iter().map(|x| x.abs()).fold(0.0, f64::max);
    if greatest <= 1e-12 * scale {
        return vec![0.0; values.len()];
    }
    values.iter().map(|x| (x - mean) / greatest).collect()
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (x, y) = (centred(x), centred(y));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    ratio(dot(&x, &y), (dot(&x, &x) * dot(&y, &y)).sqrt()).clamp(-1.0, 1.0)
}

fn correlation_ratio(number: &[f64], category: &[f64], levels: usize) -> f64 {
    let number = centred(number);
    let (mut sums, mut counts) = (vec![0.0; levels], vec![0.0; levels]);
    for (x, &k) in number.iter().zip(category) {
        sums[k as usize] += x;
        counts[k as usize] += 1.0;
    }
    let between: f64 = sums.iter().zip(&counts).map(|(&sum, &n)| ratio(sum * sum, n)).sum();
    let total: f64 = number.iter().map(|x| x * x).sum();
    ratio(between, total).clamp(0.0, 1.0).sqrt()
}

fn cramers_v(x: &[f64], y: &[f64], [rows, columns]: [usize; 2]) -> f64 {
    let n = x.len() as f64;
    let mut cells = vec![0.0; rows * columns];
    let (mut of_x, mut of_y) = (vec![0.0; rows], vec![0.0; columns]);
    for (&i, &j) in x.iter().zip(y) {
        cells[i as usize * columns + j as usize] += 1.0 / n;
        of_x[i as usize] += 1.0 / n;
        of_y[j as usize] += 1.0 / n;
    }
    let mut contingency = 0.0;
    for (i, &p) in of_x.iter().enumerate() {
        for (j, &q) in of_y.iter().enumerate() {
            contingency += ratio((cells[i * columns + j] - p * q).powi(2), p * q);
        }
    }
    let used = |shares: &[f64]| shares.iter().filter(|share| 0.0 < **share).count();
    let freedom = used(&of_x).min(used(&of_y)).saturating_sub(1);
    ratio(contingency, freedom as f64).clamp(0.0, 1.0).sqrt()
}

/// A ratio, zero where the denominator is.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}
