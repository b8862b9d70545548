//! Input that is refused, and the message of the error.

mod common;

use common::{normal, points};
use flow_eval::{
    Bins, EvalError, Kernel, Moments, Points, Trajectories, bootstrap, covariance_sqrt,
    density_coverage, energy_distance, frechet, frechet_between, inception_score, kid,
    max_sliced_wasserstein, mean_log_density, mean_squared_error, mmd, noise_residual,
    off_support_mass, parzen_log_likelihood, path_length_ratio, precision_recall, psnr,
    sliced_wasserstein, ssim, velocity_spread, wasserstein_1d, wasserstein_assignment,
};

#[track_caller]
fn assert_says<T: std::fmt::Debug>(result: Result<T, EvalError>, message: &str) {
    let error = result.expect_err("this input must be refused");
    assert_eq!(error.to_string(), message);
}

#[test]
fn numbers_that_are_not_finite_are_named() {
    let message = "row 1 has NaN in column 0: scores need finite numbers, look for a diverged network or solve";
    assert_says(flow_eval::Points::new(&[0.0, 0.0, f32::NAN, 0.0], 2), message);
    assert_says(wasserstein_1d(&[0.0, f32::NAN], &[0.0], 1.0), message);
}

#[test]
fn sets_of_different_dimensions_are_refused_by_every_metric() {
    let rows = normal(20, 6, 0);
    let (a, b) = (points(&rows, 2), points(&rows, 3));
    let error = EvalError::Dimensions { a: 2, b: 3 };
    let kernel = Kernel::Gaussian { bandwidths: vec![1.0] };
    let scores = [
        sliced_wasserstein(a, b, 8, 0),
        max_sliced_wasserstein(a, b, 8, 0),
        wasserstein_assignment(a, b),
        energy_distance(a, b),
        mmd(a, b, &kernel),
        kid(a, b, 2, 0),
        frechet(a, b),
        frechet_between(&Moments::of(a), &Moments::of(b)),
        parzen_log_likelihood(a, b, 1.0),
        mean_squared_error(a, b),
        psnr(a, b, 1.0),
        ssim(a, b, [1, 1, 2], 1.0),
        precision_recall(a, b, 3).map(|score| score.recall),
        density_coverage(a, b, 3).map(|score| score.coverage),
    ];
    for score in scores {
        assert_eq!(score, Err(error.clone()));
    }
}

#[test]
fn too_few_points_are_refused() {
    let rows = normal(20, 1, 1);
    let (two, all) = (points(&rows[..2], 1), points(&rows, 1));
    assert_says(
        energy_distance(two, all),
        "2 points are too few: energy distance needs at least 3",
    );
    assert_says(frechet(two, all), "2 points are too few: Frechet distance needs at least 20");
    assert_says(kid(all, all, 7, 0), "20 points are too few: KID needs at least 21");
    let message = "2 points are too few: a k-th neighbour needs at least 3";
    assert_says(density_coverage(two, all, 2), message);
    assert_says(precision_recall(all, two, 2), message);
    let one = Moments::of(points(&rows[..1], 1));
    assert_says(one.covariance(), "1 points are too few: a covariance needs at least 2");
}

#[test]
fn paired_scores_need_as_many_points_of_each() {
    let rows = normal(5, 1, 2);
    let (a, b) = (points(&rows, 1), points(&rows[..4], 1));
    let message = "5 points against 4: Wasserstein-2 needs as many of each, drop the surplus";
    assert_says(wasserstein_assignment(a, b), message);
    assert!(matches!(psnr(a, b, 1.0), Err(EvalError::UnequalCounts { .. })));
    assert!(matches!(mean_squared_error(a, b), Err(EvalError::UnequalCounts { .. })));
}

#[test]
fn more_points_than_an_assignment_can_bear_are_refused() {
    let rows = vec![0.0; 4097];
    let message = "4097 points are too many: Wasserstein-2 takes at most 4096, score a subset";
    assert_says(wasserstein_assignment(points(&rows, 1), points(&rows, 1)), message);
}

