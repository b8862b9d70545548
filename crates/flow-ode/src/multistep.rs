//! Adams methods: past slopes instead of further stages.

use std::collections::VecDeque;

use crate::field::{Counted, VectorField};
use crate::segment::{Interval, Segment};
use crate::state::State;
use crate::tableau::{DOPRI5, RK4};

/// An explicit Adams method or a predictor-corrector pair, of order 1 to 5.
///
/// Bashforth: `y_{n+1} = y_n + h sum_j b_j f_{n-j}`, one evaluation a step. Moulton: Bashforth
/// predicts, `y_{n+1} = y_n + h (b_0 f_{n+1} + sum_j b_j f_{n+1-j})` corrects, and the slope is
/// evaluated again (PECE): two evaluations a step.
///
/// # Reference
/// Hairer, Nørsett & Wanner (1993), "Solving Ordinary Differential Equations I", second edition,
/// sections III.1 and III.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adams {
    Bashforth(u32),
    Moulton(u32),
}

impl Adams {
    pub(crate) fn order(self) -> u32 {
        match self {
            Self::Bashforth(order) | Self::Moulton(order) => order,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        const BASHFORTH: [&str; 5] = ["ab1", "ab2", "ab3", "ab4", "ab5"];
        const MOULTON: [&str; 5] = ["abm1", "abm2", "abm3", "abm4", "abm5"];
        let index = self.order() as usize - 1;
        match self {
            Self::Bashforth(_) => BASHFORTH[index],
            Self::Moulton(_) => MOULTON[index],
        }
    }
}

/// The slopes of the last steps, newest first.
pub(crate) struct History<S> {
    adams: Adams,
    slopes: VecDeque<(f64, S)>,
}

impl<S: State> History<S> {
    pub(crate) fn new(adams: Adams) -> Self {
        Self { adams, slopes: VecDeque::new() }
    }

    /// Takes the step from `y0`, where the slope is `f0`: a Runge-Kutta step until enough slopes
    /// are known.
    pub(crate) fn step<F: VectorField<S>>(
        &mut self,
        field: &Counted<'_, F>,
        interval: Interval,
        y0: S,
        f0: S,
    ) -> Segment<S> {
        let order = self.adams.order() as usize;
        self.slopes.push_front((interval.t0, f0.clone()));
        self.slopes.truncate(order);
        if self.slopes.len() < order {
            let starter = if order <= 4 { &RK4 } else { &DOPRI5 };
            let mut step = Segment::runge_kutta(starter, field, interval, y0, f0);
            let f0 = step.stages.swap_remove(0);
            return Segment::hermite(interval, step.y0, step.y1, f0, step.end_slope);
        }
        let predicted = y0.combine(&self.terms(interval, None));
        match self.adams {
            Adams::Bashforth(_) => Segment::hermite(interval, y0, predicted, f0, None),
            Adams::Moulton(_) => {
                let f1 = field.eval(interval.t1, &predicted);
                let y1 = y0.combine(&self.terms(interval, Some(&f1)));
                let f1 = field.eval(interval.t1, &y1);
                Segment::hermite(interval, y0, y1, f0, Some(f1))
            }
        }
    }

    /// The terms of the step: past slopes, and that at the end for the corrector.
    fn terms<'a>(&'a self, interval: Interval, end: Option<&'a S>) -> Vec<(f64, &'a S)> {
        let order = self.adams.order() as usize;
        let past = self.slopes.iter().map(|(t, f)| (*t, f));
        let nodes: Vec<_> =
            end.map(|f| (interval.t1, f)).into_iter().chain(past).take(order).collect();
        let times: Vec<f64> = nodes.iter().map(|(t, _)| *t).collect();
        let weights = quadrature(&times, interval);
        weights.into_iter().zip(nodes).map(|(w, (_, f))| (w, f)).collect()
    }
}

/// Weights `w_j` of `integral of p = sum_j w_j p(t_j)` over the interval, exact for polynomials `p`
/// of degree less than the number of nodes. On a uniform grid they are `h` times the coefficients
/// of Adams; on any other they are right as well.
fn quadrature(nodes: &[f64], interval: Interval) -> Vec<f64> {
    // In units of the step, from its start, so that the powers stay tame.
    let x: Vec<f64> = nodes.iter().map(|t| (t - interval.t0) / interval.h()).collect();
    let lagrange = |j: usize| {
        let others = x.iter().enumerate().filter(|(i, _)| *i != j).map(|(_, x)| *x);
        let mut coefficients = vec![1.0]; // of the numerator, lowest power first
        let mut denominator = 1.0;
        for other in others {
            denominator *= x[j] - other;
            coefficients.push(0.0);
            for power in (0..coefficients.len()).rev() {
                let lower = if power == 0 { 0.0 } else { coefficients[power - 1] };
                coefficients[power] = lower - other * coefficients[power];
            }
        }
        let powers = coefficients.iter().enumerate();
        powers.map(|(power, c)| c / (power as f64 + 1.0)).sum::<f64>() / denominator
    };
    (0..x.len()).map(|j| interval.h() * lagrange(j)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(weights: &[f64], expected: &[f64]) {
        assert_eq!(weights.len(), expected.len());
        for (w, e) in weights.iter().zip(expected) {
            assert!((w - e).abs() < 1e-12, "{weights:?} is not {expected:?}");
        }
    }

    #[test]
    fn weights_on_a_uniform_grid_are_those_of_adams_and_bashforth() {
        let step = Interval::new(0.0, 1.0);
        close(&quadrature(&[0.0, -1.0], step), &[1.5, -0.5]);
        close(
            &quadrature(&[0.0, -1.0, -2.0, -3.0], step),
            &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -3.0 / 8.0],
        );
        close(
            &quadrature(&[0.0, -1.0, -2.0, -3.0, -4.0], step),
            &[1901.0 / 720.0, -1387.0 / 360.0, 109.0 / 30.0, -637.0 / 360.0, 251.0 / 720.0],
        );
    }

    #[test]
    fn weights_on_a_uniform_grid_are_those_of_adams_and_moulton() {
        let step = Interval::new(0.0, 1.0);
        close(
            &quadrature(&[1.0, 0.0, -1.0, -2.0, -3.0], step),
            &[251.0 / 720.0, 323.0 / 360.0, -11.0 / 30.0, 53.0 / 360.0, -19.0 / 720.0],
        );
    }

    #[test]
    fn weights_on_any_grid_integrate_polynomials_exactly() {
        let step = Interval::new(0.3, 0.5);
        let nodes = [0.3, 0.17, -0.2, -0.25];
        let weights = quadrature(&nodes, step);
        for power in 0..4 {
            let sum: f64 = weights.iter().zip(nodes).map(|(w, t)| w * t.powi(power)).sum();
            let n = power + 1;
            let exact = (0.5f64.powi(n) - 0.3f64.powi(n)) / f64::from(n);
            assert!((sum - exact).abs() < 1e-13, "degree {power}: {sum} against {exact}");
        }
    }
}
