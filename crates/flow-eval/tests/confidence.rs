//! Estimates are unbiased and their standard errors right, over many repetitions.
//!
//! Seeds are fixed, so a test passes always or never; the bounds are such that a right estimator
//! fails for fewer than one choice of seeds in 10,000.

mod common;

use common::{mean_and_std, normal, points, shifted};
use flow_eval::{
    EvalError, Kernel, Points, Score, bootstrap, energy_distance, frechet, kid, mmd,
    path_length_ratio, sliced_wasserstein, wasserstein_1d,
};

type Scored = Result<Score, EvalError>;

/// Scores of `repetitions` fresh pairs of sets of `n` points in the plane, the first shifted.
fn repeat(
    repetitions: u64,
    n: usize,
    shift: f32,
    metric: impl Fn(Points<'_>, Points<'_>) -> Scored,
) -> Vec<Score> {
    let score = |seed| {
        let (x, y) = (shifted(&normal(n, 2, 2 * seed), shift), normal(n, 2, 2 * seed + 1));
        metric(points(&x, 2), points(&y, 2)).expect("the sets can be scored")
    };
    (0..repetitions).map(score).collect()
}

fn values(scores: &[Score]) -> Vec<f64> {
    scores.iter().map(|score| score.value).collect()
}

/// The root mean square of the reported standard errors over the true one, which is that of the
/// values.
fn honesty(scores: &[Score]) -> f64 {
    let std_error = |score: &Score| score.std_error.expect("the score has an error");
    let squares: f64 = scores.iter().map(|score| std_error(score).powi(2)).sum();
    (squares / scores.len() as f64).sqrt() / mean_and_std(&values(scores)).1
}

/// A standard deviation from `r` values has a relative error of `1 / sqrt(2 r)`, here 3.5 %, and a
/// bit more where the values have heavy tails; 20 % is over four of these.
#[track_caller]
fn assert_honest(scores: &[Score]) {
    let ratio = honesty(scores);
    assert!((0.8..1.2).contains(&ratio), "{}: {ratio}", scores[0].name);
}

fn gaussian_mmd(a: Points<'_>, b: Points<'_>) -> Scored {
    mmd(a, b, &Kernel::Gaussian { bandwidths: vec![1.0] })
}

fn kid_of_five_blocks(a: Points<'_>, b: Points<'_>) -> Scored {
    kid(a, b, 5, 0)
}

#[test]
fn u_statistics_of_equal_distributions_are_zero_on_average() {
    for metric in [energy_distance, gaussian_mmd, kid_of_five_blocks] {
        let (mean, std) = mean_and_std(&values(&repeat(400, 40, 0.0, metric)));
        // Four standard errors of the mean over 400 repetitions.
        assert!(mean.abs() < 4.0 * std / 20.0, "{mean} with a spread of {std}");
    }
}

#[test]
fn distances_that_are_never_negative_are_not_zero_on_average() {
    // The control, and the reason for a floor.
    for metric in [frechet, |a: Points<'_>, b: Points<'_>| sliced_wasserstein(a, b, 16, 0)] {
        let (mean, std) = mean_and_std(&values(&repeat(400, 40, 0.0, metric)));
        assert!(mean > 4.0 * std / 20.0, "{mean} with a spread of {std}");
    }
}

#[test]
fn the_jackknife_is_honest_away_from_the_floor() {
    assert_honest(&repeat(400, 100, 0.7, energy_distance));
    assert_honest(&repeat(400, 100, 0.7, gaussian_mmd));
}

#[test]
fn the_jackknife_is_cautious_by_root_two_at_the_floor() {
    for metric in [energy_distance, gaussian_mmd] {
        let ratio = honesty(&repeat(400, 100, 0.0, metric));
        // sqrt(2) = 1.41, with tails heavier than a Gaussian's.
        assert!((1.15..1.7).contains(&ratio), "{ratio}");
    }
}

#[test]
fn the_blocks_of_kid_give_an_honest_error() {
    assert_honest(&repeat(400, 200, 0.3, |a, b| kid(a, b, 10, 0)));
}

