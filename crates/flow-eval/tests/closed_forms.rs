//! Values that are known without computing them.

mod common;

use std::f64::consts::PI;

use common::{assert_close, normal, points, shifted};
use flow_eval::{
    Kernel, Moments, Score, Trajectories, energy_distance, frechet_between, inception_score,
    max_sliced_wasserstein, mean_log_density, mmd, noise_residual, parzen_log_likelihood,
    path_energy, path_length_ratio, psnr, sliced_wasserstein, ssim, straightness, wasserstein_1d,
    wasserstein_assignment,
};

/// Within five standard errors: a right answer fails for one seed in 1.7 million.
#[track_caller]
fn assert_within_five_errors(score: &Score, expected: f64) {
    let error = (score.value - expected) / score.std_error.expect("the score has an error");
    assert!(error.abs() < 5.0, "{score}: {error} standard errors from {expected}");
}

#[test]
fn a_shift_and_a_scale_cost_what_the_monotone_map_costs() {
    let x = normal(500, 1, 0);
    let y: Vec<f32> = x.iter().map(|x| 3.0 * x + 0.5).collect();
    // x -> 3 x + 0.5 is increasing, hence optimal, and moves x by 2 x + 0.5.
    let mean_square = |f: fn(f64) -> f64| {
        (x.iter().map(|&x| f(f64::from(x)).powi(2)).sum::<f64>() / x.len() as f64).sqrt()
    };
    // The images are rounded to f32, to about 1e-7.
    let expected = mean_square(|x| 2.0 * x + 0.5);
    assert_close(wasserstein_1d(&x, &y, 2.0).unwrap().value, expected, 1e-6);
}

#[test]
fn a_gradient_map_of_a_convex_function_is_the_optimal_assignment() {
    // Brenier: x -> A x + m with A symmetric positive definite is optimal for its images.
    let x = normal(300, 2, 1);
    let map = |x: &[f32]| [1.5 * x[0] + 0.5 * x[1] + 1.0, 0.5 * x[0] + 0.75 * x[1] - 2.0];
    let y: Vec<f32> = x.chunks_exact(2).flat_map(map).collect();
    let square = |(x, y): (&f32, &f32)| f64::from(y - x).powi(2);
    let expected = (x.iter().zip(&y).map(square).sum::<f64>() / 300.0).sqrt();
    let score = wasserstein_assignment(points(&x, 2), points(&y, 2)).unwrap();
    // Displacements rounded to f32.
    assert_close(score.value, expected, 1e-6);
}

#[test]
fn a_shift_by_s_is_seen_as_s_over_root_dim_on_average_and_as_s_at_most() {
    let x = normal(200, 4, 2);
    let y = shifted(&x, 1.0);
    let (x, y) = (points(&x, 4), points(&y, 4));
    // |s| = 2 for a shift by 1 in each of 4 dimensions.
    assert_within_five_errors(&sliced_wasserstein(x, y, 4000, 3).unwrap(), 1.0);
    // At the top the height is quadratic in the direction: steps of 1e-4 leave about 1e-8.
    assert_close(max_sliced_wasserstein(x, y, 50, 3).unwrap().value, 2.0, 1e-5);
}

#[test]
fn energy_distance_of_two_gaussians_is_their_closed_form() {
    let (x, y) = (normal(4000, 1, 4), shifted(&normal(4000, 1, 5), 1.0));
    // 2 E|N(1, 2)| - 2 E|N(0, 2)| = 0.5418...
    let score = energy_distance(points(&x, 1), points(&y, 1)).unwrap();
    assert_within_five_errors(&score, 0.541_806_579_306);
}

