//! Log-densities against closed forms.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use common::{LinearField, Mixture, POINTS, dopri5, host, log_normal, rk4, rows};
use flow_nn::{Condition, MlpConfig, NetworkConfig, Signature, init_seeded};
use flow_ode::Tolerance;
use flow_path::{
    Checkerboard, Cosine, Exact, ExactField, Gaussian, Linear, Prediction, Schedule, Target,
    VarianceExploding, VariancePreserving,
};
use flow_sample::{
    Divergence, ExactTrace, Hutchinson, Likelihood, Predictor, Probe, SampleError, Trained,
};

const PLANE: ExactTrace = ExactTrace { chunk: 2 };

/// Log-densities of the mixture at [`POINTS`], from an independent solve in double precision.
const LOG_DENSITIES: [f64; 6] = [
    -1.0794119649759666,
    -1.2502015214780522,
    -1.5141290809170507,
    -10.059265864135275,
    -4.277744215968386,
    -3.1449383635833152,
];

#[track_caller]
fn assert_all_close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got - want).abs();
        assert!(error <= tolerance, "{i}: got {got}, want {want}, off by {error:e}");
    }
}

/// With exact noise at the start, the flow ends in the mixture itself. A global error of some
/// thousand times the tolerance is usual where the field bends, and log p is as large as 10.
#[test]
fn a_mixture_has_its_density_on_the_linear_and_the_cosine_path() {
    let fields: [&dyn Predictor; 2] =
        [&Mixture(Linear { sigma_min: 0.0 }), &Mixture(Cosine::default())];
    for field in fields {
        let density = dopri5(1e-9).log_prob(field, rows(&POINTS, 2), &PLANE).unwrap();
        assert_all_close(&density.nats, &LOG_DENSITIES, 1e-6);
        assert!(density.std_error.is_none());
    }
}

/// On the variance-preserving path some data is left at `t = 0`: the prior is off by what is
/// documented, and with the exact start density the result is exact.
#[test]
fn the_variance_preserving_path_errs_by_its_prior_and_no_more() {
    let field = Mixture(VariancePreserving::default());
    let density = dopri5(1e-9).log_prob(&field, rows(&POINTS, 2), &PLANE).unwrap();
    assert_all_close(&density.nats, &LOG_DENSITIES, 3.5e-3);
    let largest = density.nats.iter().zip(LOG_DENSITIES).map(|(a, b)| (a - b).abs());
    assert!(largest.fold(0.0, f64::max) > 3e-3);
    let start = host(density.x0.clone());
    let corrected: Vec<f64> = density
        .nats
        .iter()
        .zip(start.chunks(2))
        .map(|(nats, x0)| nats - log_normal(x0, 1.0) + field.log_density(x0, 0.0))
        .collect();
    let end = Predictor::span(&field).1;
    let want: Vec<f64> = POINTS.chunks(2).map(|x1| field.log_density(x1, end)).collect();
    assert_all_close(&corrected, &want, 1e-6);
}

/// As other packages do at this tolerance, in single precision.
#[test]
fn single_precision_reaches_a_few_thousandths_of_a_nat() {
    let x1 = rows(&POINTS, 2).cast(DType::F32);
    let field = Mixture(Linear { sigma_min: 0.0 });
    let density = dopri5(1e-5).log_prob(&field, x1, &PLANE).unwrap();
    assert_all_close(&density.nats, &LOG_DENSITIES, 5e-3);
}

/// Adds when the divergence should be subtracted.
struct SignFlip;

impl Divergence for SignFlip {
    fn estimates(&self) -> usize {
        1
    }

    fn evaluate(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let (velocity, divergence) = PLANE.evaluate(predictor, x, t);
        (velocity, -divergence)
    }
}

#[test]
fn a_divergence_of_the_wrong_sign_is_noticed() {
    let field = Mixture(Linear { sigma_min: 0.0 });
    let density = dopri5(1e-6).log_prob(&field, rows(&POINTS, 2), &SignFlip).unwrap();
    for (got, want) in density.nats.iter().zip(LOG_DENSITIES) {
        assert!((got - want).abs() > 0.5, "{got} is close to {want}");
    }
}

