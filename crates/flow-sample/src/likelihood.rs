//! Log-densities of a continuous normalizing flow.

use std::cell::Cell;
use std::f64::consts::TAU;

use burn::tensor::Tensor;
use flow_ode::{Method, OdeError, Stepping, Tolerance, WithTolerance, solve};
use flow_path::Source;

use crate::divergence::Divergence;
use crate::ends::noise_scale;
use crate::error::SampleError;
use crate::predictor::Predictor;

/// Log-densities under the flow of a predictor, by the instantaneous change of variables.
///
/// Along `dx/dt = v(x, t)` the log-density changes by `d log p_t(x_t)/dt = -div v(x_t, t)`. One
/// solve from the end of the predictor's span back to its start moves the pair
/// `dx/dt = v`, `dl/dt = div v`, `l = 0` at the data, and
///
/// `log p_1(x_1) = log N(x_0; 0, s^2 I) + l(0)`
///
/// with `s` the [`prior_std`](flow_path::Schedule::prior_std) of the schedule. Two approximations
/// belong to the schedule, not to the solver. A path that has not forgotten the data at its start
/// has another density there than the prior: with the usual variance-preserving rates (`alpha =
/// 0.0066`) that shifts `log p` by some 0.003 nats. Where the schedule ends before `t = 1`, the
/// density is the one at its end.
///
/// A predictor that answers from `t_0` to `t_1` only, as networks do that predict the noise or the
/// data (see [`Predictor::span`]), is asked between those times. The density is then that of the
/// data with the noise of `t_1` left in them, whose standard deviation is `sigma(t_1) /
/// alpha(t_1)`, about 0.01 on the linear schedule: `x_1` enters the solve as `alpha(t_1) x_1`. At
/// the other end `x_{t_0} sigma(0) / sigma(t_0)` takes the place of `x_0`, which errs by
/// `alpha(t_0)` as above. Both factors are counted in the density.
///
/// Minus infinity is a log-density, where the source has no mass; only NaN and plus infinity are
/// errors.
///
/// `l` is a state of its own, one number for each estimate of the divergence, in the type of `x_1`.
/// On adaptive steps it is held to the tolerance of the solve, by its own norm: the step's error
/// is the larger of those of `x` and `l`, so that neither hides in the other.
///
/// # Reference
/// Chen et al. (2018), "Neural Ordinary Differential Equations", arXiv:1806.07366, theorem 1;
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, equations 27
/// to 33.
#[derive(Clone, Debug)]
pub struct Likelihood {
    method: Method,
    stepping: Stepping,
    tolerance: Option<Tolerance>,
    source: Source,
}

/// Log-densities and their cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogProb {
    /// `log p_1(x_1)` of each sample, in nats: the mean over the estimates of the divergence. Minus
    /// infinity where the flow leads to where the source has no mass. The density of no numbers is
    /// 1, so a row without numbers has 0.
    pub nats: Vec<f64>,
    /// Standard error of that mean over the estimates, if there are two or more.
    pub std_error: Option<Vec<f64>>,
    /// Where the samples come from, `[B, d]`.
    pub x0: Tensor<2>,
    /// Evaluations of the velocity, rejected steps included, times its network calls. Each is a
    /// forward and a backward pass for every probe or unit vector.
    pub nfe: usize,
}

impl Likelihood {
    /// A solver and how it advances.
    #[must_use]
    pub fn new(method: Method, stepping: Stepping) -> Self {
        Self { method, stepping, tolerance: None, source: Source::Normal }
    }

