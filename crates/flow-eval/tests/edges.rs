//! Values where points tie, orders are high, scales far from 1 or curves odd.

mod common;

use common::{assert_close, points};
use flow_eval::{
    Bins, Moments, cost_at_error, density_coverage, frechet_between, velocity_spread,
    wasserstein_1d,
};

#[test]
fn wasserstein_of_a_high_order_neither_vanishes_nor_overflows() {
    let cases: [(f32, f64); 7] = [
        (0.5, 1080.0),
        (0.5, 2000.0),
        (10.0, 309.0),
        (1e-3, 110.0),
        (1e20, 16.0),
        (1e-20, 17.0),
        (1e38, 9.0),
    ];
    for (b, p) in cases {
        let distance = wasserstein_1d(&[0.0], &[b], p).unwrap().value;
        assert_close(distance, f64::from(b), 1e-12 * f64::from(b));
    }
    // 0.5 (0.5 (1 + 2^-2000))^(1 / 2000), and the greatest difference as the limit.
    let distance = |p| wasserstein_1d(&[0.0, 0.0], &[0.25, 0.5], p).unwrap();
    assert_close(distance(2000.0).value, 0.5 * 0.5_f64.powf(1.0 / 2000.0), 1e-12);
    assert_close(distance(f64::INFINITY).value, 0.5, 0.0);
    assert_eq!(distance(f64::INFINITY).name, "Wasserstein-inf");
}

#[test]
fn statistics_that_were_kept_as_float32_are_taken_as_such() {
    // The f32 below 1 makes the smaller eigenvalue -3e-8.
    let below_one = f64::from(1.0_f32.next_down());
    let of = |covariance: &[f64]| Moments::from_parts(100, &[0.0, 0.0], covariance).unwrap();
    let (s, unit) = (of(&[1.0, 1.0, 1.0, below_one]), of(&[1.0, 0.0, 0.0, 1.0]));
    assert_close(frechet_between(&s, &s).unwrap().value, 0.0, 1e-6);
    // 2 + 2 - 2 sqrt(2): the eigenvalues are 2 and, for the negative one, 0.
    let expected = 4.0 - 2.0 * 2.0_f64.sqrt();
    assert_close(frechet_between(&s, &unit).unwrap().value, expected, 1e-6);
    assert_close(frechet_between(&unit, &s).unwrap().value, expected, 1e-6);
    let skew = of(&[1.0, 0.5 + 3e-8, 0.5, 1.0]);
    assert_close(frechet_between(&skew, &skew).unwrap().value, 0.0, 1e-6);
}

#[test]
fn frechet_distance_of_huge_and_tiny_covariances_to_themselves_is_zero() {
    for size in [1e-300, 1e-30, 1.0, 1e153, 1e155, 1e300] {
        let covariance = [2.0, 0.5, 0.5, 1.0].map(|x| x * size);
        let s = Moments::from_parts(10, &[0.0, 0.0], &covariance).unwrap();
        // A difference of numbers of this size, each rounded to 1e-16.
        assert_close(frechet_between(&s, &s).unwrap().value, 0.0, 1e-14 * size);
    }
}

#[test]
fn density_is_about_one_where_points_repeat_or_lie_on_a_grid() {
    let atoms =
        |n: usize, count: usize| -> Vec<f32> { (0..n).map(|i| (i % count) as f32).collect() };
    let mut grid: Vec<f32> = (0..1000_u16).map(f32::from).collect();
    grid[..300].fill(0.0);
    for rows in [atoms(100, 1), atoms(100, 2), atoms(1000, 2), atoms(1000, 10), grid] {
        let score = density_coverage(points(&rows, 1), points(&rows, 1), 5).unwrap();
        // A point is in its own ball as well: at most 1 / k more where no others tie with it.
        assert!((0.95..1.3).contains(&score.density.value), "{}", score.density);
        assert_close(score.coverage.value, 1.0, 0.0);
    }
}

#[test]
fn the_cost_of_an_error_is_never_nan() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let known_first = [
        [(10.0, inf), (100.0, 1e-4)],
        [(0.0, 1e-2), (100.0, 1e-4)],
        [(10.0, nan), (100.0, 1e-4)],
        [(-10.0, 1e-2), (100.0, 1e-4)],
        [(100.0, 1e-4), (10.0, 1e-2)],
        [(10.0, 1e-2), (100.0, -1e-4)],
    ];
    for curve in known_first {
        assert_eq!(cost_at_error(&curve, 1e-3), Some(100.0), "{curve:?}");
    }
    // Without the diverged point it is the line from 1e-2 at 10 to 1e-4 at 100.
    let cost = cost_at_error(&[(10.0, 1e-2), (20.0, nan), (100.0, 1e-4)], 1e-3).unwrap();
    assert_close(cost, 1000.0_f64.sqrt(), 1e-9);
    assert_eq!(cost_at_error(&[(10.0, 1e-2), (20.0, 1e-4)], nan), None);
    assert_eq!(cost_at_error(&[], 1.0), None);
}

#[test]
fn the_last_bin_holds_its_upper_bound() {
    // As numpy.histogram: t = 0, 0.5 and 1 in two bins of [0, 1].
    let (x, t) = (Bins { low: 0.0, high: 1.0, count: 1 }, Bins { low: 0.0, high: 1.0, count: 2 });
    let spread = velocity_spread(&[0.0, 0.5, 1.0], &[0.0, 0.5, 1.0], &[1.0; 3], x, t).unwrap();
    assert_eq!(spread.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 2]);
    let outside = velocity_spread(&[1.1], &[0.5], &[1.0], x, t).unwrap();
    assert!(outside.iter().all(|bin| bin.count == 0));
}
