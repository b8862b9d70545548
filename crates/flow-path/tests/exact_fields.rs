//! Exact fields against differences of their own density, quadrature, and the device.
#![allow(clippy::float_cmp, reason = "infinite densities are compared")]

mod common;

use burn::prelude::*;
use burn::tensor::TensorData;
use common::{assert_close, derivative, integral, rng};
use flow_path::{
    Checkerboard, Cosine, Exact, ExactField, FiniteData, FromDiffusionTime, Gaussian, Linear,
    Mixture, Prediction, Schedule, Target, Times, VarianceExploding, VariancePreserving,
};

fn mixture() -> Mixture {
    let component = |x, y, std| Gaussian::new(vec![x, y], std);
    Mixture::weighted(
        vec![component(-1.0, 0.5, 0.3), component(0.8, -0.2, 0.6), component(0.1, 1.4, 0.15)],
        &[0.5, 0.3, 0.2],
    )
}

fn finite() -> FiniteData {
    FiniteData::new(vec![-1.0, 0.5, 0.8, -0.2, 0.1, 1.4, 0.8, 0.9], 2)
}

fn fields() -> Vec<Box<dyn ExactField>> {
    vec![
        Box::new(Exact::new(Gaussian::new(vec![0.4, -1.0], 0.7), Linear::default())),
        Box::new(Exact::new(mixture(), Linear { sigma_min: 0.05 })),
        Box::new(Exact::new(mixture(), VariancePreserving::default())),
        Box::new(Exact::new(mixture(), VarianceExploding { sigma_max: 5.0, ..Default::default() })),
        // Run from data to noise: the field of the reversed path is its negative at 1 - t.
        Box::new(Exact::new(mixture(), FromDiffusionTime(Linear { sigma_min: 0.2 }))),
        Box::new(Exact::new(finite(), Cosine::default())),
        Box::new(Exact::new(finite(), Linear::default())),
        Box::new(Exact::new(Checkerboard::default(), Linear::default())),
        Box::new(Exact::new(Checkerboard::new(2, 1.5), VariancePreserving::default())),
    ]
}

const POINTS: [[f64; 2]; 4] = [[0.3, -0.4], [-1.2, 0.9], [1.7, 1.1], [-0.2, -2.1]];
const TIMES: [f64; 4] = [0.15, 0.4, 0.7, 0.85];

fn moved(x: [f64; 2], axis: usize, to: f64) -> [f64; 2] {
    let mut x = x;
    x[axis] = to;
    x
}

/// Time derivative of the density plus the divergence of the flux `p u`, relative to the density.
fn continuity_residual(field: &dyn ExactField, x: [f64; 2], t: f64, sign: f64) -> f64 {
    let density = |x: &[f64], t: f64| field.log_density(x, t).exp();
    let flux = |axis: usize| {
        let along = |y: f64| {
            let x = moved(x, axis, y);
            sign * density(&x, t) * field.velocity(&x, t)[axis]
        };
        derivative(along, x[axis], 1e-3)
    };
    (derivative(|t| density(&x, t), t, 1e-3) + flux(0) + flux(1)) / density(&x, t).max(1e-3)
}

#[test]
fn densities_and_velocities_satisfy_the_continuity_equation() {
    // Fourth order at h = 1e-3: h^4 = 1e-12 times fifth derivatives of order 1e5 at the late times.
    for field in fields() {
        for x in POINTS {
            for t in [0.15, 0.4, 0.7] {
                let residual = continuity_residual(&*field, x, t, 1.0);
                assert!(residual.abs() < 1e-6, "{field:?} at {x:?}, {t}: {residual:e}");
            }
        }
    }
}

#[test]
fn a_velocity_of_the_wrong_sign_breaks_the_continuity_equation() {
    for field in fields() {
        let worst = |t: f64| {
            POINTS
                .map(|x| continuity_residual(&*field, x, t, -1.0).abs())
                .into_iter()
                .fold(0.0, f64::max)
        };
        assert!(worst(0.4) > 0.1, "{field:?}: {}", worst(0.4));
    }
}

#[test]
fn a_rotation_of_centred_data_is_another_velocity_of_the_same_path() {
    // The rotation (-y, x) is free of divergence and follows the level sets of a centred Gaussian.
    let field = Exact::new(Gaussian::new(vec![0.0, 0.0], 0.7), Linear::default());
    for [x, y] in POINTS {
        let density = |x: f64, y: f64| field.log_density(&[x, y], 0.4).exp();
        let flux = derivative(|x| -y * density(x, y), x, 1e-3)
            + derivative(|y| x * density(x, y), y, 1e-3);
        assert_close(flux, 0.0, 1e-9);
    }
}

