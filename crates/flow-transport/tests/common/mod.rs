//! Numbers shared with tests/reference/transport.py.
#![allow(dead_code, reason = "each test binary uses a part")]

use flow_transport::CostMatrix;

/// `n` numbers in `[0, 1)`, the same as in tests/reference/transport.py.
pub(crate) fn uniform(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

pub(crate) fn points(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    uniform(n * dim, seed).into_iter().map(|x| x as f32).collect()
}

pub(crate) fn matrix(rows: usize, columns: usize, seed: u64) -> CostMatrix {
    CostMatrix::from_vec(rows, columns, uniform(rows * columns, seed)).expect("ordinary numbers")
}

pub(crate) fn square(n: usize, cost: impl FnMut(usize, usize) -> f64) -> CostMatrix {
    CostMatrix::from_fn(n, n, cost).expect("ordinary numbers")
}

fn reference(name: &str) -> serde_json::Value {
    let text = include_str!("../reference/transport.json");
    let numbers: serde_json::Value = serde_json::from_str(text).expect("a JSON file");
    numbers[name].clone()
}

pub(crate) fn number(name: &str) -> f64 {
    reference(name).as_f64().expect("a number")
}

pub(crate) fn numbers(name: &str) -> Vec<f64> {
    serde_json::from_value(reference(name)).expect("numbers")
}

/// Passes when `got` is within `tolerance` of `want`, relative to the larger of `|want|` and one.
#[track_caller]
pub(crate) fn assert_close(got: f64, want: f64, tolerance: f64) {
    let error = (got - want).abs() / want.abs().max(1.0);
    assert!(error <= tolerance, "got {got}, want {want}: error {error:e} above {tolerance:e}");
}

/// The least cost of `left` pairs of the rows from `row` on with unused columns.
pub(crate) fn brute_force(cost: &CostMatrix, row: usize, left: usize, used: u32) -> f64 {
    if left == 0 {
        return 0.0;
    }
    if cost.rows() - row < left {
        return f64::INFINITY;
    }
    let without = brute_force(cost, row + 1, left, used);
    let with = (0..cost.columns())
        .filter(|j| used & (1 << j) == 0)
        .map(|j| cost.row(row)[j] + brute_force(cost, row + 1, left - 1, used | (1 << j)));
    with.fold(without, f64::min)
}
