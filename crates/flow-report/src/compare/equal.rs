//! Evaluations at equal error: the share of another model's that a model needs.
//!
//! Errors are those against the exact flow of each model from the same noise. Between the numbers
//! of steps that were tried, the logarithm of the mean error is a line over that of the
//! evaluations.

use flow_eval::{EvalError, Points, Score, bootstrap, cost_at_error};
use serde::Serialize;

use super::scored::ErrorsOfSamples;
use crate::document::{Block, Table};

/// Draws of the bracket.
const DRAWS: usize = 1000;
/// How many of them lie in it.
const LEVEL: f64 = 0.9;

/// What a column needs of the evaluations of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EqualErrors {
    /// The name of the other.
    pub(crate) with: String,
    pub(crate) ratios: Vec<Ratio>,
}

/// The evaluations of one model over those of another, at the error that the other has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) method: String,
    /// Evaluations of the other.
    pub(crate) nfe: f64,
    /// Of each seed.
    pub(crate) values: Vec<f64>,
    /// Mean over the seeds.
    pub(crate) mean: f64,
    /// 90 % of bootstrap draws over the samples, together in all seeds.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Ratios at every number of evaluations of `b` whose error `a` comes down to, run by run.
///
/// A draw in which it never does counts with the most evaluations that were tried, so that an upper
/// end at that place means *at least*.
pub(crate) fn ratios(
    a: &[Vec<ErrorsOfSamples>],
    b: &[Vec<ErrorsOfSamples>],
) -> Result<Vec<Ratio>, EvalError> {
    let mut methods: Vec<&str> = Vec::new();
    for errors in b.iter().flatten() {
        if !methods.contains(&errors.method.as_str()) {
            methods.push(&errors.method);
        }
    }
    let mut found = Vec::new();
    for method in methods {
        let of = |runs: &[Vec<ErrorsOfSamples>]| -> Vec<Vec<ErrorsOfSamples>> {
            let own = |run: &Vec<ErrorsOfSamples>| {
                run.iter().filter(|errors| errors.method == method).cloned().collect()
            };
            runs.iter().map(own).collect()
        };
        let pairs: Vec<_> = of(a).into_iter().zip(of(b)).collect();
        let places = pairs.iter().map(|(_, b)| b.len()).min().unwrap_or_default();
        for at in 0..places {
            found.extend(ratio(method, &pairs, at)?);
        }
    }
    Ok(found)
}

type Pair = (Vec<ErrorsOfSamples>, Vec<ErrorsOfSamples>);

fn ratio(method: &str, pairs: &[Pair], at: usize) -> Result<Option<Ratio>, EvalError> {
    let nfe = pairs[0].1[at].nfe;
    // A row for each sample: its errors of `a` at all numbers of evaluations, then that of `b`,
    // seed by seed.
    let columns: Vec<&[f64]> = pairs
        .iter()
        .flat_map(|(a, b)| a.iter().chain([&b[at]]).map(|errors| errors.errors.as_slice()))
        .collect();
    let n = columns.iter().map(|column| column.len()).min().unwrap_or_default();
    let rows: Vec<f32> =
        (0..n).flat_map(|i| columns.iter().map(move |column| column[i] as f32)).collect();
    let rows = Points::new(&rows, columns.len())?;
    let costs: Vec<Vec<f64>> =
        pairs.iter().map(|(a, _)| a.iter().map(|errors| errors.nfe).collect()).collect();
    let of = |rows: Points<'_>| -> Option<Vec<f64>> {
        let mut means = means(rows).into_iter();
        let share = |costs: &Vec<f64>| {
            let curve: Vec<(f64, f64)> = costs.iter().copied().zip(means.by_ref()).collect();
            let cost = cost_at_error(&curve, means.next()?);
            Some((cost, *costs.first()?, *costs.last()?))
        };
        costs
            .iter()
            .map(share)
            .map(|found| {
                let (cost, _, last) = found?;
                Some(cost.unwrap_or(last) / nfe)
            })
            .collect()
    };
    let reached = |values: &[f64]| {
        let inside = |(value, costs): (&f64, &Vec<f64>)| {
            costs[0] < value * nfe && value * nfe < costs[costs.len() - 1]
        };
        values.iter().zip(&costs).all(inside)
    };
    let Some(values) = of(rows).filter(|values| reached(values)) else { return Ok(None) };
    let metric = |rows: Points<'_>, _: Points<'_>| {
        Ok(Score::lower("ratio", mean(&of(rows).unwrap_or_default()), n))
    };
    let (low, high) = bootstrap(metric, rows, rows, DRAWS, 0)?.interval(LEVEL);
    let method = method.to_owned();
    Ok(Some(Ratio { method, nfe, mean: mean(&values), values, low, high }))
}