#[test]
fn the_score_is_the_gradient_of_the_log_density() {
    for field in fields() {
        for x in POINTS {
            for t in TIMES {
                for (axis, score) in field.score(&x, t).into_iter().enumerate() {
                    let along = |y: f64| field.log_density(&moved(x, axis, y), t);
                    assert_close(score, derivative(along, x[axis], 1e-3), 1e-6);
                }
            }
        }
    }
}

#[test]
fn the_divergence_is_the_trace_of_the_jacobian() {
    for field in fields() {
        for x in POINTS {
            for t in TIMES {
                let partial = |axis: usize| {
                    let along = |y: f64| field.velocity(&moved(x, axis, y), t)[axis];
                    derivative(along, x[axis], 1e-3)
                };
                assert_close(field.divergence(&x, t), partial(0) + partial(1), 1e-5);
            }
        }
    }
}

#[test]
fn posterior_means_of_data_and_noise_make_up_the_point() {
    let schedule = VariancePreserving::default();
    let field = Exact::new(mixture(), schedule);
    for x in POINTS {
        for t in TIMES {
            let (m, c) = (field.marginal(&x, t), schedule.at(t));
            for (axis, x) in x.into_iter().enumerate() {
                assert_close(c.alpha * m.data[axis] + c.sigma * m.noise[axis], x, 1e-12);
                assert_close(m.score[axis], -m.noise[axis] / c.sigma, 1e-10);
                let velocity = c.velocity(m.noise[axis], m.data[axis]);
                assert_close(m.velocity[axis], velocity, 1e-12);
            }
        }
    }
}

#[test]
fn velocity_variance_of_points_is_that_of_the_responsibilities() {
    // A mixture of Gaussians of no width is a finite data set, computed by another formula.
    let points = vec![vec![-1.0, 0.5], vec![0.8, -0.2], vec![0.1, 1.4], vec![0.8, 0.9]];
    let narrow = Mixture::uniform(points.into_iter().map(|m| Gaussian::new(m, 0.0)).collect());
    for x in POINTS {
        for t in TIMES {
            let a = Exact::new(finite(), Linear::default()).marginal(&x, t);
            let b = Exact::new(narrow.clone(), Linear::default()).marginal(&x, t);
            assert_close(a.velocity_variance, b.velocity_variance, 1e-10);
            assert_close(a.divergence, b.divergence, 1e-10);
            assert_close(a.log_density, b.log_density, 1e-12);
        }
    }
}

#[test]
fn the_marginal_density_is_a_histogram_of_mixed_pairs() {
    // 40,000 draws in 20 bins: chi-square with 19 degrees exceeds 50 once in 10,000 seeds.
    let (t, n) = (0.6, 40_000);
    let data =
        Mixture::uniform(vec![Gaussian::new(vec![-1.0], 0.2), Gaussian::new(vec![1.0], 0.4)]);
    let field = Exact::new(data, Linear { sigma_min: 0.1 });
    let c = field.schedule.at(t);
    let mut rng = rng(11);
    let x1 = ExactField::sample(&field, n, &mut rng);
    let x0 = Gaussian::new(vec![0.0], 1.0).sample(n, &mut rng);
    let mut counts = [0u32; 20];
    for (x0, x1) in x0.iter().zip(&x1) {
        let x = c.alpha * x1 + c.sigma * x0;
        counts[((x + 2.0) / 0.2).clamp(0.0, 19.0) as usize] += 1;
    }
    let chi_square: f64 = (0..20)
        .map(|k| {
            let edge = |k: usize| match k {
                0 => -9.0,
                20 => 9.0,
                _ => 0.2 * k as f64 - 2.0,
            };
            let density = |x: f64| field.log_density(&[x], t).exp();
            let expected = n as f64 * integral(density, edge(k), edge(k + 1), 200);
            (f64::from(counts[k]) - expected).powi(2) / expected
        })
        .sum();
    assert!(chi_square < 50.0, "chi-square {chi_square}");
}