/// `log N(2; 1.5, 0.5^2)` and `log N(2; 1.5, 0.5^2 + 0.1^2)`.
#[test]
fn one_gaussian_has_its_density_with_and_without_noise_left_at_the_data() {
    for (sigma_min, want) in [(0.0, -0.7257913526), (0.1, -0.7261709400)] {
        let field = Exact::new(Gaussian::new(vec![1.5], 0.5), Linear { sigma_min });
        let density = dopri5(1e-9).log_prob(&field, rows(&[2.0], 1), &PLANE).unwrap();
        assert_all_close(&density.nats, &[want], 1e-7);
    }
}

#[test]
fn gaussians_have_their_density_in_1_to_64_dimensions() {
    for dim in [1, 2, 8, 64] {
        let mean: Vec<f64> = (0..dim).map(|i| 0.1 * i as f64 - 1.0).collect();
        let data = Gaussian::new(mean, 0.5);
        let points: Vec<f64> = (0..3 * dim).map(|i| (i as f64 * 0.7).sin() * 2.0).collect();
        let want: Vec<f64> = points.chunks(dim).map(|x| data.log_density(x)).collect();
        let field = Exact::new(data, Linear { sigma_min: 0.0 });
        // A chunk that does not divide 64 or 8.
        let trace = ExactTrace { chunk: 7 };
        let density = dopri5(1e-9).log_prob(&field, rows(&points, dim), &trace).unwrap();
        // The tolerance is relative to log p, as large as 500.
        assert_all_close(&density.nats, &want, 1e-8 * dim as f64 + 1e-7);
    }
}

/// The prior of the variance-exploding path is wide: `N(0, 50^2 I)`.
#[test]
fn every_schedule_is_held_to_its_own_prior() {
    fn check<S: Schedule + Clone + 'static>(schedule: S) {
        let std = schedule.prior_std();
        let data = Gaussian::new(vec![0.5, -0.3], 0.6);
        let field = Exact::new(data, schedule);
        let points = [0.1, 0.4, -0.9, 1.1];
        let density = dopri5(1e-9).log_prob(&field, rows(&points, 2), &PLANE).unwrap();
        let (start, end) = ExactField::span(&field);
        for ((nats, x1), x0) in
            density.nats.iter().zip(points.chunks(2)).zip(host(density.x0.clone()).chunks(2))
        {
            let corrected = nats - log_normal(x0, std) + field.log_density(x0, start);
            let want = field.log_density(x1, end);
            assert!((corrected - want).abs() < 1e-6, "{:?}: {corrected}, {want}", field.schedule);
            // The prior is centred at zero: off by x_0 . mean / 50^2 on the exploding path.
            assert!((nats - want).abs() < 0.1, "{:?}: {nats}, {want}", field.schedule);
        }
    }
    check(Linear { sigma_min: 0.0 });
    check(Cosine::default());
    check(VariancePreserving::default());
    check(VarianceExploding::default());
}

#[test]
fn a_rotation_keeps_the_density_of_the_noise() {
    let field = LinearField(vec![0.0, -3.0, 3.0, 0.0], 2);
    let points = [1.0, 0.5, -2.0, 0.1];
    let density = dopri5(1e-9).log_prob(&field, rows(&points, 2), &PLANE).unwrap();
    let want: Vec<f64> = points.chunks(2).map(|x| log_normal(x, 1.0)).collect();
    assert_all_close(&density.nats, &want, 1e-7);
    // It does move the points.
    assert!((density.x0 - rows(&points, 2)).abs().max().into_scalar::<f64>() > 0.1);
}

/// Centres of square cells of side `h` over `[-half, half]^2`, in single precision.
fn grid(half: f64, h: f64) -> Tensor<2> {
    let n = (2.0 * half / h).round() as usize;
    let centre = |i: usize| (i as f64 + 0.5) * h - half;
    let points: Vec<f64> =
        (0..n * n).flat_map(|cell| [centre(cell % n), centre(cell / n)]).collect();
    rows(&points, 2).cast(DType::F32)
}

