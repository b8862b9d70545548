//! Conditions that every tableau must satisfy.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

use flow_ode::Method;
use flow_ode::tableau::{ErrorEstimate, Interpolant, RODAS5P, Tableau};

fn tableaus() -> impl Iterator<Item = &'static Tableau> {
    Method::ALL.iter().filter_map(|method| method.tableau())
}

/// Coefficients are sums of some ten terms of size up to 50, printed to 16 digits.
const ROUNDING: f64 = 1e-13;

#[test]
fn nodes_are_row_sums() {
    for tableau in tableaus() {
        for (i, (row, c)) in tableau.a.iter().zip(tableau.c).enumerate() {
            assert_eq!(row.len(), i, "{}", tableau.name);
            let sum: f64 = row.iter().sum();
            assert!((sum - c).abs() < ROUNDING, "{} row {i}: {sum} is not {c}", tableau.name);
        }
    }
}

#[test]
fn weights_integrate_powers_up_to_the_order() {
    for tableau in tableaus() {
        for power in 0..tableau.order {
            let moments =
                tableau.b.iter().zip(tableau.c).map(|(b, c)| b * c.powf(f64::from(power)));
            let (sum, exact) = (moments.sum::<f64>(), 1.0 / f64::from(power + 1));
            assert!((sum - exact).abs() < ROUNDING, "{}: c^{power} gives {sum}", tableau.name);
        }
    }
}

#[test]
fn conditions_of_trees_with_a_branch_hold() {
    // sum b_i a_ij c_j = 1/6 from order 3 on, sum b_i c_i a_ij c_j = 1/8 from order 4 on.
    for tableau in tableaus() {
        let inner: Vec<f64> = tableau
            .a
            .iter()
            .map(|row| row.iter().zip(tableau.c).map(|(a, c)| a * c).sum())
            .collect();
        let weighted = |power: i32| -> f64 {
            let terms = tableau.b.iter().zip(tableau.c).zip(&inner);
            terms.map(|((b, c), inner)| b * c.powi(power) * inner).sum()
        };
        if tableau.order >= 3 {
            assert!((weighted(0) - 1.0 / 6.0).abs() < ROUNDING, "{}", tableau.name);
        }
        if tableau.order >= 4 {
            assert!((weighted(1) - 1.0 / 8.0).abs() < ROUNDING, "{}", tableau.name);
        }
    }
}

#[test]
fn error_weights_sum_to_zero() {
    for tableau in tableaus() {
        let sums = match tableau.error {
            ErrorEstimate::Embedded { weights, .. } => vec![weights.iter().sum::<f64>()],
            ErrorEstimate::Dop853 { e5, e3 } => vec![e5.iter().sum(), e3.iter().sum()],
            _ => Vec::new(),
        };
        assert!(sums.iter().all(|sum| sum.abs() < ROUNDING), "{}: {sums:?}", tableau.name);
    }
}

#[test]
fn every_slope_that_moves_the_state_enters_the_error() {
    // So that a slope that is not finite can never pass unnoticed.
    for tableau in tableaus() {
        let (ErrorEstimate::Embedded { weights, .. } | ErrorEstimate::Dop853 { e5: weights, .. }) =
            tableau.error
        else {
            continue;
        };
        let pairs = tableau.b.iter().zip(weights);
        assert!(pairs.clone().all(|(b, e)| *b == 0.0 || *e != 0.0), "{}", tableau.name);
    }
}

#[test]
fn last_stage_is_the_new_state_where_it_is_reused() {
    for tableau in tableaus().filter(|tableau| tableau.fsal) {
        let last = tableau.a[tableau.stages() - 1];
        assert_eq!(last, &tableau.b[..last.len()], "{}", tableau.name);
        assert_eq!((tableau.c[last.len()], tableau.b[last.len()]), (1.0, 0.0), "{}", tableau.name);
    }
}

#[test]
fn interpolants_meet_the_weights_and_slopes_at_both_ends() {
    for tableau in tableaus() {
        let (Interpolant::Polynomial { weights, .. } | Interpolant::Extended { weights, .. }) =
            tableau.interpolant
        else {
            continue;
        };
        // b_i(1) = b_i; b_i'(0) = 1 for the first slope and b_i'(1) = 1 for that at the end.
        let tolerance = 1e-11; // septic weights of size 500 cancel
        for (i, w) in weights.iter().enumerate() {
            let at_end: f64 = w.iter().sum();
            let b = tableau.b.get(i).copied().unwrap_or(0.0);
            assert!((at_end - b).abs() < tolerance, "{} b_{i}(1) = {at_end}", tableau.name);
            let slope: f64 = w.iter().zip(1..).map(|(w, j)| w * f64::from(j)).sum();
            let expected = if i == tableau.stages() - 1 { 1.0 } else { 0.0 };
            assert!((slope - expected).abs() < tolerance, "{} b_{i}'(1) = {slope}", tableau.name);
            let expected = if i == 0 { 1.0 } else { 0.0 };
            assert!((w[0] - expected).abs() < tolerance, "{} b_{i}'(0)", tableau.name);
        }
    }
}

