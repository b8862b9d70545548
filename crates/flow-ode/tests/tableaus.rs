//! What every tableau must satisfy, whatever the problem.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

use flow_ode::Method;
use flow_ode::tableau::{ErrorEstimate, Interpolant, Tableau};

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
