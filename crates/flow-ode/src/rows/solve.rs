//! The loop in which every row has its own time and step.

use super::row::Row;
use super::{Batch, RowField};
use crate::adaptive::{Adaptive, ErrorWeights};
use crate::drive::dop853_error;
use crate::error::{HeldBy, OdeError};
use crate::initial::{LEAST_GUESS, first_guess, second_guess};
use crate::method::Method;
use crate::state::{Norm, Norms, Tolerance};
use crate::stats::Stats;
use crate::stiffness::{Standstill, UNIT};
use crate::tableau::{ErrorEstimate, Tableau};

/// The outcome of [`solve_rows`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RowSolution<S> {
    /// The states at the end of the span.
    pub y: S,
    /// Evaluations of the whole batch: what the slowest row needs.
    pub evals: usize,
    /// What each row took; its evaluations are those made before it arrived.
    pub rows: Vec<Stats>,
}

/// Solves a batch of independent samples, each with its own steps.
///
/// Row `r` meets the tolerance by its own error, as if it were alone. The norm and the jumps of the
/// settings play no part.
///
/// # Errors
/// As [`solve`](crate::solve); the first row that fails ends the solve, and the error names it
/// ([`OdeError::row`]) and carries the batch as it was then at the time of that row. Implicit
/// methods do not step by row.
///
/// ```
/// use flow_ode::{Adaptive, Method, Tolerance, solve_rows};
/// // Two decays, one a hundred times as fast.
/// let field = |_t: &[f64], y: &Vec<[f64; 1]>| vec![[-y[0][0]], [-100.0 * y[1][0]]];
/// let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
/// let y0 = vec![[1.0], [1.0]];
/// let end = solve_rows(&field, (0.0, 1.0), y0, Method::Dopri5, &adaptive).unwrap();
/// assert!((end.y[0][0] - (-1f64).exp()).abs() < 1e-5);
/// assert!(end.rows[0].accepted < end.rows[1].accepted);
/// ```
pub fn solve_rows<S: Batch, F: RowField<S>>(
    field: &F,
    span: (f64, f64),
    y0: S,
    method: Method,
    settings: &Adaptive,
) -> Result<RowSolution<S>, OdeError<S>> {
    let (t0, t1) = span;
    if !(t0.is_finite() && t1.is_finite() && (t1 - t0).is_finite()) {
        return Err(OdeError::BadSpan { t0, t1 });
    }
    let (_, exponent) = method.error_estimate().ok_or(OdeError::NotAdaptive { method })?;
    let tableau = method.tableau().ok_or(OdeError::NotByRow { method })?;
    let settings = Adaptive { norm: Norm::WorstSample, ..settings.checked(span, &y0)? };
    let numbers = if settings.atols.is_empty() { None } else { y0.numbers() };
    if numbers.is_some_and(|numbers| numbers.len() != settings.atols.len() * y0.rows()) {
        return Err(OdeError::BadSetting {
            name: "with_atols",
            value: settings.atols.len() as f64,
            must: "there are as many as a row has numbers",
        });
    }
    if S::ON_HOST && !y0.all_finite() {
        let row = finite_rows(&y0).iter().position(|finite| !finite);
        return Err(OdeError::NonFinite { t: t0, h: 0.0, y: y0, row });
    }
    let mut rows = vec![Row::new(span, &settings, exponent); y0.rows()];
    let mut stepper = Stepper { tableau, field, settings: &settings, exponent, evals: 0 };

    let mut y = y0;
    if rows.iter().any(Row::is_running) {
        let mut slope = stepper.eval(&mut rows, &y, Row::time);
        stepper.first_steps(&mut rows, &y, &slope)?;
        while rows.iter().any(Row::is_running) {
            (y, slope) = stepper.step(&mut rows, y, slope)?;
        }
    }
    let rows = rows.into_iter().map(|row| row.stats).collect();
    Ok(RowSolution { y, evals: stepper.evals, rows })
}

struct Stepper<'a, F> {
    tableau: &'static Tableau,
    field: &'a F,
    settings: &'a Adaptive,
    exponent: f64,
    evals: usize,
}