/// The matrices `alpha` and `beta = alpha + Gamma` and the weights `b` of Rodas5P in the form of
/// section IV.7 of Hairer & Wanner, from the one that saves products: `Gamma^-1 = I / gamma - C`,
/// `alpha = A Gamma`, `b = m Gamma`.
#[expect(clippy::type_complexity, reason = "two matrices and two vectors, as in the book")]
#[expect(clippy::needless_range_loop, reason = "rows and columns, as in the formula")]
fn rodas5p() -> (Vec<Vec<f64>>, Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
    let s = RODAS5P.stages();
    // Column by column of the lower triangle: (I / gamma) x - C x = e.
    let mut gamma = vec![vec![0.0; s]; s];
    for j in 0..s {
        for i in j..s {
            let above: f64 = (j..i).map(|k| RODAS5P.shifts[i][k] * gamma[k][j]).sum();
            gamma[i][j] = RODAS5P.gamma * (if i == j { 1.0 } else { 0.0 } + above);
        }
    }
    let times_gamma = |row: &[f64]| -> Vec<f64> {
        (0..s).map(|j| row.iter().zip(&gamma).map(|(a, row)| a * row[j]).sum()).collect()
    };
    let alpha: Vec<Vec<f64>> = RODAS5P.a.iter().map(|row| times_gamma(row)).collect();
    let beta = alpha.iter().zip(&gamma);
    let beta = beta.map(|(a, g)| a.iter().zip(g).map(|(a, g)| a + g).collect()).collect();
    let mut companion = RODAS5P.b.to_vec();
    companion[s - 1] = 0.0; // the last stage is the error estimate
    (alpha, beta, times_gamma(RODAS5P.b), times_gamma(&companion))
}

fn apply(matrix: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
}

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

#[test]
fn rodas5p_meets_all_seventeen_conditions_of_order_five_and_its_companion_those_of_order_four() {
    let (alpha, beta, b, companion) = rodas5p();
    let one = vec![1.0; RODAS5P.stages()];
    let (c, bc) = (apply(&alpha, &one), apply(&beta, &one));
    let power = |n: i32| c.iter().map(|c| c.powi(n)).collect::<Vec<f64>>();
    let inner = apply(&alpha, &bc);
    // Trees by order: what the weights meet, and the value. Hairer & Wanner, table IV.7.1.
    let trees: Vec<(u32, Vec<f64>, f64)> = vec![
        (1, one.clone(), 1.0),
        (2, bc.clone(), 2.0),
        (3, power(2), 3.0),
        (3, apply(&beta, &bc), 6.0),
        (4, power(3), 4.0),
        (4, product(&c, &inner), 8.0),
        (4, apply(&beta, &power(2)), 12.0),
        (4, apply(&beta, &apply(&beta, &bc)), 24.0),
        (5, power(4), 5.0),
        (5, product(&power(2), &inner), 10.0),
        (5, product(&inner, &inner), 20.0),
        (5, product(&c, &apply(&alpha, &power(2))), 15.0),
        (5, product(&c, &apply(&alpha, &apply(&beta, &bc))), 30.0),
        (5, apply(&beta, &power(3)), 20.0),
        (5, apply(&beta, &product(&c, &inner)), 40.0),
        (5, apply(&beta, &apply(&beta, &power(2))), 60.0),
        (5, apply(&beta, &apply(&beta, &apply(&beta, &bc))), 120.0),
    ];
    let defect = |weights: &[f64], tree: &[f64], value: f64| {
        (weights.iter().zip(tree).map(|(b, x)| b * x).sum::<f64>() - 1.0 / value).abs()
    };
    for (order, tree, value) in &trees {
        // The coefficients of the product-free form reach 165.
        let found = defect(&b, tree, *value);
        assert!(found < ROUNDING, "order {order}, 1/{value}: {found:e}");
        let found = defect(&companion, tree, *value);
        assert!(*order == 5 || found < ROUNDING, "companion, order {order}, 1/{value}: {found:e}");
    }
    let fifth = trees.iter().filter(|(order, ..)| *order == 5);
    let least = fifth.map(|(_, tree, value)| defect(&companion, tree, *value)).fold(1.0, f64::min);
    assert!(least > 1e-5, "no fifth-order term escapes the estimate: {least:e}");
}

#[test]
fn nodes_and_time_weights_of_rodas5p_are_row_sums() {
    let (alpha, beta, ..) = rodas5p();
    for i in 0..RODAS5P.stages() {
        let (node, both): (f64, f64) = (alpha[i].iter().sum(), beta[i].iter().sum());
        assert!((node - RODAS5P.c[i]).abs() < ROUNDING, "row {i}: {node}");
        assert!((both - node - RODAS5P.time[i]).abs() < ROUNDING, "row {i}: {both}");
    }
}