#[test]
fn the_jackknife_over_tenths_is_honest_for_the_frechet_distance() {
    assert_honest(&repeat(400, 200, 0.5, frechet));
}

#[test]
fn the_jackknife_of_the_frechet_distance_does_not_ask_for_shuffled_points() {
    // As images come from a folder, class by class.
    let sorted = |points: Points<'_>| {
        let mut rows: Vec<&[f32]> = points.rows().collect();
        rows.sort_by(|x, y| x[0].total_cmp(&y[0]));
        rows.concat()
    };
    let metric = |a: Points<'_>, b: Points<'_>| {
        let (a, b) = (sorted(a), sorted(b));
        frechet(points(&a, 2), points(&b, 2))
    };
    assert_honest(&repeat(400, 200, 0.5, metric));
}

#[test]
fn the_error_of_the_sliced_distance_is_that_of_its_directions() {
    let (x, y) = (normal(200, 3, 0), normal(200, 3, 1));
    let stretched: Vec<f32> = x.chunks_exact(3).flat_map(|x| [3.0 * x[0], x[1], x[2]]).collect();
    let score = |seed| sliced_wasserstein(points(&stretched, 3), points(&y, 3), 40, seed).unwrap();
    assert_honest(&(0..400).map(score).collect::<Vec<_>>());
}

#[test]
fn the_bootstrap_gives_the_error_of_a_shift() {
    let (n, x) = (400, normal(400, 1, 2));
    let y = shifted(&normal(400, 1, 3), 3.0);
    let metric = |a: Points<'_>, b: Points<'_>| wasserstein_1d(a.as_slice(), b.as_slice(), 1.0);
    let replicates = bootstrap(metric, points(&x, 1), points(&y, 1), 1000, 4).unwrap();
    // Far apart, W_1 is the difference of the means: sqrt(2 / n), known to 5 % from each sample's
    // own variance and from 1,000 replicates.
    let expected = (2.0 / f64::from(n)).sqrt();
    let std_error = replicates.std_error();
    assert!((std_error / expected - 1.0).abs() < 0.2, "{std_error} against {expected}");
    let (low, high) = replicates.interval(0.95);
    assert!(low < 3.0 && 3.0 < high, "{low} {high}");
    // A 95 % interval of a Gaussian is 2 * 1.96 standard deviations wide.
    let width = (high - low) / (3.92 * std_error);
    assert!((width - 1.0).abs() < 0.15, "{width}");
}

#[test]
fn the_error_of_a_length_ratio_is_that_of_a_ratio_of_means() {
    // Each point goes one way by |u|, then at a right angle by |v|.
    let score = |seed: u64| {
        let (u, v) = (normal(100, 1, 2 * seed), normal(100, 1, 2 * seed + 1));
        let corner: Vec<f32> = u.iter().flat_map(|u| [*u, 0.0]).collect();
        let end: Vec<f32> = u.iter().zip(&v).flat_map(|(u, v)| [*u, *v]).collect();
        let states = [vec![0.0; 200], corner, end];
        let paths = flow_eval::Trajectories::new(&[0.0, 0.5, 1.0], &states, 2).unwrap();
        path_length_ratio(&paths).unwrap()
    };
    assert_honest(&(0..400).map(score).collect::<Vec<_>>());
}

#[test]
fn a_visible_shift_stands_above_the_floor() {
    let (real, held_out) = (normal(1000, 2, 5), normal(1000, 2, 6));
    let samples = shifted(&normal(1000, 2, 7), 0.3);
    let [real, held_out, samples] = [&real, &held_out, &samples].map(|x| points(x, 2));
    for metric in [energy_distance, gaussian_mmd, frechet, kid_of_five_blocks] {
        let floor = flow_eval::floor(metric, held_out, real).unwrap();
        let score = metric(samples, real).unwrap().with_floor(floor);
        assert!(score.value > floor + 4.0 * score.std_error.unwrap(), "{score}");
    }
}
