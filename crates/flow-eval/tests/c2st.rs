//! Classifier two-sample test: the values of scikit-learn, and what no classifier can tell apart.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{assert_close, mean_and_std, normal, points};
use flow_eval::{EvalError, c2st};

/// Rows of each set.
const ROWS: usize = 2000;

/// Tasks of sbibm 1.1.0 (MIT) and their dimensions, in the order of `reference/c2st.f32`.
const TASKS: [(&str, usize); 6] = [
    ("two_moons", 2),
    ("gaussian_mixture", 2),
    ("sir", 2),
    ("lotka_volterra", 4),
    ("slcp", 5),
    ("gaussian_linear", 10),
];

/// What is compared with the first set of a task.
#[derive(Clone, Copy, Debug)]
enum Other {
    /// Other draws of the same posterior.
    Floor,
    /// The same, 1.5 times as far from the mean.
    Inflated,
    /// The same, half a standard deviation away in each dimension.
    Shifted,
    /// Draws of a normal law of the same mean and covariance.
    Normal,
}

/// The draws that `reference/c2st.py` made: of each task A, B and, but for the last, normal ones.
fn draws(task: &str) -> (usize, [Vec<f32>; 3]) {
    let bytes = include_bytes!("reference/c2st.f32");
    let mut rest = &bytes[..];
    for (name, dim) in TASKS {
        let sets = if name == "gaussian_linear" { 2 } else { 3 };
        let (own, others) = rest.split_at(4 * sets * ROWS * dim);
        rest = others;
        if name == task {
            let numbers = own.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
            let numbers: Vec<f32> = numbers.collect();
            let mut sets = numbers.chunks(ROWS * dim).map(<[f32]>::to_vec);
            return (dim, std::array::from_fn(|_| sets.next().unwrap_or_default()));
        }
    }
    panic!("there is no task {task}");
}

/// Both sets of a comparison.
fn pair(task: &str, other: Other) -> (usize, Vec<f32>, Vec<f32>) {
    let (dim, [a, b, normal]) = draws(task);
    let column = |k: usize| {
        let values: Vec<f64> = a.iter().skip(k).step_by(dim).map(|&x| f64::from(x)).collect();
        mean_and_std(&values)
    };
    let moments: Vec<(f64, f64)> = (0..dim).map(column).collect();
    let moved = |to: fn(f64, (f64, f64)) -> f64| -> Vec<f32> {
        let numbers = b.iter().enumerate();
        numbers.map(|(i, &x)| to(f64::from(x), moments[i % dim]) as f32).collect()
    };
    let other = match other {
        Other::Floor => b.clone(),
        Other::Inflated => moved(|x, (mean, _)| mean + 1.5 * (x - mean)),
        Other::Shifted => moved(|x, (_, std)| x + 0.5 * std),
        Other::Normal => normal,
    };
    (dim, a, other)
}

/// Compares with the value of scikit-learn, which is that of one seed. Where two sets are all but
/// alike, folds and first weights move a value by 0.004 to 0.008: ours is the mean of three seeds.
fn check(cases: &[(&str, Other, f64)]) {
    for &(task, other, expected) in cases {
        let (dim, a, b) = pair(task, other);
        let seeds = if expected < 0.52 { 3 } else { 1 };
        let found = |seed: u64| {
            let found = c2st(points(&b, dim), points(&a, dim), seed).unwrap();
            assert!(found.std_error.unwrap() < 0.009, "{found}");
            found.value
        };
        let found = (1..=seeds).map(found).sum::<f64>() / seeds as f64;
        assert!((found - expected).abs() < 0.02, "{task} {other:?}: {found}, not {expected}");
    }
}

// Values of MLPClassifier under KFold, scikit-learn 1.9.1, with the settings of the benchmark. Of
// gaussian_linear there is the floor alone, and of its further tasks there are no values.

#[test]
fn accuracies_are_those_of_scikit_learn() {
    check(&[
        ("two_moons", Other::Floor, 0.4915),
        ("two_moons", Other::Inflated, 1.0),
        ("two_moons", Other::Shifted, 1.0),
        ("two_moons", Other::Normal, 0.957_75),
        ("gaussian_mixture", Other::Floor, 0.504_25),
        ("gaussian_mixture", Other::Inflated, 0.666_75),
        ("gaussian_mixture", Other::Shifted, 0.8275),
        ("gaussian_mixture", Other::Normal, 0.775),
        ("sir", Other::Floor, 0.501),
        ("sir", Other::Inflated, 0.664),
        ("sir", Other::Shifted, 0.700_25),
        ("sir", Other::Normal, 0.575_25),
        ("lotka_volterra", Other::Shifted, 0.997),
    ]);
}

#[test]
#[ignore = "some minutes: larger networks on four to ten dimensions"]
fn accuracies_in_more_dimensions_are_those_of_scikit_learn() {
    check(&[
        ("lotka_volterra", Other::Floor, 0.498_75),
        ("lotka_volterra", Other::Inflated, 0.695_25),
        ("lotka_volterra", Other::Normal, 0.4935),
        ("slcp", Other::Floor, 0.517),
        ("slcp", Other::Inflated, 0.986),
        ("slcp", Other::Shifted, 0.999),
        ("slcp", Other::Normal, 0.971_25),
        ("gaussian_linear", Other::Floor, 0.499_25),
    ]);
}

#[test]
fn sets_of_one_law_are_told_apart_by_chance_and_distant_ones_always() {
    let (a, b) = (normal(400, 3, 1), normal(400, 3, 2));
    let found = c2st(points(&a, 3), points(&b, 3), 0).unwrap();
    assert!((found.value - 0.5).abs() < 4.0 * found.std_error.unwrap(), "{found}");
    assert_eq!(found, c2st(points(&a, 3), points(&b, 3), 0).unwrap());
    let far: Vec<f32> = b.iter().map(|x| x + 20.0).collect();
    assert!(0.99 < c2st(points(&far, 3), points(&a, 3), 0).unwrap().value);
    // The units of a column do not matter: a power of two scales without rounding.
    let large = |rows: &[f32]| -> Vec<f32> { rows.iter().map(|x| x * 1024.0).collect() };
    let (large_a, large_b) = (large(&a), large(&b));
    let again = c2st(points(&large_a, 3), points(&large_b, 3), 0).unwrap();
    assert_close(again.value, found.value, 0.0);
}

#[test]
fn sets_that_cannot_be_compared_are_named() {
    let rows = normal(8, 1, 1);
    let test = |n: usize, m: usize| c2st(points(&rows[..n], 1), points(&rows[..m], 1), 0);
    assert!(matches!(test(6, 8), Err(EvalError::UnequalCounts { metric: "C2ST", .. })));
    assert!(matches!(test(4, 4), Err(EvalError::TooFew { needed: 5, .. })));
    let wide = vec![0.0; 201 * 6];
    let error = c2st(points(&wide, 201), points(&wide, 201), 0).unwrap_err();
    assert!(matches!(error, EvalError::TooMany { limit: 200, .. }), "{error}");
}