#[test]
fn parameters_out_of_range_are_named() {
    let rows = normal(20, 1, 3);
    let x = points(&rows, 1);
    let message = "projections = 0 is out of range: it must be at least 1, and times the dimension \
                   at most 134217728";
    assert_says(sliced_wasserstein(x, x, 0, 0), message);
    assert_says(max_sliced_wasserstein(x, x, 0, 0), message);
    assert_says(
        wasserstein_1d(&rows, &rows, 0.5),
        "p = 0.5 is out of range: it must be at least 1",
    );
    let message = "bandwidth = -1 is out of range: it must be from 1e-100 to 1e100";
    assert_says(mmd(x, x, &Kernel::Gaussian { bandwidths: vec![1.0, -1.0] }), message);
    assert_says(parzen_log_likelihood(x, x, -1.0), message);
    assert!(mmd(x, x, &Kernel::Gaussian { bandwidths: vec![] }).is_err());
    let message = "degree = 0 is out of range: it must be at least 1";
    assert_says(mmd(x, x, &Kernel::Polynomial { degree: 0 }), message);
    assert_says(kid(x, x, 1, 0), "blocks = 1 is out of range: it must be at least 2");
    assert_says(density_coverage(x, x, 0), "k = 0 is out of range: it must be at least 1");
    let message = "range = 0 is out of range: it must be from 1e-100 to 1e100";
    assert_says(psnr(x, x, 0.0), message);
    let message =
        "image side = 4 is out of range: it must be at least 11 pixels, the window of SSIM";
    assert_says(ssim(points(&rows, 20), points(&rows, 20), [1, 4, 5], 1.0), message);
    let message = "replicates = 1 is out of range: it must be at least 2 and at most a million";
    assert_says(bootstrap(energy_distance, x, x, 1, 0), message);
}

#[test]
fn a_bootstrap_of_one_point_is_refused() {
    let metric = |a: Points<'_>, b: Points<'_>| wasserstein_1d(a.as_slice(), b.as_slice(), 2.0);
    let (one, two) = (points(&[0.0], 1), points(&[3.0, 4.0], 1));
    let message = "1 points are too few: a bootstrap needs at least 2";
    assert_says(bootstrap(metric, one, two, 100, 0), message);
    assert_says(bootstrap(metric, two, one, 100, 0), message);
    assert_eq!(off_support_mass(one, |_| false).std_error, None);
}

#[test]
fn a_score_that_leaves_the_range_of_numbers_is_an_error() {
    let far: Vec<f32> = (0..20_u8).map(|i| 1e18 * f32::from(i)).collect();
    let (far, near) = (points(&far, 2), points(&[1.0; 20], 2));
    let score = mmd(far, near, &Kernel::Polynomial { degree: 18 });
    assert!(matches!(score, Err(EvalError::Overflow { .. })), "{score:?}");
    assert!(kid(far, near, 3, 0).is_ok(), "the cube of 1e38 is a number");
    for bandwidth in [1e-170, 1e170, f64::NAN] {
        let score = parzen_log_likelihood(near, far, bandwidth);
        assert!(matches!(score, Err(EvalError::Parameter { .. })), "{score:?}");
    }
    let score = parzen_log_likelihood(near, far, 1e-100).unwrap();
    assert!(score.value.is_finite() && score.value < -1e230, "{score}");
}

#[test]
fn a_median_distance_of_zero_gives_no_kernel() {
    assert!(Kernel::up_to_median(points(&[1.0; 8], 2)).is_err());
    assert!(Kernel::up_to_median(points(&[1.0; 2], 2)).is_err());
}

#[test]
fn rows_that_are_no_distribution_are_refused() {
    let message = "row 1 is no distribution: its entries must be at least 0 and sum to 1, not 2";
    assert_says(inception_score(points(&[0.5, 0.5, 1.0, 1.0], 2)), message);
    assert!(inception_score(points(&[1.5, -0.5], 2)).is_err());
}