#[test]
fn the_gaussian_flow_follows_its_velocity() {
    let gaussian = Gaussian::new(vec![1.5], 0.5);
    for schedule in [&Linear::default() as &dyn Schedule, &VariancePreserving::default()] {
        let field = Exact::new(gaussian.clone(), schedule);
        let (start, x0) = (schedule.at(0.0), -0.8);
        let flow = |t: f64| gaussian.transport(&[x0], &start, &schedule.at(t))[0];
        for t in TIMES {
            assert_close(field.velocity(&[flow(t)], t)[0], derivative(flow, t, 1e-4), 1e-9);
        }
    }
}

/// The square of a board by error functions, one coordinate at a time: `(mass, mean)`.
fn interval_by_erf(x: f64, low: f64, high: f64, alpha: f64, sigma: f64) -> (f64, f64) {
    let (a, b) = ((alpha * low - x) / sigma, (alpha * high - x) / sigma);
    let cdf = |z: f64| 0.5 * libm::erfc(-z / 2.0f64.sqrt());
    let pdf = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let mass = cdf(b) - cdf(a);
    (mass / alpha, (x + sigma * (pdf(a) - pdf(b)) / mass) / alpha)
}

#[test]
fn the_checkerboard_agrees_with_error_functions() {
    let board = Checkerboard::new(2, 1.0);
    for (x, alpha, sigma) in
        [([0.2, -0.3], 0.5, 0.5), ([1.4, 0.9], 0.8, 0.3), ([0.0, 0.1], 0.3, 0.9)]
    {
        let c = flow_path::Coefficients { alpha, sigma, d_alpha: 1.0, d_sigma: -1.0 };
        let squares = [[(-1.0, 0.0); 2], [(0.0, 1.0); 2]].map(|square| {
            let along = |k: usize| interval_by_erf(x[k], square[k].0, square[k].1, alpha, sigma);
            let (first, second) = (along(0), along(1));
            (0.5 * first.0 * second.0, first.1)
        });
        let density: f64 = squares.iter().map(|(mass, _)| mass).sum();
        let mean = squares.iter().map(|(mass, mean)| mass * mean).sum::<f64>() / density;
        let got = board.marginal(&x, &c);
        assert_close(got.log_density, density.ln(), 1e-12);
        assert_close(got.data[0], mean, 1e-12);
    }
}

#[test]
fn the_checkerboard_is_finite_far_away_and_at_either_end() {
    let field = Exact::new(Checkerboard::default(), Linear::default());
    for x in [[0.1, 0.2], [50.0, -30.0], [4.0, 4.0]] {
        for t in [0.0, 1e-9, 0.5, 0.999, field.span().1] {
            let m = field.marginal(&x, t);
            let all = [m.log_density, m.divergence, m.velocity_variance, m.velocity[0], m.score[1]];
            assert!(all.iter().all(|v| v.is_finite()), "at {x:?}, {t}: {m:?}");
        }
    }
    // At the noise end the posterior is the data itself, centred.
    assert_close(field.posterior_mean(&[0.7, -0.2], 0.0)[0], 0.0, 1e-12);
}

#[test]
fn samples_fall_on_their_support_with_its_moments() {
    let mut rng = rng(3);
    let board = Checkerboard::default();
    let rows = board.sample(2000, &mut rng);
    assert!(rows.chunks(2).all(|row| board.contains(row)));
    let fraction = rows.chunks(2).filter(|row| row[0] < 0.0).count() as f64 / 2000.0;
    // Binomial standard error 0.011.
    assert!((fraction - 0.5).abs() < 0.05, "{fraction}");
    let ring = Mixture::ring(6, 1.0, 0.05).sample(3000, &mut rng);
    let radius = ring.chunks(2).map(|r| r[0].hypot(r[1])).sum::<f64>() / 3000.0;
    assert_close(radius, 1.0, 0.01);
}

#[test]
fn the_device_agrees_with_the_host_for_every_target() {
    let device = Device::flex();
    let targets: Vec<Box<dyn Target>> = vec![
        Box::new(Gaussian::new(vec![0.4, -1.0], 0.7)),
        Box::new(mixture()),
        Box::new(finite()),
        Box::new(Checkerboard::default()),
    ];
    let t = Times::new(TIMES.to_vec());
    let schedule = VariancePreserving::default();
    let points: Vec<f64> = POINTS.iter().flatten().copied().collect();
    let x = || Tensor::<2>::from_data(TensorData::new(points.clone(), [4, 2]), &device);
    for target in targets {
        let name = format!("{target:?}");
        let c: Vec<_> = t.iter().map(|t| schedule.at(t)).collect();
        let (data, noise) = target.posterior_means(x(), &c);
        let read = |x: Tensor<2>| x.into_data().convert::<f64>().try_into_vec::<f64>().unwrap();
        let (data, noise) = (read(data), read(noise));
        for (k, point) in POINTS.iter().enumerate() {
            let m = target.marginal(point, &c[k]);
            for axis in 0..2 {
                // Single precision; the noise divides differences of order one by sigma > 0.3.
                assert!((data[2 * k + axis] - m.data[axis]).abs() < 2e-5, "data of {name}");
                assert!((noise[2 * k + axis] - m.noise[axis]).abs() < 2e-5, "noise of {name}");
            }
        }
    }
}