#[test]
fn mmd_of_two_gaussians_is_its_closed_form() {
    let (x, y) = (normal(4000, 1, 6), shifted(&normal(4000, 1, 7), 1.0));
    // E k(X, Y) = s / sqrt(s^2 + 2) exp(-d^2 / (2 (s^2 + 2))) for unit Gaussians at distance d.
    let mean_kernel =
        |s: f64, d: f64| s / (s * s + 2.0).sqrt() * (-0.5 * d * d / (s * s + 2.0)).exp();
    let distance = |s| 2.0 * (mean_kernel(s, 0.0) - mean_kernel(s, 1.0));
    let kernel = Kernel::Gaussian { bandwidths: vec![0.5, 2.0] };
    let score = mmd(points(&x, 1), points(&y, 1), &kernel).unwrap();
    assert_within_five_errors(&score, 0.5 * (distance(0.5) + distance(2.0)));
}

#[test]
fn mmd_of_the_linear_kernel_is_the_squared_distance_of_the_means() {
    let (x, y) = (normal(4000, 2, 8), shifted(&normal(4000, 2, 9), 1.0));
    let score = mmd(points(&x, 2), points(&y, 2), &Kernel::Polynomial { degree: 1 }).unwrap();
    // |(1, 1)|^2 / dim = 1.
    assert_within_five_errors(&score, 1.0);
}

#[test]
fn frechet_distance_of_commuting_gaussians_compares_standard_deviations() {
    // Both covariances are diagonal in the axes turned by 30 degrees: 4 and 1, against 9 and 0.25.
    let (c, s) = (PI / 6.0).sin_cos();
    let turned = |p: f64, q: f64| {
        let off = c * s * (p - q);
        [c * c * p + s * s * q, off, off, s * s * p + c * c * q]
    };
    let a = Moments::from_parts(100, &[0.0, 0.0], &turned(4.0, 1.0)).unwrap();
    let b = Moments::from_parts(100, &[3.0, 4.0], &turned(9.0, 0.25)).unwrap();
    let expected = 25.0 + (3.0_f64 - 2.0).powi(2) + (1.0_f64 - 0.5).powi(2);
    assert_close(frechet_between(&a, &b).unwrap().value, expected, 1e-12);
}

#[test]
fn frechet_distance_of_flat_gaussians_at_right_angles_is_the_sum_of_their_variances() {
    // Turned by 30 degrees, so that the product of the covariances is rounding alone.
    let (c, s) = (PI / 6.0).sin_cos();
    let a = Moments::from_parts(100, &[0.0, 0.0], &[c * c, c * s, c * s, s * s]).unwrap();
    let b = Moments::from_parts(100, &[0.0, 0.0], &[s * s, -c * s, -c * s, c * c]).unwrap();
    // The root of a rounding error of 1e-16.
    assert_close(frechet_between(&a, &b).unwrap().value, 2.0, 1e-7);
}

#[test]
fn frechet_distance_of_fewer_points_than_dimensions_to_themselves_is_zero() {
    let x = Moments::of(points(&normal(10, 40, 10), 40));
    // 31 eigenvalues that should be 0 are off by 1e-16 of the greatest, 10 or so, before the root.
    assert_close(frechet_between(&x, &x).unwrap().value, 0.0, 1e-5);
}

#[test]
fn inception_score_lies_between_one_and_the_number_of_classes() {
    let balanced = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert_close(inception_score(points(&balanced, 3)).unwrap().value, 3.0, 1e-12);
    let unsure = [0.25; 12];
    assert_close(inception_score(points(&unsure, 4)).unwrap().value, 1.0, 1e-12);
}

#[test]
fn psnr_of_a_constant_error_is_the_ratio_in_decibels() {
    let (image, off) = ([0.25; 64], [0.375; 64]);
    let score = psnr(points(&image, 32), points(&off, 32), 2.0).unwrap();
    assert_close(score.value, 20.0 * (2.0_f64 / 0.125).log10(), 1e-12);
    let same = psnr(points(&image, 32), points(&image, 32), 2.0).unwrap();
    assert!(same.value.is_infinite() && same.std_error.is_none(), "{same}");
}

#[test]
fn ssim_of_flat_images_compares_their_luminance() {
    let (image, other) = ([0.5; 144], [0.25; 144]);
    let score = ssim(points(&image, 144), points(&other, 144), [1, 12, 12], 1.0).unwrap();
    let c1 = 0.01 * 0.01;
    assert_close(score.value, (2.0 * 0.125 + c1) / (0.25 + 0.0625 + c1), 1e-12);
    let score = ssim(points(&image, 144), points(&image, 144), [1, 12, 12], 1.0).unwrap();
    assert_close(score.value, 1.0, 1e-12);
}

