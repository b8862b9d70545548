//! Transport between masses: against assignments of repeated points, and its marginals.

mod common;

use common::{assert_close, matrix, points};
use flow_transport::{CostMatrix, Shipment, TransportError, assign, squared_distances, transport};

fn cost_of(cost: &CostMatrix, plan: &[Shipment]) -> f64 {
    plan.iter().map(|s| s.mass as f64 * cost.row(s.row)[s.column]).sum()
}

/// The cost of the same problem as an assignment in which each point appears as often as it has
/// units.
fn repeated(cost: &CostMatrix, rows: &[u64], columns: &[u64]) -> f64 {
    let copies = |masses: &[u64]| -> Vec<usize> {
        let each = |(k, &mass): (usize, &u64)| vec![k; mass as usize];
        masses.iter().enumerate().flat_map(each).collect()
    };
    let (i, j) = (copies(rows), copies(columns));
    let big = CostMatrix::from_fn(i.len(), j.len(), |a, b| cost.row(i[a])[j[b]]);
    assign(&big.expect("few points")).expect("every pair is allowed").cost()
}

fn assert_marginals(plan: &[Shipment], rows: &[u64], columns: &[u64]) {
    let (mut out, mut into) = (vec![0; rows.len()], vec![0; columns.len()]);
    for s in plan {
        assert!(0 < s.mass, "{s:?}");
        out[s.row] += s.mass;
        into[s.column] += s.mass;
    }
    assert_eq!((&out[..], &into[..]), (rows, columns));
}

#[test]
fn plans_cost_what_assignments_of_repeated_points_do() {
    for seed in 0..30 {
        let (n, m) = (1 + seed as usize % 7, 1 + seed as usize % 5);
        let cost = matrix(n, m, seed);
        // Masses of all sizes, the last column taking what is left; a few are zero.
        let rows: Vec<u64> =
            (0..n as u64).map(|i| (i * 5 + seed) % 7 + u64::from(i == 0)).collect();
        let mut left: u64 = rows.iter().sum();
        let mut columns: Vec<u64> = (1..m as u64).map(|j| left.min((j * 3 + seed) % 5)).collect();
        for mass in &mut columns {
            *mass = left.min(*mass);
            left -= *mass;
        }
        columns.push(left);
        let plan = transport(&cost, &rows, &columns).unwrap();
        assert_marginals(&plan, &rows, &columns);
        assert_close(cost_of(&cost, &plan), repeated(&cost, &rows, &columns), 1e-9);
        // No cycle: a plan at a corner has fewer shipments than rows and columns.
        assert!(plan.len() < n + m, "{} of {n} and {m}", plan.len());
    }
}

#[test]
fn sets_of_two_sizes_meet_evenly() {
    let (a, b) = (points(60, 3, 1), points(45, 3, 2));
    let cost = squared_distances(&a, &b, 3).unwrap();
    let (rows, columns) = ([3; 60], [4; 45]);
    let plan = transport(&cost, &rows, &columns).unwrap();
    assert_marginals(&plan, &rows, &columns);
    assert_close(cost_of(&cost, &plan), repeated(&cost, &rows, &columns), 1e-9);
}

#[test]
fn forbidden_pairs_and_masses_that_differ_are_named() {
    let cost = CostMatrix::from_vec(2, 2, vec![1.0, f64::INFINITY, 1.0, f64::INFINITY]).unwrap();
    assert_eq!(transport(&cost, &[1, 1], &[2, 0]).unwrap().len(), 2);
    let error = transport(&cost, &[1, 1], &[1, 1]).unwrap_err();
    assert_eq!(error, TransportError::Infeasible { side: "row", index: 1 });
    let error = transport(&cost, &[1, 1], &[1, 2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the rows send 2 units and the columns take 3: give both as many"
    );
    let none = CostMatrix::from_vec(0, 0, Vec::new()).unwrap();
    assert_eq!(transport(&none, &[], &[]), Ok(Vec::new()));
}
