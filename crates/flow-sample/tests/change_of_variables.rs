//! Densities under maps: one affine map, a chain of Euler steps, and a flow there and back.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use common::{LinearField, Mixture, Stir, dopri5, host, log_normal, rows};
use flow_nn::{Condition, MlpConfig, NetworkConfig, Signature, init_seeded};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::{Exact, FiniteData, Gaussian, Linear, Mixture as Blurred, Prediction};
use flow_sample::{ExactTrace, Likelihood, Ode, Predictor, Sampler, Trained, Way, prior};

const TRACE: ExactTrace = ExactTrace { chunk: 5 };

/// Entries of a matrix of `d` rows, between -1 and 1, without a pattern.
fn entries(d: usize, seed: usize) -> Vec<f64> {
    (0..d * d).map(|i| (1.3 * ((i + 17 * seed + 1) as f64).powi(2)).sin()).collect()
}

fn product(a: &[f64], b: &[f64], d: usize) -> Vec<f64> {
    let entry = |i: usize, j: usize| (0..d).map(|k| a[i * d + k] * b[k * d + j]).sum();
    (0..d * d).map(|at| entry(at / d, at % d)).collect()
}

fn transposed(a: &[f64], d: usize) -> Vec<f64> {
    (0..d * d).map(|at| a[at % d * d + at / d]).collect()
}

/// `exp M` as `(exp M/64)^64`, whose series has converged after twenty terms.
fn exponential(m: &[f64], d: usize) -> Vec<f64> {
    let small: Vec<f64> = m.iter().map(|m| m / 64.0).collect();
    let identity: Vec<f64> = (0..d * d).map(|at| f64::from(at / d == at % d)).collect();
    let (mut sum, mut term) = (identity.clone(), identity);
    for k in 1..20 {
        term = product(&term, &small, d).into_iter().map(|x| x / f64::from(k)).collect();
        sum.iter_mut().zip(&term).for_each(|(sum, term)| *sum += term);
    }
    (0..6).fold(sum, |power, _| product(&power, &power, d))
}

