//! What the public functions do with awkward numbers: a finite answer, a documented special value
//! or an error, in no more than a second.

use std::time::{Duration, Instant};

use flow_testing::{awkward, public};
use flow_transport::{
    CostMatrix, Entropic, Epsilon, Plan, TransportError, assign, assign_some, squared_distances,
};

/// The functions called below.
const ROWS: [&str; 8] = [
    "CostMatrix::from_fn",
    "CostMatrix::from_vec",
    "CostMatrix::row",
    "Plan::log_masses",
    "Plan::mass",
    "Plan::within",
    "assign_some",
    "squared_distances",
];

#[test]
fn every_public_function_with_numbers_has_a_row() {
    // `assign` and `Entropic`, whose numbers are those of the matrix, are called below as well.
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &ROWS, &[]);
}

fn assert_plan(what: &str, plan: &Plan<'_>) {
    let masses = plan.row_masses().into_iter().chain(plan.column_masses());
    assert!(masses.into_iter().all(|mass| mass.is_finite() && 0.0 <= mass), "{what}");
    let pairs = (0..plan.rows()).flat_map(|i| (0..plan.columns()).map(move |j| (i, j)));
    assert!(pairs.into_iter().all(|(i, j)| plan.mass(i, j).is_finite()), "{what}");
    assert!((0..plan.rows()).all(|i| plan.log_masses(i).all(|log| log < 1.0)), "{what}");
    assert!(plan.cost().is_finite(), "{what}: {}", plan.cost());
    let error = plan.marginal_error();
    assert!(error.is_finite() && 0.0 <= error, "{what}: {error}");
    assert_eq!(plan.clone().within(error).as_ref(), Ok(plan), "{what}");
    assert!(plan.clone().within(f64::NAN).is_err(), "{what}");
}

/// Solves every problem about the costs.
fn solve_all(what: &str, cost: &CostMatrix) {
    let fewer = cost.rows().min(cost.columns());
    match assign(cost) {
        Ok(found) => {
            assert_eq!(found.rows.len(), fewer, "{what}");
            assert!(found.cost().is_finite(), "{what}: {}", found.cost());
            assert!(found.pairs().all(|(i, j)| cost.row(i)[j].is_finite()), "{what}");
        }
        Err(error) => {
            assert!(matches!(error, TransportError::Infeasible { .. }), "{what}: {error}");
        }
    }
    for pairs in [0, 1, fewer, fewer + 1] {
        match assign_some(cost, pairs) {
            Ok(found) => assert_eq!(found.pairs().count(), pairs, "{what}"),
            Err(TransportError::PairCount { .. }) => assert_eq!(pairs, fewer + 1, "{what}"),
            Err(error) => {
                assert_eq!(error, TransportError::TooFewAllowed { pairs }, "{what}");
            }
        }
    }
    for relaxation in [None, Some(1.0)] {
        let problem = Entropic { relaxation, ..Entropic::default() };
        match problem.solve(cost, &|| false) {
            Ok(plan) => assert_plan(what, &plan),
            Err(error) => assert!(!error.to_string().is_empty(), "{what}"),
        }
    }
}

#[test]
fn points_of_every_kind_are_transported_or_refused_by_row() {
    for dim in [1, 3, 8] {
        let sets = awkward::rows(6, dim);
        for a in &sets {
            for b in &sets {
                let what = format!("{} against {}, dim {dim}", a.name, b.name);
                let start = Instant::now();
                match squared_distances(&a.rows, &b.rows, dim) {
                    Ok(cost) => {
                        assert!(a.finite && b.finite, "{what}");
                        assert!(cost.as_slice().iter().all(|c| c.is_finite()), "{what}");
                        solve_all(&what, &cost);
                    }
                    Err(TransportError::Coordinate { set, row, value }) => {
                        let rows = if set == "first" { &a.rows } else { &b.rows };
                        let numbers = &rows[row * dim..(row + 1) * dim];
                        let named = numbers.iter().any(|x| x.to_bits() == value.to_bits());
                        assert!(named && !value.is_finite(), "{what}: {set} {row} {value}");
                    }
                    Err(other) => panic!("{what}: {other}"),
                }
                assert!(start.elapsed() < Duration::from_secs(1), "{what}: {:?}", start.elapsed());
            }
        }
    }
}

type Cost<'a> = (&'a str, &'a dyn Fn(usize, usize) -> f64);

#[test]
fn costs_of_every_kind_are_solved_or_refused_by_entry() {
    let scalars = awkward::SCALARS.into_iter().chain([
        ("the least f64", 5e-324),
        ("nearly the largest f64", 1e300),
        ("its negative", -1e300),
    ]);
    for (name, value) in scalars {
        for n in [1, 2, 3, 9] {
            let ordinary = |i: usize, j: usize| ((7 * i + 3 * j + i * j) % 11) as f64;
            let kinds: [Cost<'_>; 3] = [
                ("everywhere", &|_, _| value),
                ("in one entry", &|i, j| if (i, j) == (n / 2, 0) { value } else { ordinary(i, j) }),
                ("in one row", &|i, j| if i == n / 2 { value } else { ordinary(i, j) }),
            ];
            for (kind, cost) in kinds {
                let what = format!("{name} {kind} of {n}");
                let start = Instant::now();
                match CostMatrix::from_fn(n, n, cost) {
                    Ok(cost) => solve_all(&what, &cost),
                    Err(TransportError::Cost { row, column, value: found }) => {
                        assert_eq!(found.to_bits(), cost(row, column).to_bits(), "{what}");
                        assert!(found.is_nan() || found == f64::NEG_INFINITY, "{what}");
                    }
                    Err(other) => panic!("{what}: {other}"),
                }
                assert!(start.elapsed() < Duration::from_secs(1), "{what}: {:?}", start.elapsed());
            }
        }
    }
}

#[test]
fn parameters_of_every_kind_give_a_plan_or_an_error() {
    let cost = CostMatrix::from_fn(4, 4, |i, j| (i as f64 - j as f64).powi(2)).unwrap();
    for (name, value) in awkward::SCALARS {
        for other in [0.05, value] {
            let problems = [
                Entropic { epsilon: Epsilon::Absolute(value), ..Entropic::default() },
                Entropic { epsilon: Epsilon::OfMeanCost(value), ..Entropic::default() },
                Entropic {
                    epsilon: Epsilon::OfMeanCost(other),
                    relaxation: Some(value),
                    ..Entropic::default()
                },
                Entropic { tolerance: value, ..Entropic::default() },
                Entropic { max_iterations: 0, ..Entropic::default() },
            ];
            for problem in problems {
                let what = format!("{name}: {problem:?}");
                let start = Instant::now();
                if let Ok(plan) = problem.solve(&cost, &|| false) {
                    assert_plan(&what, &plan);
                }
                if let Ok(plan) = problem.plan(&cost) {
                    assert!(plan.marginal_error() <= problem.tolerance, "{what}");
                }
                assert!(start.elapsed() < Duration::from_secs(1), "{what}: {:?}", start.elapsed());
            }
        }
    }
}

#[test]
#[should_panic(expected = "expected 2 rows of 3 costs")]
fn a_matrix_of_another_size_panics() {
    let _ = CostMatrix::from_vec(2, 3, vec![0.0; 5]);
}

#[test]
#[should_panic(expected = "not a multiple of 2")]
fn points_of_broken_rows_panic() {
    let _ = squared_distances(&[0.0; 3], &[0.0; 4], 2);
}
