//! Assignments: optimality, forbidden pairs, and costs of every size.

mod common;

use common::{assert_close, brute_force, matrix, number, points, square};
use flow_transport::{
    Assignment, CostMatrix, TransportError, assign, assign_some, squared_distances,
};

fn total(cost: &CostMatrix, pairs: impl Iterator<Item = (usize, usize)>) -> f64 {
    pairs.map(|(i, j)| cost.row(i)[j]).sum()
}

/// Whether no row and no column is used twice, and as many as can be are used.
fn is_one_to_one(cost: &CostMatrix, found: &Assignment) -> bool {
    let distinct = |indices: &[usize], n: usize| {
        let mut sorted = indices.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() == indices.len() && sorted.iter().all(|&i| i < n)
    };
    found.rows.len() == cost.rows().min(cost.columns())
        && found.rows.is_sorted()
        && distinct(&found.rows, cost.rows())
        && distinct(&found.columns, cost.columns())
}

/// Dual feasibility and complementary slackness, which prove optimality.
fn assert_proven(cost: &CostMatrix, found: &Assignment, rounding: f64) {
    for i in 0..cost.rows() {
        for j in 0..cost.columns() {
            let slack = cost.row(i)[j] - found.row_duals[i] - found.column_duals[j];
            assert!(slack > -rounding, "slack {slack} at {i}, {j}");
        }
    }
    for (i, j) in found.pairs() {
        let slack = cost.row(i)[j] - found.row_duals[i] - found.column_duals[j];
        assert!(slack < rounding, "assigned {i}, {j} with slack {slack}");
    }
    let left_out = |used: &[usize], duals: &[f64]| {
        for (k, dual) in duals.iter().enumerate() {
            assert!(used.len() == duals.len() || *dual <= rounding, "dual {dual} of {k}");
            assert!(used.contains(&k) || dual.abs() <= rounding, "left out with dual {dual}");
        }
    };
    left_out(&found.rows, &found.row_duals);
    left_out(&found.columns, &found.column_duals);
}

#[test]
fn assignments_cost_what_brute_force_finds() {
    for rows in 1..=6 {
        for columns in 1..=6 {
            for seed in 0..20 {
                let cost = matrix(rows, columns, seed);
                let found = assign(&cost).unwrap();
                assert!(is_one_to_one(&cost, &found), "{found:?}");
                let best = brute_force(&cost, 0, rows.min(columns), 0);
                assert_close(total(&cost, found.pairs()), best, 1e-12);
                assert_close(found.cost(), best, 1e-12);
                assert_proven(&cost, &found, 1e-12);
            }
        }
    }
}

#[test]
fn assignments_cost_what_scipy_finds() {
    for (name, rows, columns) in
        [("square_256", 256, 256), ("wide_100_250", 100, 250), ("tall_250_100", 250, 100)]
    {
        let cost = matrix(rows, columns, 1);
        let found = assign(&cost).unwrap();
        assert_close(total(&cost, found.pairs()), number(name), 1e-12);
        assert_proven(&cost, &found, 1e-9);
    }
    // Eight squares and more are added in single precision, fewer in double.
    for (name, n, m, dim, tolerance) in
        [("points_256", 256, 256, 8, 1e-6), ("points_60_200", 60, 200, 3, 1e-6)]
    {
        let cost = squared_distances(&points(n, dim, 2), &points(m, dim, 3), dim).unwrap();
        assert_close(assign(&cost).unwrap().cost(), number(name), tolerance);
    }
}