/// The determinant of `A` and the solution of `A x = y`, by elimination with pivots.
fn solve(a: &[f64], y: &[f64]) -> (f64, Vec<f64>) {
    let d = y.len();
    let mut rows: Vec<Vec<f64>> =
        (0..d).map(|i| [&a[i * d..(i + 1) * d], &y[i..=i]].concat()).collect();
    let mut determinant = 1.0;
    for i in 0..d {
        let best = (i..d).max_by(|&p, &q| rows[p][i].abs().total_cmp(&rows[q][i].abs())).unwrap();
        determinant *= if best == i { rows[i][i] } else { -rows[best][i] };
        rows.swap(i, best);
        let pivot = rows[i].clone();
        for (k, row) in rows.iter_mut().enumerate().filter(|(k, _)| *k != i) {
            let factor = row[i] / pivot[i];
            assert!(factor.is_finite(), "row {k} of a matrix without an inverse");
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    (determinant, (0..d).map(|i| rows[i][d] / rows[i][i]).collect())
}

/// `log N(y; 0, C)`.
fn log_gaussian(y: &[f64], covariance: &[f64]) -> f64 {
    let (determinant, solved) = solve(covariance, y);
    let form: f64 = y.iter().zip(&solved).map(|(y, s)| y * s).sum();
    log_normal(&vec![0.0; y.len()], 1.0) - 0.5 * (form + determinant.ln())
}

/// The law of `y = A x` with `x ~ N(0, I)` is `N(0, A A^T)`, and its density at `y` is that of `x`
/// over the absolute value of the determinant.
#[test]
fn an_affine_map_divides_the_density_by_the_absolute_value_of_its_determinant() {
    let mut negative = 0;
    for d in 1..=5 {
        for seed in 0..4 {
            let a = entries(d, seed);
            let y: Vec<f64> = (0..d).map(|i| 1.3 * (i as f64 + seed as f64).cos()).collect();
            let (determinant, x) = solve(&a, &y);
            let want = log_gaussian(&y, &product(&a, &transposed(&a, d), d));
            let got = log_normal(&x, 1.0) - determinant.abs().ln();
            // Matrices of chance lose a few digits when they are squared.
            let gap = (got - want).abs() / want.abs().max(1.0);
            assert!(gap < 1e-9, "{d} rows, seed {seed}: {got} is not {want}");
            if determinant < 0.0 {
                negative += 1;
                let without = log_normal(&x, 1.0) - determinant.ln();
                assert!(without.is_nan(), "without the absolute value: {without}");
            }
        }
    }
    assert!(4 < negative, "only {negative} of 20 maps turn the space over");
}

/// The flow of `v = M x` over the unit interval is `x -> exp(M) x`.
#[test]
fn the_flow_of_a_matrix_has_the_density_of_its_exponential() {
    for d in 1..=5 {
        let m = entries(d, 3);
        let a = exponential(&m, d);
        let points: Vec<f64> = (0..3 * d).map(|i| 1.1 * (1.7 * i as f64).sin()).collect();
        let covariance = product(&a, &transposed(&a, d), d);
        let field = LinearField(m.clone(), d);
        let got = dopri5(1e-11).log_prob(&field, rows(&points, d), &TRACE).unwrap().nats;
        for (got, y) in got.into_iter().zip(points.chunks(d)) {
            let want = log_gaussian(y, &covariance);
            assert!((got - want).abs() < 1e-8 * want.abs().max(1.0), "{d}: {got} is not {want}");
        }
    }
}

/// `log |det(I + h J)|` of the Euler steps from `x`, summed, and where they end. The Jacobian of a
/// field in the plane is taken by central differences.
fn residual_flow(field: &dyn Predictor, x: &[f64], steps: usize) -> (Vec<f64>, Vec<f64>) {
    let (h, eps) = (1.0 / steps as f64, 1e-5);
    let mut x = rows(x, 2);
    let mut sums = vec![0.0; x.dims()[0]];
    for step in 0..steps {
        let velocity = |x: Tensor<2>| {
            let t = step as f64 * h;
            field.predict(Prediction::Velocity, &x, t)
        };
        let slope = |unit: [f64; 2]| {
            let nudge = rows(&unit.map(|u| u * eps), 2);
            let ahead = velocity(x.clone() + nudge.clone());
            host((ahead - velocity(x.clone() - nudge)) / (2.0 * eps))
        };
        let (by_x, by_y) = (slope([1.0, 0.0]), slope([0.0, 1.0]));
        for (row, sum) in sums.iter_mut().enumerate() {
            let [a, c] = [by_x[2 * row], by_x[2 * row + 1]];
            let [b, d] = [by_y[2 * row], by_y[2 * row + 1]];
            *sum += ((1.0 + h * a) * (1.0 + h * d) - h * h * b * c).abs().ln();
        }
        x = x.clone() + velocity(x) * h;
    }
    (sums, host(x))
}

/// A residual flow `x + h v(x)`, many times over, is the Euler method, and its sum of
/// `log |det(I + h J)|` becomes the integral of the divergence: order 1 in `h`.
///
/// # Reference
/// Chen et al. (2019), "Residual Flows for Invertible Generative Modeling", arXiv:1906.02735;
/// Chen et al. (2018), "Neural Ordinary Differential Equations", arXiv:1806.07366, theorem 1.
#[test]
fn the_log_determinants_of_euler_steps_become_the_integral_of_the_divergence() {
    let field = Mixture(Linear { sigma_min: 0.0 });
    for seed in 0..3 {
        let x0 = prior(seed, 0..64, 2, &field, &Device::flex()).cast(DType::F64);
        let tight = Adaptive::new(Tolerance { atol: 1e-10, rtol: 1e-10 });
        let ode = Ode::new(Method::Dopri5, tight.into());
        let x1 = ode.sample(&field, x0.clone(), &Way::steps(1)).unwrap().x;
        let density = dopri5(1e-10).log_prob(&field, x1, &TRACE).unwrap().nats;
        let x0 = host(x0);
        let exact: Vec<f64> =
            x0.chunks(2).zip(density).map(|(x0, nats)| log_normal(x0, 1.0) - nats).collect();
        // The median: near the border of two modes a step decides which of them is reached.
        let error = |steps: usize| {
            let sums = residual_flow(&field, &x0, steps).0;
            let mut gaps: Vec<f64> = sums.iter().zip(&exact).map(|(a, b)| (a - b).abs()).collect();
            gaps.sort_by(f64::total_cmp);
            gaps[gaps.len() / 2]
        };
        let errors = [64, 128, 256, 512].map(error);
        for pair in errors.windows(2) {
            let order = (pair[0] / pair[1]).log2();
            assert!((order - 1.0).abs() < 0.1, "seed {seed}: order {order} of {errors:?}");
        }
    }
}

/// A step of Euler is one to one while `h` times the Lipschitz constant is below 1. Near the ends
/// of the line the field towards two points has the slope `-1 / (1 - t)`.
#[test]
fn a_residual_step_folds_the_line_once_it_is_longer_than_the_field_is_smooth() {
    let field = Exact::new(FiniteData::new(vec![-1.5, 1.5], 1), Linear { sigma_min: 0.0 });
    let line: Vec<f64> = (0..200).map(|i| -4.0 + 8.0 * f64::from(i) / 199.0).collect();
    let folds = |h: f64| {
        let x = rows(&line, 1);
        let velocity = Predictor::predict(&field, Prediction::Velocity, &x, 0.5);
        let image = host(x + velocity * h);
        image.windows(2).filter(|pair| pair[1] < pair[0]).count()
    };
    assert_eq!(folds(0.4), 0, "0.4 times 1 / (1 - 0.5) is below 1");
    assert!(50 < folds(0.6), "{} folds", folds(0.6));
}

/// The methods for tensors: implicit ones take states of the host.
fn explicit() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| !method.is_implicit())
}