fn mass(likelihood: &Likelihood, field: &dyn Predictor, half: f64, h: f64) -> f64 {
    let density = likelihood.log_prob(field, grid(half, h), &PLANE).unwrap();
    density.nats.iter().map(|nats| nats.exp() * h * h).sum()
}

/// The narrowest ridge has a standard deviation of 0.22, so cells of 0.1 add an error below 1e-9,
/// and what lies beyond 5 is below 1e-6.
#[test]
fn the_density_of_a_mixture_integrates_to_one() {
    let total = mass(&dopri5(1e-5), &Mixture(Linear { sigma_min: 0.0 }), 5.0, 0.1);
    assert!((total - 1.0).abs() < 1e-3, "{total}");
}

/// Whatever its weights, a network's flow is a change of variables.
#[test]
fn the_density_of_a_network_integrates_to_one() {
    let device = Device::flex();
    let config = MlpConfig { hidden: 32, depth: 2, time_features: 16, ..Default::default() };
    let points = Signature::of([2]);
    let network = init_seeded(3, &device, |device| config.init(&points, device)).unwrap();
    let field = Trained {
        network: &network,
        condition: Condition::none(),
        schedule: Arc::new(Linear { sigma_min: 0.0 }),
        prediction: Prediction::Velocity,
    };
    let total = mass(&rk4(20), &field, 6.0, 0.1);
    assert!((total - 1.0).abs() < 1e-3, "{total}");
    let x1 = grid(6.0, 2.0);
    let flow = rk4(20).log_prob(&field, x1.clone(), &PLANE).unwrap();
    let still: Vec<f64> = host(x1).chunks(2).map(|x| log_normal(x, 1.0)).collect();
    let change = flow.nats.iter().zip(still).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(change > 0.1, "this network hardly moves anything: {change}");
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let field = Mixture(Linear { sigma_min: 0.0 });
    let device = Device::flex();
    let x1 = rows(&POINTS, 2);
    let nats = |range: std::ops::Range<usize>| {
        let probes = Hutchinson::draw(Probe::Rademacher, 2, 8, range.clone(), 2, &device);
        let x1 = x1.clone().slice(range);
        let density = rk4(20).log_prob(&field, x1.clone(), &probes).unwrap();
        let exact = rk4(20).log_prob(&field, x1, &PLANE).unwrap();
        (density.nats, density.std_error.unwrap(), exact.nats)
    };
    let (whole, part) = (nats(0..6), nats(2..5));
    // The same numbers in sums of another order at most.
    assert_all_close(&part.0, &whole.0[2..5], 1e-12);
    assert_all_close(&part.1, &whole.1[2..5], 1e-12);
    assert_all_close(&part.2, &whole.2[2..5], 1e-12);
}

#[test]
fn a_density_without_a_say_in_the_steps_costs_less() {
    let field = Mixture(Linear { sigma_min: 0.0 });
    let solve =
        |likelihood: Likelihood| likelihood.log_prob(&field, rows(&POINTS, 2), &PLANE).unwrap();
    let joint = solve(dopri5(1e-6));
    let ignored = Tolerance { atol: f64::INFINITY, rtol: 0.0 };
    let alone = solve(dopri5(1e-6).with_tolerance(ignored));
    assert!(alone.nfe < joint.nfe, "{} is not below {}", alone.nfe, joint.nfe);
    assert_all_close(&host(alone.x0), &host(joint.x0), 1e-4);
}

#[test]
fn a_solve_that_leaves_all_bounds_names_the_row() {
    let field = LinearField(vec![-1e200], 1);
    let error = rk4(4).log_prob(&field, rows(&[0.0, 1.0], 1), &PLANE).unwrap_err();
    assert_eq!(error, SampleError::NotFinite { row: 1, t: 0.0 });
}

#[test]
#[should_panic(expected = "expected a velocity computed from x by tensor operations")]
fn a_field_computed_on_the_host_is_refused() {
    let field = Exact::new(Checkerboard::new(4, 4.0), VarianceExploding::default());
    let _ = rk4(1).log_prob(&field, rows(&POINTS, 2), &PLANE);
}