impl<F> Stepper<'_, F> {
    fn eval<S>(&mut self, rows: &mut [Row], y: &S, time: impl Fn(&Row) -> f64) -> S
    where
        F: RowField<S>,
    {
        self.evals += 1;
        for row in rows.iter_mut().filter(|row| row.is_running()) {
            row.stats.evals += 1;
        }
        let times: Vec<f64> = rows.iter().map(time).collect();
        self.field.eval(&times, y)
    }

    /// Finds the first step of each row.
    fn first_steps<S: Batch>(&mut self, rows: &mut [Row], y: &S, f0: &S) -> Result<(), OdeError<S>>
    where
        F: RowField<S>,
    {
        let norm = |x: &S| self.settings.norms(x, y, y);
        let (d0, d1) = norm(y).rows_with(norm(f0), rows.len());
        let measured = |r: usize| d0[r].is_finite() && d1[r].is_finite();
        if !(0..rows.len()).all(measured) {
            let finite = finite_rows(y).into_iter().zip(finite_rows(f0)).map(|(y, f)| y && f);
            if let Some(row) = finite.into_iter().position(|finite| !finite) {
                let (t, y) = (rows[row].time(), y.clone());
                return Err(OdeError::NonFinite { t, h: 0.0, y, row: Some(row) });
            }
        }
        if self.settings.first_step.is_some() {
            return Ok(());
        }
        for (r, row) in rows.iter_mut().enumerate() {
            let rest = row.rest();
            let guess = if measured(r) { first_guess(d0[r], d1[r], rest) } else { LEAST_GUESS };
            row.look_ahead(guess.min(rest));
        }
        let shifts: Vec<f64> = rows.iter().map(Row::step).collect();
        let y1 = y.combine_rows(&[(&shifts, f0)]);
        let f1 = self.eval(rows, &y1, |row| row.node(1.0));
        let d2 = S::untracked_sum(&[(1.0, &f1), (-1.0, f0)]);
        let d2 = self.settings.norms(&d2, y, y).rows(rows.len());
        for (r, row) in rows.iter_mut().enumerate() {
            let h0 = row.step().abs();
            let guess = second_guess(h0, d1[r], d2[r] / h0, row.rest(), self.exponent);
            row.plan(if measured(r) { guess } else { h0 });
        }
        Ok(())
    }

    /// Tries one step of every row that still runs; the states and slopes after it.
    fn step<S: Batch>(&mut self, rows: &mut [Row], y: S, k1: S) -> Result<(S, S), OdeError<S>>
    where
        F: RowField<S>,
    {
        let tableau = self.tableau;
        let mut slopes = vec![k1];
        for i in 1..tableau.evals_per_step() {
            let stage = combine_stages(&y, rows, tableau.a[i], &slopes);
            slopes.push(self.eval(rows, &stage, |row| row.node(tableau.c[i])));
        }
        let y1 = combine_stages(&y, rows, tableau.b, &slopes);
        if tableau.fsal {
            slopes.push(self.eval(rows, &y1, |row| row.node(1.0)));
        }
        let errors = self.errors(rows, &y, &y1, &slopes);
        let judge = |(row, error): (&mut Row, f64)| row.is_running() && row.judge(error);
        let taken: Vec<bool> = rows.iter_mut().zip(errors).map(judge).collect();
        let y = y.replace_rows(&y1, &taken);
        if let Some(r) = rows.iter().position(|row| row.has_failed(self.settings)) {
            let finite = [&y1].into_iter().chain(&slopes).all(|x| finite_rows(x)[r]);
            let held_by = self.held_by(rows, r, &y);
            return Err(rows[r].failure((r, y), self.settings, finite, held_by));
        }
        let slope = if tableau.fsal {
            slopes[0].replace_rows(&slopes[slopes.len() - 1], &taken)
        } else {
            self.eval(rows, &y, Row::time)
        };
        Ok((y, slope))
    }

    /// What kept the steps of a failed row small.
    fn held_by<S: Batch>(&self, rows: &[Row], failed: usize, y: &S) -> HeldBy
    where
        F: RowField<S>,
    {
        let times: Vec<f64> = rows.iter().map(Row::time).collect();
        let norm = |x: &S| x.norms(x, x, &UNIT, Norm::WorstSample).rows(rows.len())[failed];
        Standstill { y, h: rows[failed].longest_step(), tol: self.settings.tol }.held_by(
            self.tableau,
            |y| self.field.eval(&times, y),
            norm,
        )
    }

    /// Error over tolerance of each row; the one read from the device.
    fn errors<S: Batch>(&self, rows: &[Row], y0: &S, y1: &S, slopes: &[S]) -> Vec<f64> {
        let estimate = |weights: &[f64]| -> Norms {
            let terms = weights.iter().copied().zip(slopes).filter(|(w, _)| *w != 0.0);
            let error = S::untracked_sum(&terms.collect::<Vec<_>>());
            self.settings.norms(&error, y0, y1)
        };
        let steps = rows.iter().map(|row| row.step().abs());
        match self.tableau.error {
            ErrorEstimate::None => vec![0.0; rows.len()],
            ErrorEstimate::Embedded { weights, shampine, .. } => {
                let share = match self.settings.weights {
                    ErrorWeights::Hairer => 1.0,
                    ErrorWeights::Shampine => shampine,
                };
                let norms = estimate(weights).rows(rows.len());
                steps.zip(norms).map(|(h, norm)| h * share * norm).collect()
            }
            ErrorEstimate::Dop853 { e5, e3 } => {
                // The joint estimate is a number times |h|.
                let joint = |e5, e3| dop853_error(1.0, e5, e3);
                let norms = estimate(e5).rows_of(estimate(e3), rows.len(), joint);
                steps.zip(norms).map(|(h, norm)| h * norm).collect()
            }
        }
    }
}

/// Which rows hold finite numbers alone; reads the device.
fn finite_rows<S: Batch>(x: &S) -> Vec<bool> {
    let unit = Tolerance { atol: 1.0, rtol: 1.0 };
    let norms = x.norms(x, x, &unit, Norm::WorstSample).rows(x.rows());
    norms.into_iter().map(f64::is_finite).collect()
}

/// `y_r + h_r sum_i w_i k_i` for each row `r`.
fn combine_stages<S: Batch>(y: &S, rows: &[Row], weights: &[f64], slopes: &[S]) -> S {
    let used = weights.iter().zip(slopes).filter(|(w, _)| **w != 0.0);
    let scaled = |w: f64| rows.iter().map(|row| w * row.step()).collect::<Vec<f64>>();
    let terms: Vec<(Vec<f64>, &S)> = used.map(|(w, k)| (scaled(*w), k)).collect();
    let terms: Vec<(&[f64], &S)> = terms.iter().map(|(c, k)| (c.as_slice(), *k)).collect();
    y.combine_rows(&terms)
}
