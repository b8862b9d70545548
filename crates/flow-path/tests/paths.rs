//! Paths on tensors: affine samples, general latents, bridges.

mod common;

use burn::prelude::*;
use burn::tensor::{DType, TensorData};
use common::{all_schedules, assert_close, derivative, rng};
use flow_path::{
    AffinePath, ConditionalPath, Exact, ExactField, FiniteData, Gaussian, Linear, Moments,
    PairTube, ProbabilityPath, Schedule, SchrodingerBridge, Target, Times,
};

/// A column of numbers in double precision.
fn column(values: &[f64]) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len(), 1]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn read<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().try_into_vec().expect("a tensor in double precision")
}

const X0: [f64; 3] = [0.4, -1.3, 0.9];
const X1: [f64; 3] = [-1.0, 0.2, 1.1];

#[test]
fn an_affine_sample_mixes_each_pair_at_its_own_time() {
    let t = Times::new(vec![0.1, 0.5, 0.9]);
    for schedule in all_schedules() {
        let sample = AffinePath::new(&schedule).sample(column(&X0), column(&X1), &t);
        let (x_t, dx_t) = (read(sample.x_t), read(sample.dx_t));
        for (k, t) in t.iter().enumerate() {
            let c = schedule.at(t);
            assert_close(x_t[k], c.alpha * X1[k] + c.sigma * X0[k], 1e-14);
            assert_close(dx_t[k], c.velocity(X0[k], X1[k]), 1e-14);
        }
    }
}

#[test]
fn images_keep_their_shape() {
    let device = Device::flex();
    let x = Tensor::<4>::ones([2, 3, 4, 4], &device);
    let sample = AffinePath::new(Linear::default()).sample(x.clone(), x, &vec![0.3, 0.6].into());
    assert_eq!(sample.x_t.dims(), [2, 3, 4, 4]);
    let error: f32 = (sample.x_t - 1.0).abs().max().into_scalar();
    assert!(error < 1e-6, "{error}");
}

#[test]
#[should_panic(expected = "expected one time per sample (3), got 2")]
fn a_missing_time_is_a_programmer_error() {
    let times = Times::new(vec![0.1, 0.2]);
    let _ = AffinePath::new(Linear::default()).sample(column(&X0), column(&X1), &times);
}

#[test]
fn times_map_into_a_span_and_reach_the_device() {
    let t = Times::new(vec![0.0, 0.5, 1.0]).scaled_to((0.2, 0.8));
    assert_eq!(t.to_tensor(&Device::flex()).dims(), [3]);
    for (got, want) in t.iter().zip([0.2, 0.5, 0.8]) {
        assert_close(got, want, 1e-15);
    }
}

/// A latent of our own: a data point that knows how blurred it is.
struct Blurred {
    x1: Tensor<2>,
    width: Vec<f64>,
}

/// Straight paths to blurred points: mean `t x_1`, standard deviation from 1 to the point's width.
struct ToBlurred;

impl ConditionalPath<Blurred, 2> for ToBlurred {
    fn moments(&self, z: &Blurred, t: &Times) -> Moments<2> {
        let at = |(t, width): (f64, &f64)| (1.0 - t) + width * t;
        Moments {
            mean: t.column(&z.x1, |t| t) * z.x1.clone(),
            d_mean: z.x1.clone(),
            std: t.iter().zip(&z.width).map(at).collect(),
            d_std: z.width.iter().map(|w| w - 1.0).collect(),
        }
    }
}

/// Density and velocity of the mixture over latents at one point, from the conditional ones.
fn marginal<Z>(path: &impl ConditionalPath<Z, 2>, z: &Z, n: usize, x: f64, t: f64) -> (f64, f64) {
    let (points, times) = (column(&vec![x; n]), Times::constant(t, n));
    let densities = read(path.log_density(points.clone(), z, &times));
    let velocities = read(path.velocity(points, z, &times));
    let weights: Vec<f64> = densities.iter().map(|l| l.exp() / n as f64).collect();
    let density: f64 = weights.iter().sum();
    let flux: f64 = weights.iter().zip(velocities).map(|(w, u)| w * u).sum();
    (density, flux / density)
}

fn continuity_residual<Z>(
    path: &impl ConditionalPath<Z, 2>,
    z: &Z,
    x: f64,
    t: f64,
    sign: f64,
) -> f64 {
    let density = |x: f64, t: f64| marginal(path, z, X1.len(), x, t).0;
    let flux = |x: f64| {
        let (density, velocity) = marginal(path, z, X1.len(), x, t);
        sign * density * velocity
    };
    derivative(|t| density(x, t), t, 1e-3) + derivative(flux, x, 1e-3)
}

fn check_generates<Z>(path: &impl ConditionalPath<Z, 2>, z: &Z) {
    let mut control: f64 = 0.0;
    for (x, t) in [(0.3, 0.25), (-0.8, 0.5), (0.9, 0.7)] {
        // Fourth-order differences with h = 1e-3.
        let residual = continuity_residual(path, z, x, t, 1.0);
        assert!(residual.abs() < 1e-6, "at {x}, {t}: {residual:e}");
        control = control.max(continuity_residual(path, z, x, t, -1.0).abs());
    }
    assert!(0.05 < control, "the wrong sign must not satisfy the continuity equation: {control}");
}