fn means(rows: Points<'_>) -> Vec<f64> {
    let mut sums = vec![0.0; rows.dim()];
    for row in rows.rows() {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums.iter().map(|sum| sum / rows.len() as f64).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// A table of the ratios.
pub(crate) fn blocks(a: &str, b: &str, ratios: &[Ratio]) -> Vec<Block> {
    let head = ["solver", &format!("evaluations of {b}"), "share", "90 % of draws", "each seed"];
    let row = |ratio: &Ratio| {
        let each: Vec<String> = ratio.values.iter().map(|value| format!("{value:.2}")).collect();
        vec![
            ratio.method.clone(),
            format!("{:.0}", ratio.nfe),
            format!("{:.2}", ratio.mean),
            format!("{:.2} to {:.2}", ratio.low, ratio.high),
            each.join(", "),
        ]
    };
    vec![
        Block::Heading(format!("Evaluations of {a} over those of {b} at equal error")),
        Block::Table(Table {
            head: head.map(String::from).to_vec(),
            rows: ratios.iter().map(row).collect(),
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: [f64; 5] = [4.0, 8.0, 16.0, 32.0, 64.0];

    /// A run whose errors fall with the square of the evaluations, on samples that differ.
    fn run(constant: f64) -> Vec<ErrorsOfSamples> {
        let errors = |nfe: f64| {
            (0..50).map(|i| f64::from(1 + i % 7) * constant / (nfe * nfe)).collect::<Vec<_>>()
        };
        let of = |nfe: f64| ErrorsOfSamples { method: "midpoint".into(), nfe, errors: errors(nfe) };
        COSTS.map(of).to_vec()
    }

    fn column(constants: &[f64]) -> Vec<Vec<ErrorsOfSamples>> {
        constants.iter().map(|&constant| run(constant)).collect()
    }

    #[test]
    fn a_quarter_of_the_error_of_a_second_order_is_half_the_evaluations() {
        let ratios = ratios(&column(&[0.25, 0.25]), &column(&[1.0, 1.0])).unwrap();
        // Four evaluations are the fewest that were tried, and half of eight lie at that edge.
        assert_eq!(ratios.iter().map(|ratio| ratio.nfe).collect::<Vec<_>>(), [16.0, 32.0, 64.0]);
        for ratio in ratios {
            // Single precision of the errors, halved by the order.
            assert!((ratio.mean - 0.5).abs() < 1e-6, "{ratio:?}");
            // All samples have one ratio, so that it does not matter which are drawn.
            assert!((ratio.low - 0.5).abs() < 1e-6 && (ratio.high - 0.5).abs() < 1e-6, "{ratio:?}");
        }
    }

    #[test]
    fn seeds_are_averaged_and_shown() {
        let ratios = ratios(&column(&[0.25, 0.5625]), &column(&[1.0, 1.0])).unwrap();
        let ratio = ratios.iter().find(|ratio| 30.0 < ratio.nfe).unwrap();
        assert!((ratio.values[0] - 0.5).abs() < 1e-6 && (ratio.values[1] - 0.75).abs() < 1e-6);
        assert!((ratio.mean - 0.625).abs() < 1e-6, "{ratio:?}");
    }

    #[test]
    fn an_error_that_is_never_reached_has_no_ratio() {
        let found = ratios(&column(&[1.0]), &column(&[1e-4])).unwrap();
        assert_eq!(found, []);
        assert_eq!(ratios(&column(&[]), &column(&[])).unwrap(), []);
    }
}