fn log_normal(x: &[f32], variance: f64) -> f64 {
    let square: f64 = x.iter().map(|&x| f64::from(x).powi(2)).sum();
    -0.5 * (square / variance + x.len() as f64 * (2.0 * PI * variance).ln())
}

#[test]
fn parzen_density_of_one_sample_is_its_kernel() {
    let held_out = normal(20, 3, 11);
    let held_out = points(&held_out, 3);
    let score = parzen_log_likelihood(points(&[0.0; 3], 3), held_out, 0.5).unwrap();
    let expected = mean_log_density(held_out, |x| log_normal(x, 0.25)).unwrap();
    assert_close(score.value, expected.value, 1e-12);
}

#[test]
fn parzen_density_far_from_all_samples_does_not_underflow() {
    let score = parzen_log_likelihood(points(&[0.0, 1.0], 1), points(&[1000.0], 1), 0.1).unwrap();
    // The nearer sample, at 999, is half the density: -999^2 / 0.02 - ln 2 - ln(0.1 sqrt(2 pi)).
    let expected = -999.0 * 999.0 / 0.02 - 2.0_f64.ln() - (0.1 * (2.0 * PI).sqrt()).ln();
    assert_close(score.value, expected, 1e-6);
}

#[test]
fn log_density_of_samples_of_the_target_is_minus_its_entropy() {
    let x = normal(20_000, 2, 12);
    let score = mean_log_density(points(&x, 2), |x| log_normal(x, 1.0)).unwrap();
    assert_within_five_errors(&score, -(2.0 * PI).ln() - 1.0);
}

/// States of the points `x(s)` for each start, at `steps + 1` equal times in `[0, 1]`.
fn follow(steps: u16, x: impl Fn(f64) -> [f64; 2]) -> (Vec<f64>, Vec<[f32; 2]>) {
    let times: Vec<f64> = (0..=steps).map(|k| f64::from(k) / f64::from(steps)).collect();
    let states = times.iter().map(|&t| x(t).map(|x| x as f32)).collect();
    (times, states)
}

#[test]
fn a_half_circle_has_the_length_and_energy_of_its_polygon() {
    let (times, states) = follow(100, |t| [(PI * t).cos(), (PI * t).sin()]);
    let arc = Trajectories::new(&times, &states, 2).unwrap();
    // 100 chords of 2 sin(pi / 200), across a diameter of 2; states are rounded to f32.
    let chord = 2.0 * (PI / 200.0).sin();
    assert_close(path_length_ratio(&arc).unwrap().value, 100.0 * chord / 2.0, 1e-5);
    assert_close(path_energy(&arc).value, 100.0 * 100.0 * chord * chord, 1e-4);
    assert_close(straightness(&arc).value, 100.0 * 100.0 * chord * chord - 4.0, 1e-4);
}

#[test]
fn a_straight_line_at_changing_speed_is_short_but_not_straight() {
    let (times, states) = follow(200, |t| [t * t, 0.0]);
    let line = Trajectories::new(&times, &states, 2).unwrap();
    assert_close(path_length_ratio(&line).unwrap().value, 1.0, 1e-6);
    // integral (2 t)^2 - 1 = 1/3, less 1 / (3 steps^2) for the steps.
    assert_close(straightness(&line).value, 1.0 / 3.0, 1e-4);
}

#[test]
fn a_straight_line_at_constant_speed_is_straight_on_any_times() {
    let times = [0.25, 0.5, 0.625, 1.25];
    let states = times.map(|t| [(4.0 * t) as f32, (-8.0 * t) as f32]);
    let line = Trajectories::new(&times, &states, 2).unwrap();
    assert_close(straightness(&line).value, 0.0, 1e-12);
    assert_close(path_energy(&line).value, 80.0, 1e-12);
    let residual = noise_residual(&line).unwrap();
    for (time, left) in times.iter().zip(residual) {
        assert_close(left, 1.25 - time, 1e-12);
    }
}

