//! Changes of the points that must not move a score, and changes that must.

mod common;

use common::{assert_close, lattice, normal, points, shifted};
use flow_eval::{
    EvalError, Kernel, Points, Score, density_coverage, energy_distance, frechet, kid,
    max_sliced_wasserstein, mmd, precision_recall, sliced_wasserstein, wasserstein_1d,
    wasserstein_assignment,
};

type Metric = fn(Points<'_>, Points<'_>) -> Result<Score, EvalError>;

/// Distances that need nothing but two sets.
const DISTANCES: [(&str, Metric); 8] = [
    ("sliced", |a, b| sliced_wasserstein(a, b, 32, 0)),
    ("max-sliced", |a, b| max_sliced_wasserstein(a, b, 32, 0)),
    ("1-D", |a, b| wasserstein_1d(a.as_slice(), b.as_slice(), 1.0)),
    ("assignment", wasserstein_assignment),
    ("energy", energy_distance),
    ("Gaussian MMD", |a, b| mmd(a, b, &Kernel::Gaussian { bandwidths: vec![0.5, 1.0] })),
    ("cubic MMD", |a, b| mmd(a, b, &Kernel::Polynomial { degree: 3 })),
    ("Frechet", frechet),
];

fn reversed(rows: &[f32], dim: usize) -> Vec<f32> {
    rows.rchunks_exact(dim).flatten().copied().collect()
}

#[test]
fn the_order_of_the_points_does_not_matter() {
    let (x, y) = (normal(100, 2, 0), normal(100, 2, 1));
    let z = reversed(&y, 2);
    for (name, metric) in DISTANCES {
        let forward = metric(points(&x, 2), points(&y, 2)).unwrap();
        let backward = metric(points(&x, 2), points(&z, 2)).unwrap();
        // Sums in another order; the ascent of the max-sliced distance amplifies their rounding.
        let tolerance = if name == "max-sliced" { 1e-6 } else { 1e-12 };
        assert_close(forward.value, backward.value, tolerance);
    }
}

#[test]
fn a_distance_is_symmetric() {
    let (x, y) = (normal(100, 2, 2), shifted(&normal(100, 2, 3), 0.5));
    for (name, metric) in DISTANCES {
        let forward = metric(points(&x, 2), points(&y, 2)).unwrap();
        let backward = metric(points(&y, 2), points(&x, 2)).unwrap();
        let tolerance = if name == "max-sliced" { 1e-6 } else { 1e-11 };
        assert_close(forward.value, backward.value, tolerance);
        assert_eq!(forward.name, backward.name);
    }
}

#[test]
fn moving_both_sets_together_changes_no_distance() {
    let (x, y) = (lattice(100, 2, 4), lattice(100, 2, 5));
    let (x_moved, y_moved) = (shifted(&x, 8.0), shifted(&y, 8.0));
    // The cubic kernel has an origin, so it is the exception that shows the test can fail.
    for (name, metric) in DISTANCES {
        let here = metric(points(&x, 2), points(&y, 2)).unwrap().value;
        let there = metric(points(&x_moved, 2), points(&y_moved, 2)).unwrap().value;
        if name == "cubic MMD" {
            assert!((here - there).abs() > 1e-3, "{here} {there}");
        } else {
            // Differences of lattice points are exact; projections and means round at 1e-15 of 8.
            let tolerance = if name == "max-sliced" { 1e-6 } else { 1e-11 };
            assert_close(here, there, tolerance);
        }
    }
}

#[test]
fn a_set_is_at_no_positive_distance_from_itself() {
    let x = normal(100, 2, 6);
    for (name, metric) in DISTANCES {
        let value = metric(points(&x, 2), points(&x, 2)).unwrap().value;
        // Unbiased estimates are negative here: their cross terms contain the zero distances.
        assert!(value < 1e-6, "{name}: {value}");
    }
}