#[test]
fn averaging_over_any_latent_generates_the_mixture() {
    check_generates(&AffinePath::new(Linear { sigma_min: 0.1 }), &column(&X1));
    let pair = (column(&X0), column(&X1));
    check_generates(&PairTube { sigma: 0.3 }, &pair);
    check_generates(&SchrodingerBridge { sigma: 0.8 }, &pair);
    check_generates(&ToBlurred, &Blurred { x1: column(&X1), width: vec![0.1, 0.3, 0.5] });
}

#[test]
fn conditioning_on_data_agrees_with_the_exact_field() {
    let field = Exact::new(FiniteData::new(X1.to_vec(), 1), Linear::default());
    let path = AffinePath::new(Linear::default());
    for (x, t) in [(0.3, 0.25), (-0.8, 0.5), (0.9, 0.95)] {
        let (density, velocity) = marginal(&path, &column(&X1), X1.len(), x, t);
        assert_close(density.ln(), field.log_density(&[x], t), 1e-12);
        assert_close(velocity, field.velocity(&[x], t)[0], 1e-12);
    }
}

#[test]
fn conditional_and_marginal_regression_have_the_same_gradient() {
    // sum_k q_k p_t(x | x_k)(v - u_k) = p_t(x)(v - u_t(x)) for every v, at every point.
    let mut rng = rng(5);
    let points = Gaussian::new(vec![0.0], 1.0).sample(6, &mut rng);
    for schedule in all_schedules() {
        let field = Exact::new(FiniteData::new(points.clone(), 1), &schedule);
        for (x, t, v) in [(0.3, 0.2, 1.7), (-1.1, 0.5, -0.3), (0.2, 0.8, 4.0)] {
            let c = schedule.at(t);
            let terms = points.iter().map(|x1| {
                let density = (-0.5 * ((x - c.alpha * x1) / c.sigma).powi(2)).exp();
                let density = density / (c.sigma * (2.0 * std::f64::consts::PI).sqrt());
                density / points.len() as f64 * (v - c.conditional_velocity(x, *x1))
            });
            let conditional: f64 = terms.sum();
            let marginal = field.log_density(&[x], t).exp() * (v - field.velocity(&[x], t)[0]);
            assert_close(conditional, marginal, 1e-12);
        }
    }
}

#[test]
fn sampled_points_move_with_the_conditional_velocity() {
    let t = Times::new(vec![0.2, 0.5, 0.7]);
    let pair = (column(&X0), column(&X1));
    let noise = column(&[0.7, -0.2, 1.5]);
    let bridge = SchrodingerBridge { sigma: 0.8 };
    let sample = bridge.sample_given(&pair, noise.clone(), &t);
    let velocity = read(bridge.velocity(sample.x_t.clone(), &pair, &t));
    let score = read(bridge.score(sample.x_t, &pair, &t));
    for (k, dx) in read(sample.dx_t).into_iter().enumerate() {
        assert_close(velocity[k], dx, 1e-12);
        // score_factor times the score is -2 noise / sigma^2: bounded at both ends.
        let target = -2.0 * read(noise.clone())[k] / 0.64;
        assert_close(bridge.score_factor(t.as_slice()[k]) * score[k], target, 1e-12);
    }
}

#[test]
fn a_tube_of_no_width_is_the_linear_path() {
    let t = Times::new(vec![0.2, 0.5, 0.7]);
    let tube = PairTube { sigma: 0.0 };
    let by_tube = tube.sample_given(&(column(&X0), column(&X1)), column(&[9.0; 3]), &t);
    let by_path = AffinePath::new(Linear::default()).sample(column(&X0), column(&X1), &t);
    for (a, b) in read(by_tube.x_t).iter().zip(read(by_path.x_t)) {
        assert_close(*a, b, 1e-14);
    }
    for (a, b) in read(by_tube.dx_t).iter().zip(read(by_path.dx_t)) {
        assert_close(*a, b, 1e-14);
    }
}

#[test]
fn a_bridge_is_pinned_at_both_ends() {
    let bridge = SchrodingerBridge { sigma: 2.0 };
    let z = (column(&X0), column(&X1));
    let moments = bridge.moments(&z, &Times::new(vec![0.0, 0.5, 1.0]));
    assert_eq!(moments.std, [0.0, 1.0, 0.0]);
    let mean = read(moments.mean);
    assert_eq!((mean[0], mean[2]), (X0[0], X1[2]));
}

#[test]
fn the_span_of_the_data_is_not_singular_for_smooth_densities() {
    let smooth = Exact::new(Gaussian::new(vec![0.0], 1.0), Linear::default());
    let points = Exact::new(FiniteData::new(vec![0.0], 1), Linear::default());
    assert_eq!(smooth.span(), (0.0, 1.0));
    assert!(points.span().1 < 1.0 && Linear::default().at(points.span().1).sigma > 0.0);
}