#[test]
fn moments_do_not_depend_on_how_the_points_arrive() {
    // An offset of 1,000 with a spread of 1: a sum of squares in one pass would lose six digits.
    let rows = shifted(&normal(2000, 3, 13), 1000.0);
    let all = Moments::of(points(&rows, 3));
    let mut streamed = Moments::new(3);
    for row in rows.chunks(3 * 7) {
        streamed.push(points(row, 3));
    }
    let mut merged = Moments::new(3);
    merged.merge(&Moments::of(points(&rows[..900], 3)));
    merged.merge(&Moments::of(points(&rows[900..], 3)));
    for other in [streamed, merged] {
        assert_eq!(other.n(), all.n());
        for (x, y) in other.covariance().unwrap().iter().zip(all.covariance().unwrap()) {
            assert_close(*x, y, 1e-12);
        }
        for (x, y) in other.mean().iter().zip(all.mean()) {
            assert_close(*x, *y, 1e-10);
        }
    }
}

#[test]
fn coverage_of_the_same_distribution_is_known() {
    // Naeem et al. (2020), section 3.3: 1 - prod_{i < k} (n - 1 - i) / (2 n - 1 - i); density 1.
    let (n, k) = (1500, 5);
    let miss: f64 = (0..k).map(|i| (n - 1 - i) as f64 / (2 * n - 1 - i) as f64).product();
    let (real, generated) = (normal(n, 3, 14), normal(n, 3, 15));
    let score = flow_eval::density_coverage(points(&real, 3), points(&generated, 3), k).unwrap();
    assert_within_five_errors(&score.coverage, 1.0 - miss);
    assert_within_five_errors(&score.density, 1.0);
}

#[test]
fn velocities_spread_as_in_the_closed_form_where_paths_cross() {
    // Noise N(0, 1) to data at +-1 with deviation s, at t = 1/2: at x = 0 the velocity x_1 - x_0 is
    // +-(1 - t) / V with variance s^2 / V, where V = (1 - t)^2 + t^2 s^2.
    let (n, s, t) = (500_000, 0.25_f32, 0.5_f32);
    let noise = normal(n, 1, 16);
    let modes = normal(n, 1, 17).into_iter().map(f32::signum);
    let data: Vec<f32> = normal(n, 1, 18).iter().zip(modes).map(|(x, mode)| s * x + mode).collect();
    let pairs = || noise.iter().zip(&data);
    let positions: Vec<f32> = pairs().map(|(x0, x1)| (1.0 - t) * x0 + t * x1).collect();
    let velocities: Vec<f32> = pairs().map(|(x0, x1)| x1 - x0).collect();
    let bins = |low, high| flow_eval::Bins { low, high, count: 1 };
    let spread = flow_eval::velocity_spread(
        &positions,
        &vec![t; n],
        &velocities,
        bins(-0.02, 0.02),
        bins(0.0, 1.0),
    );
    let spread = spread.unwrap()[0];
    let v = 0.25 + 0.25 * f64::from(s * s);
    let expected = (0.25 / (v * v) + f64::from(s * s) / v).sqrt();
    // Some 9,000 velocities of a two-peaked law: 0.3 % of standard error, and the bin adds 0.01 %.
    assert!(5_000 < spread.count, "{spread:?}");
    assert_close(spread.std, expected, 0.015 * expected);
    assert_close(spread.mean, 0.0, 5.0 * expected / (spread.count as f64).sqrt());
}

#[test]
fn off_support_mass_is_a_fraction_with_a_binomial_error() {
    let x = normal(10_000, 1, 19);
    let score = flow_eval::off_support_mass(points(&x, 1), |x| x[0] < 0.0);
    assert_within_five_errors(&score, 0.5);
    assert_close(score.std_error.unwrap(), 0.005, 1e-5);
    assert_close(flow_eval::off_support_mass(points(&x, 1), |_| true).value, 0.0, 0.0);
}