#[test]
fn duals_prove_an_assignment_optimal() {
    let equal = square(30, |_, _| 2.0);
    let ties = square(40, |i, j| ((i * 7 + j * 3) % 4) as f64);
    let steep = square(50, |i, j| ((i + 1) * (j + 1)) as f64);
    let wide = CostMatrix::from_fn(20, 33, |i, j| ((i * 7 + j * 3) % 4) as f64).unwrap();
    // Large squares start from half of their rows and columns, odd ones from the larger half.
    let large_equal = square(130, |_, _| 2.0);
    let large_ties = square(201, |i, j| ((i * 7 + j * 3) % 4) as f64);
    // Here the half is of another law than the rest, and its duals are far from right.
    let uneven = square(150, |i, j| ((i * j) % 13) as f64 + if i % 2 == 0 { 1e3 } else { 0.0 });
    let large = [matrix(257, 257, 9), large_equal, large_ties, uneven];
    for cost in [matrix(120, 120, 9), equal, ties, steep, wide].into_iter().chain(large) {
        let found = assign(&cost).unwrap();
        assert!(is_one_to_one(&cost, &found));
        assert_proven(&cost, &found, 1e-9);
    }
}

#[test]
fn a_pairing_other_than_the_optimal_one_costs_more() {
    let cost = matrix(64, 64, 4);
    let identity = total(&cost, (0..64).map(|i| (i, i)));
    assert!(assign(&cost).unwrap().cost() < 0.2 * identity);
}

type Cost<'a> = (&'a str, &'a dyn Fn(usize, usize) -> f64);

#[test]
fn forbidden_pairs_are_avoided_or_named() {
    let inf = f64::INFINITY;
    // A half of 80 has no crossing pair, and the odd columns of 131 have none with the even rows.
    for n in [3, 9, 80, 131] {
        let ordinary = |i: usize, j: usize| ((7 * i + 3 * j + i * j) % 11) as f64;
        let only_crossing = square(n, |i, j| if i + j == n - 1 { 1.0 } else { inf });
        let found = assign(&only_crossing).unwrap();
        assert!(found.pairs().all(|(i, j)| i + j == n - 1), "{found:?}");
        assert_close(found.cost(), n as f64, 1e-12);
        let cases: [Cost<'_>; 4] = [
            ("all", &|_, _| inf),
            ("one row", &|i, j| if i == 1 { inf } else { ordinary(i, j) }),
            ("one column", &|i, j| if j == 1 { inf } else { ordinary(i, j) }),
            ("two rows for one column", &|i, j| {
                if i < 2 && j != 0 { inf } else { ordinary(i, j) }
            }),
        ];
        for (what, cost) in cases {
            let found = assign(&square(n, cost));
            assert!(matches!(found, Err(TransportError::Infeasible { .. })), "{what}: {found:?}");
        }
        // More columns than rows: a column without partner is left out.
        let wide = CostMatrix::from_fn(n, n + 2, |i, j| if j < 2 { inf } else { ordinary(i, j) });
        assert!(assign(&wide.unwrap()).unwrap().columns.iter().all(|&j| 2 <= j));
    }
}

#[test]
fn costs_that_are_no_numbers_are_refused_by_name() {
    for bad in [f64::NAN, f64::NEG_INFINITY] {
        let cost = CostMatrix::from_fn(3, 4, |i, j| if (i, j) == (1, 2) { bad } else { 1.0 });
        let Err(TransportError::Cost { row: 1, column: 2, value }) = cost else {
            panic!("{cost:?}")
        };
        assert_eq!(value.to_bits(), bad.to_bits());
    }
}

#[test]
fn costs_of_every_size_are_assigned_alike() {
    let ordinary = matrix(40, 40, 3);
    let expected = assign(&ordinary).unwrap();
    for exponent in [-1070, -1000, -300, 300, 1000, 1020] {
        let scale = 2f64.powi(exponent);
        let scaled = square(40, |i, j| ordinary.row(i)[j] * scale);
        let found = assign(&scaled).unwrap();
        // Of 2^-1074, the least number, costs near 2^-1070 keep no more than 4 digits.
        if exponent > -1070 {
            assert_eq!(found.columns, expected.columns, "at 2^{exponent}");
        }
        let finite = found.row_duals.iter().chain(&found.column_duals).all(|d| d.is_finite());
        assert!(is_one_to_one(&scaled, &found) && finite, "at 2^{exponent}");
    }
}