    /// Holds `l`, in nats, to a tolerance of its own.
    ///
    /// With an infinite absolute tolerance it does not affect the steps, and its error has no
    /// bound.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Starts the flow from `s x_0` with `x_0` from another law than the normal one.
    #[must_use]
    pub fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Log-densities of the samples `x1`, in nats.
    ///
    /// # Shapes
    /// - `x1`: `[B, d]`
    ///
    /// # Errors
    /// When the solver stops, when a row of `x_0` or of `l` is not finite, as it is for a row of
    /// `x_1` that is not, or when the density of the source is not a number there.
    ///
    /// # Panics
    /// See [`Divergence::evaluate`].
    pub fn log_prob(
        &self,
        predictor: &dyn Predictor,
        x1: Tensor<2>,
        divergence: &dyn Divergence,
    ) -> Result<LogProb, SampleError> {
        let schedule = predictor.schedule();
        let std = schedule.prior_std();
        let rows = x1.dims()[0];
        let size: usize = x1.dims()[1..].iter().product();
        if rows * size == 0 {
            let none = || vec![0.0; rows];
            let std_error = (divergence.estimates() > 1).then(none);
            return Ok(LogProb { nats: none(), std_error, x0: x1, nfe: 0 });
        }
        let ((first, last), (start, end)) = (schedule.span(), predictor.span());
        let to_end = schedule.at(end).alpha / schedule.at(last).alpha;
        let to_start = noise_scale(schedule, start, first);
        let (x0, gained, nfe) = self.back_to_noise(predictor, scaled(x1, to_end), divergence)?;
        let x0 = scaled(x0, to_start);
        let (noise, gained) = (host(x0.clone()), host(gained));
        let estimates = gained.chunks(divergence.estimates());
        let (mut nats, mut errors) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, (noise, gained)) in noise.chunks(size).zip(estimates).enumerate() {
            if !noise.iter().chain(gained).all(|number| number.is_finite()) {
                return Err(SampleError::NotFinite { row, t: start });
            }
            let noise: Vec<f64> = noise.iter().map(|x| x / std).collect();
            let log_density = match &self.source {
                Source::Normal => log_normal(&noise),
                Source::Known(target) => target.log_density(&noise),
                Source::Given => return Err(SampleError::NoDensity),
            };
            let (mean, error) = mean_and_error(gained);
            let scale = (to_start * to_end / std).ln();
            let value = log_density + size as f64 * scale + mean;
            if value.is_nan() || value == f64::INFINITY {
                return Err(SampleError::Density { row, value });
            }
            nats.push(value);
            errors.push(error);
        }
        let std_error = (divergence.estimates() > 1).then_some(errors);
        Ok(LogProb { nats, std_error, x0, nfe })
    }

    /// `x_0`, `l(0)` of shape `[B, K]`, and network calls for each sample.
    fn back_to_noise(
        &self,
        predictor: &dyn Predictor,
        x1: Tensor<2>,
        divergence: &dyn Divergence,
    ) -> Result<(Tensor<2>, Tensor<2>, usize), SampleError> {
        let (start, end) = predictor.span();
        let (span, method, stepping) = ((end, start), self.method, &self.stepping);
        let shape = [x1.dims()[0], divergence.estimates()];
        let zero = Tensor::zeros(shape, (&x1.device(), x1.dtype()));
        let calls = Cell::new(0);
        let evaluate = |x: &Tensor<2>, t: f64| {
            calls.set(calls.get() + predictor.calls(t));
            divergence.evaluate(predictor, x, t)
        };
        if let Some(tol) = self.tolerance {
            let field = |t: f64, (x, _): &(Tensor<2>, WithTolerance<Tensor<2>>)| {
                let (velocity, state) = evaluate(x, t);
                (velocity, WithTolerance { state, tol })
            };
            let pair = (x1, WithTolerance { state: zero, tol });
            let end = solve(&field, span, pair, method, stepping).map_err(stopped)?;
            return Ok((end.y.0, end.y.1.state, calls.get()));
        }
        let field = |t: f64, (x, _): &(Tensor<2>, Tensor<2>)| evaluate(x, t);
        let end = solve(&field, span, (x1, zero), method, stepping).map_err(stopped)?;
        Ok((end.y.0, end.y.1, calls.get()))
    }
}

/// `x` times a number, untouched by 1.
fn scaled(x: Tensor<2>, scale: f64) -> Tensor<2> {
    match scale {
        1.0 => x,
        scale => x * scale,
    }
}

fn stopped<S>(error: OdeError<S>) -> SampleError {
    match error {
        OdeError::NonFinite { t, h, row: Some(row), .. } => {
            SampleError::NotFinite { row, t: t + h }
        }
        error => SampleError::Solver { reason: error.to_string() },
    }
}

fn host(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().expect("converted to f64 just before")
}

/// `log N(x; 0, I)`.
fn log_normal(x: &[f64]) -> f64 {
    let squares: f64 = x.iter().map(|x| x * x).sum();
    -0.5 * (squares + x.len() as f64 * TAU.ln())
}

/// Mean of independent estimates and its standard error, NaN for a single one.
fn mean_and_error(estimates: &[f64]) -> (f64, f64) {
    let n = estimates.len() as f64;
    let mean = estimates.iter().sum::<f64>() / n;
    let squares: f64 = estimates.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}