#[test]
fn matrices_that_are_no_covariance_are_refused() {
    let indefinite = [1.0, 2.0, 2.0, 1.0];
    let message = "the matrix has the eigenvalue -1e0: a covariance has none below 0 by more than \
                   the rounding of float32, check where the statistics come from";
    match covariance_sqrt(&indefinite, 2).unwrap_err() {
        EvalError::NotACovariance { eigenvalue } => {
            assert!((eigenvalue + 1.0).abs() < 1e-12);
            let error = EvalError::NotACovariance { eigenvalue: -1.0 };
            assert_eq!(error.to_string(), message);
        }
        other => panic!("{other}"),
    }
    let indefinite = Moments::from_parts(10, &[0.0, 0.0], &indefinite).unwrap();
    let round = Moments::from_parts(10, &[0.0, 0.0], &[1.0, 0.0, 0.0, 1.0]).unwrap();
    assert!(frechet_between(&indefinite, &round).is_err());
    assert!(frechet_between(&round, &indefinite).is_err());
    let message = "the matrix differs from its transpose by 5e-1, more than the rounding of \
                   float32: a covariance is symmetric";
    assert_says(covariance_sqrt(&[1.0, 0.5, 0.0, 1.0], 2), message);
    assert!(covariance_sqrt(&[1.0, f64::NAN, 0.0, 1.0], 2).is_err());
    assert!(covariance_sqrt(&[1.0, 0.0, 1.0], 2).is_err());
    assert!(Moments::from_parts(10, &[f64::NAN], &[1.0]).is_err());
    assert!(Moments::from_parts(1, &[0.0], &[1.0]).is_err());
}

#[test]
fn states_must_come_in_the_order_of_time() {
    let states = [[0.0], [1.0], [2.0]];
    let message = "time 2 is 0.25, not after 0.5: give the states in the order of time";
    assert_says(Trajectories::new(&[0.0, 0.5, 0.25], &states, 1), message);
    let message = "times 1 and 0 are 1e-200 and 0e0: a velocity between them would leave the range \
                   of double precision, give times of a common scale";
    assert_says(Trajectories::new(&[0.0, 1e-200, 1.0], &states, 1), message);
    let message = "3 states at 2 times: give one state for each time, and at least two";
    assert_says(Trajectories::new(&[0.0, 1.0], &states, 1), message);
    assert!(Trajectories::new(&[0.0], &states[..1], 1).is_err());
    assert!(Trajectories::new(&[0.0, f64::NAN, 1.0], &states, 1).is_err());
    let ragged = [vec![0.0, 1.0], vec![0.0]];
    assert!(matches!(
        Trajectories::new(&[0.0, 1.0], &ragged, 1),
        Err(EvalError::UnequalCounts { .. })
    ));
}

#[test]
fn a_ratio_to_no_displacement_is_refused() {
    let states = [[1.0], [2.0], [1.0]];
    let there_and_back = Trajectories::new(&[0.0, 0.5, 1.0], &states, 1).unwrap();
    assert_eq!(path_length_ratio(&there_and_back), Err(EvalError::NoDisplacement));
    assert_eq!(noise_residual(&there_and_back), Err(EvalError::NoDisplacement));
}

#[test]
fn a_log_density_that_is_no_number_is_refused() {
    assert!(mean_log_density(points(&[0.0], 1), |_| f64::NAN).is_err());
    let off_support = mean_log_density(points(&[0.0], 1), |_| f64::NEG_INFINITY).unwrap();
    assert!(off_support.value.is_infinite() && off_support.std_error.is_none());
}

#[test]
fn bins_must_have_a_width() {
    let (good, bad) =
        (Bins { low: 0.0, high: 1.0, count: 2 }, Bins { low: 1.0, high: 1.0, count: 2 });
    let message = "bins of x = 2 is out of range: it must be at least one bin between low < high";
    assert_says(velocity_spread(&[0.5], &[0.5], &[1.0], bad, good), message);
    assert!(velocity_spread(&[0.5], &[f32::NAN], &[1.0], good, good).is_err());
}