#[test]
fn far_points_are_paired_in_order() {
    for (n, dim) in [(2, 1), (2, 8), (3, 8), (9, 8), (16, 8), (12, 3)] {
        for scale in [1e-40_f32, 1e-24, 1.0, 1e19, 1e30, 3.0e38 / n as f32] {
            let rows = |of: &dyn Fn(usize) -> f32| -> Vec<f32> {
                (0..n * dim).map(|k| of(k / dim)).collect()
            };
            let (up, down) = (rows(&|i| i as f32 * scale), rows(&|i| (n - 1 - i) as f32 * scale));
            let found = assign(&squared_distances(&up, &down, dim).unwrap()).unwrap();
            let reversed: Vec<usize> = (0..n).rev().collect();
            assert_eq!(found.columns, reversed, "{n} rows of {dim}, scale {scale}");
        }
    }
}

#[test]
fn sets_too_large_for_memory_are_an_error() {
    let far = vec![0.0_f32; 1 << 20];
    let found = squared_distances(&far, &far, 1);
    assert!(matches!(found, Err(TransportError::TooLarge { rows: 0x10_0000, .. })));
    let message = squared_distances(&far[..40_000], &far[..40_000], 1).unwrap_err().to_string();
    assert!(message.contains("12800000000 bytes"), "{message}");
    assert!(CostMatrix::from_fn(usize::MAX, 2, |_, _| 0.0).is_err());
}

#[test]
fn nothing_is_assigned_to_nothing() {
    for (rows, columns) in [(0, 0), (0, 3), (3, 0)] {
        let found = assign(&CostMatrix::from_vec(rows, columns, vec![]).unwrap()).unwrap();
        assert!(found.rows.is_empty() && found.columns.is_empty());
        assert_eq!((found.row_duals.len(), found.column_duals.len()), (rows, columns));
    }
}

#[test]
fn partial_assignments_cost_what_brute_force_and_linear_programs_find() {
    for (rows, columns) in [(4, 4), (5, 3), (3, 6)] {
        for pairs in 0..=rows.min(columns) {
            for seed in 0..10 {
                let cost = matrix(rows, columns, seed);
                let found = assign_some(&cost, pairs).unwrap();
                assert_eq!(found.pairs().count(), pairs);
                assert_eq!(found.left_out.len(), columns - pairs);
                let best = brute_force(&cost, 0, pairs, 0);
                assert_close(total(&cost, found.pairs()), best, 1e-12);
            }
        }
    }
    for (name, rows, columns, pairs) in
        [("partial_12_9_5", 12, 9, 5), ("partial_20_20_17", 20, 20, 17)]
    {
        let cost = matrix(rows, columns, 4);
        let found = assign_some(&cost, pairs).unwrap();
        // The linear program is solved to 1e-9 or so.
        assert_close(total(&cost, found.pairs()), number(name), 1e-8);
    }
}

#[test]
fn partial_assignments_do_not_depend_on_the_unit_of_the_costs() {
    let ordinary = matrix(12, 12, 8);
    let expected = assign_some(&ordinary, 7).unwrap().columns;
    for exponent in [-1000, -200, -60, 60, 200, 1000] {
        let scaled = square(12, |i, j| ordinary.row(i)[j] * 2f64.powi(exponent));
        assert_eq!(assign_some(&scaled, 7).unwrap().columns, expected, "at 2^{exponent}");
    }
}

#[test]
fn partial_assignments_that_cannot_be_are_refused() {
    let cost = square(3, |i, j| if i < 2 && j != 0 { f64::INFINITY } else { 1.0 });
    assert_eq!(assign_some(&cost, 3), Err(TransportError::TooFewAllowed { pairs: 3 }));
    assert_eq!(assign_some(&cost, 2).unwrap().pairs().count(), 2);
    let many = TransportError::PairCount { pairs: 4, rows: 3, columns: 3 };
    assert_eq!(assign_some(&cost, 4), Err(many));
}