#[test]
fn an_exact_field_predicts_as_a_network_would() {
    let device = Device::flex();
    let field = Exact::new(mixture(), Linear::default());
    let points: Vec<f64> = POINTS.iter().flatten().copied().collect();
    // Images of shape [1, 2, 1] hold two numbers as well.
    let x = Tensor::<4>::from_data(TensorData::new(points, [4, 1, 2, 1]), &device);
    let velocity = field.predict(Prediction::Velocity, x, &Times::new(TIMES.to_vec()));
    assert_eq!(velocity.dims(), [4, 1, 2, 1]);
    let velocity = velocity.into_data().convert::<f64>().try_into_vec::<f64>().unwrap();
    for (k, (point, t)) in POINTS.iter().zip(TIMES).enumerate() {
        assert_close(velocity[2 * k], field.velocity(point, t)[0], 1e-5);
    }
}

#[test]
fn pure_noise_on_an_axis_of_the_board_knows_as_much_as_beside_it() {
    // At t = 0 the posterior is the data's law whatever x; at t = 1e-9 means differ by about 1e-8.
    let schedules: [Box<dyn Schedule>; 4] = [
        Box::new(Linear::default()),
        Box::new(Cosine::default()),
        Box::new(flow_path::NicholDhariwal::default()),
        Box::new(flow_path::Polynomial::default()),
    ];
    for schedule in schedules {
        let field = Exact::new(Checkerboard::default(), schedule);
        for x in [[0.0, 0.7], [0.7, 0.0], [0.0, 0.0], [-0.0, 1.0]] {
            let (at, near) = (field.marginal(&x, 0.0), field.marginal(&x, 1e-9));
            assert_close(at.log_density, near.log_density, 1e-7);
            assert_close(at.velocity_variance, near.velocity_variance, 1e-6);
            for k in 0..2 {
                assert_close(at.data[k], near.data[k], 1e-7);
                assert_close(at.velocity[k], near.velocity[k], 1e-6);
            }
        }
    }
    let linear = Exact::new(Checkerboard::default(), Linear::default());
    let velocity = linear.velocity(&[0.0, 0.7], 0.0);
    assert_close(velocity[0], 0.0, 1e-12);
    assert_close(velocity[1], -0.7, 1e-12);
}

#[test]
fn far_from_the_board_its_nearest_corner_is_what_is_left() {
    let field = Exact::new(Checkerboard::default(), Linear::default());
    let corner = |far: f64| field.posterior_mean(&[far, far], 0.5);
    for far in [1e3, 1e8] {
        // The square at (4, 4) is dark.
        assert!(corner(far).iter().all(|x| (x - 4.0).abs() < 0.01), "{far}: {:?}", corner(far));
    }
    // Farther away log-likelihoods of 1e40 and more no longer tell squares apart.
    for far in [1e20, 1e38] {
        assert!(corner(far).iter().all(|x| x.abs() <= 4.0), "{far}: {:?}", corner(far));
    }
}

#[test]
fn an_atom_has_infinite_density_at_itself_alone() {
    let atom = Gaussian::new(vec![1.0, 2.0], 0.0);
    assert_eq!(atom.log_density(&[1.0, 2.0]), f64::INFINITY);
    assert_eq!(atom.log_density(&[1.0, 2.5]), f64::NEG_INFINITY);
    let beside = Gaussian::new(vec![0.0, 0.0], 1.0);
    let mixture = flow_path::Mixture::uniform(vec![atom, beside]);
    assert_eq!(mixture.log_density(&[1.0, 2.0]), f64::INFINITY);
    // Half of a normal density at a squared distance of 5.
    let half_normal = -0.5f64 * 5.0 - (2.0 * std::f64::consts::PI).ln() - 2f64.ln();
    assert_close(mixture.log_density(&[1.0, 2.0 - 4.0]), half_normal, 1e-12);
}