#[test]
fn a_larger_shift_scores_worse() {
    let (x, y) = (normal(300, 2, 7), normal(300, 2, 8));
    for (name, metric) in DISTANCES {
        let at = |shift| metric(points(&shifted(&y, shift), 2), points(&x, 2)).unwrap().value;
        let (floor, near, far) = (at(0.0), at(0.5), at(1.5));
        assert!(floor < near && near < far, "{name}: {floor} {near} {far}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (x, y) = (normal(500, 3, 9), normal(400, 3, 10));
    let (x, y) = (points(&x, 3), points(&y, 3));
    let all = || {
        let support = precision_recall(x, y, 3).unwrap();
        let density = density_coverage(x, y, 3).unwrap();
        [
            sliced_wasserstein(x, y, 16, 1).unwrap(),
            energy_distance(x, y).unwrap(),
            mmd(x, y, &Kernel::up_to_median(x).unwrap()).unwrap(),
            kid(x, y, 5, 1).unwrap(),
            frechet(x, y).unwrap(),
            support.precision,
            support.recall,
            density.density,
            density.coverage,
        ]
    };
    let on = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(all)
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_seed_is_a_result() {
    let (x, y) = (normal(200, 3, 11), normal(200, 3, 12));
    let (x, y) = (points(&x, 3), points(&y, 3));
    assert_eq!(sliced_wasserstein(x, y, 8, 1), sliced_wasserstein(x, y, 8, 1));
    assert_ne!(sliced_wasserstein(x, y, 8, 1), sliced_wasserstein(x, y, 8, 2));
    assert_eq!(kid(x, y, 4, 1), kid(x, y, 4, 1));
    assert_ne!(kid(x, y, 4, 1), kid(x, y, 4, 2));
    assert_eq!(kid(x, y, 4, 7).unwrap().seed, Some(7));
}

#[test]
fn bandwidths_of_a_set_that_is_sorted_by_class_see_all_classes() {
    let near = normal(1000, 2, 20);
    let both = [near.clone(), shifted(&near, 100.0), shifted(&near, 200.0)].concat();
    let Kernel::Gaussian { bandwidths } = Kernel::up_to_median(points(&both, 2)).unwrap() else {
        panic!("the median heuristic gives Gaussian kernels")
    };
    // Two of three pairs are of different classes, 141 or 283 apart; within a class 2 or so.
    assert!(bandwidths[2] > 100.0, "{bandwidths:?}");
}

#[test]
fn energy_distance_scales_with_the_points() {
    let (x, y) = (normal(100, 2, 13), normal(100, 2, 14));
    let doubled = |x: &[f32]| x.iter().map(|x| 2.0 * x).collect::<Vec<_>>();
    let once = energy_distance(points(&x, 2), points(&y, 2)).unwrap();
    let twice = energy_distance(points(&doubled(&x), 2), points(&doubled(&y), 2)).unwrap();
    // A factor of two is exact.
    assert_close(twice.value, 2.0 * once.value, 0.0);
    assert_close(twice.std_error.unwrap(), 2.0 * once.std_error.unwrap(), 0.0);
}

#[test]
fn a_bounded_image_set_far_away_has_neither_precision_nor_recall() {
    let (x, y) = (normal(100, 4, 15), shifted(&normal(100, 4, 16), 50.0));
    let support = precision_recall(points(&x, 4), points(&y, 4), 3).unwrap();
    assert_close(support.precision.value, 0.0, 0.0);
    assert_close(support.recall.value, 0.0, 0.0);
    let support = precision_recall(points(&x, 4), points(&x, 4), 3).unwrap();
    assert_close(support.precision.value, 1.0, 0.0);
    assert_close(support.recall.value, 1.0, 0.0);
}

#[test]
fn samples_that_miss_a_mode_keep_their_precision_and_lose_recall() {
    let modes = |n, seed| {
        let mut rows = normal(n, 2, seed);
        rows.chunks_exact_mut(4).for_each(|pair| pair[0] += 20.0);
        rows
    };
    let (real, samples) = (modes(400, 17), normal(400, 2, 18));
    let support = precision_recall(points(&real, 2), points(&samples, 2), 3).unwrap();
    assert!(support.precision.value > 0.9, "{}", support.precision);
    assert!(support.recall.value < 0.6, "{}", support.recall);
    let support = density_coverage(points(&real, 2), points(&samples, 2), 5).unwrap();
    assert!(support.coverage.value < 0.6, "{}", support.coverage);
}