/// Paths of a flow on the line never meet, so that sorted starts stay sorted.
#[test]
fn every_method_keeps_the_order_of_the_line() {
    let modes = [-1.5, 1.5].map(|mean| Gaussian::new(vec![mean], 0.2)).to_vec();
    let field = Exact::new(Blurred::uniform(modes), Linear { sigma_min: 0.0 });
    let line: Vec<f64> = (0..200).map(|i| -4.0 + 8.0 * f64::from(i) / 199.0).collect();
    let times: Vec<f64> = (1..20).map(|k| f64::from(k) / 20.0).collect();
    let tight = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    for method in explicit() {
        let adaptive = method.is_adaptive();
        let stepping = if adaptive { tight.clone().into() } else { Stepping::Count(100) };
        let way = Way::steps(1).keeping(&times);
        let out = Ode::new(method, stepping).sample(&field, rows(&line, 1), &way).unwrap();
        assert_eq!(out.states.len(), times.len());
        for (t, state) in times.iter().chain([&1.0]).zip(out.states.into_iter().chain([out.x])) {
            let state = host(state);
            let turned = state.windows(2).filter(|pair| pair[1] < pair[0]).count();
            assert_eq!(turned, 0, "{method:?} at {t}");
        }
    }
}

/// The flow of a network is a bijection: what the solver carries to the data it carries back.
#[test]
fn every_method_leads_back_through_a_network() {
    let device = Device::flex();
    let sizes = MlpConfig { hidden: 32, depth: 2, time_features: 16, ..MlpConfig::default() };
    // Slow in time: the pair of Fehlberg does not see the error of what oscillates in time alone.
    let config = MlpConfig { time_scale: 6, ..sizes };
    let init = |device: &Device| config.init(&Signature::of([2]), device);
    let network = init_seeded(5, &device, init).unwrap().map(&mut Stir);
    let field = Trained {
        network: &network,
        condition: Condition::default(),
        schedule: Arc::new(Linear::default()),
        prediction: Prediction::Velocity,
    };
    let x0 = prior(1, 0..32, 2, &field, &device);
    let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    for method in explicit() {
        // 400 Euler steps of this field err by some thousandths, there and back alike.
        let (stepping, bound) = if method.is_adaptive() {
            (Stepping::from(adaptive.clone()), 1e-4)
        } else {
            (Stepping::Count(400), if method.order() == 1 { 2e-2 } else { 1e-4 })
        };
        let there = Ode::new(method, stepping.clone());
        let x1 = there.sample(&field, x0.clone(), &Way::steps(1)).unwrap().x;
        let moved = host((x1.clone() - x0.clone()).abs()).into_iter().fold(0.0, f64::max);
        let back = Likelihood::new(method, stepping).log_prob(&field, x1, &TRACE).unwrap().x0;
        let gap = host((back - x0.clone()).abs()).into_iter().fold(0.0, f64::max);
        assert!(gap < bound, "{method:?}: {gap:e}");
        assert!(0.2 < moved, "a flow that stands still shows nothing: {moved}");
    }
}
