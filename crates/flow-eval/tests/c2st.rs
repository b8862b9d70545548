//! Classifier two-sample test: the values of scikit-learn, and what no classifier can tell apart.

mod common;

use common::{assert_close, mean_and_std, normal, points};
use flow_eval::{EvalError, c2st};

/// Two sets of 2,000 draws of one posterior, the first observation of the task `gaussian_mixture`
/// of sbibm 1.1.0 (MIT): rows 0, 5, 10, ... and rows 1, 6, 11, ... of its reference.
fn mixture() -> (Vec<f32>, Vec<f32>) {
    let bytes = include_bytes!("reference/mixture.f32");
    let numbers: Vec<f32> =
        bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let (a, b) = numbers.split_at(4000);
    (a.to_vec(), b.to_vec())
}

/// Mean and standard deviation of a column.
fn moments(rows: &[f32], column: usize) -> (f64, f64) {
    let values: Vec<f64> = rows.iter().skip(column).step_by(2).map(|&x| f64::from(x)).collect();
    mean_and_std(&values)
}

#[test]
fn accuracies_are_those_of_scikit_learn() {
    let (a, b) = mixture();
    let column = [0, 1].map(|k| moments(&a, k));
    let wider = |(i, &x): (usize, &f32)| {
        let mean = column[i % 2].0;
        (mean + 1.5 * (f64::from(x) - mean)) as f32
    };
    let wider: Vec<f32> = b.iter().enumerate().map(wider).collect();
    // Of MLPClassifier under KFold, scikit-learn 1.9.1, with the settings of the benchmark.
    for (b, expected) in [(&b, 0.504_25), (&wider, 0.666_75)] {
        let found = c2st(points(b, 2), points(&a, 2), 1).unwrap();
        assert_close(found.value, expected, 0.02);
        assert!(found.std_error.unwrap() < 0.009, "{found}");
    }
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
