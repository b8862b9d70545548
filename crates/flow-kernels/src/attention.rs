//! Scaled dot-product attention.

use burn::tensor::{Tensor, activation::softmax};

/// `softmax(q k^T / sqrt(d)) v` for each sample and head.
///
/// For `g = dL/dy`, `P = softmax(q k^T / sqrt(d))` and `dP = g v^T`: `dL/dv = P^T g`,
/// `dS = P (dP - rowsum(P dP))`, `dL/dq = dS k / sqrt(d)`, `dL/dk = dS^T q / sqrt(d)`. The kernel
/// keeps the logarithm of each row's normaliser and recomputes `P` block by block, so that no
/// `N x N` matrix is stored; `rowsum(P dP)` equals `rowsum(g y)`.
///
/// # Shapes
/// `q`, `k`, `v` and the result: `[B, heads, N, d]`.
///
/// # Panics
/// If the three shapes differ.
///
/// # Reference
/// Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, equation 1; the gradient
/// without the score matrix: Dao et al. (2022), "FlashAttention", arXiv:2205.14135.
#[must_use]
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    let dims = q.dims();
    for (name, other) in [("keys", k.dims()), ("values", v.dims())] {
        assert!(
            other == dims,
            "attention: expected {name} of the queries' shape {dims:?}, got {other:?}"
        );
    }
    #[cfg(feature = "flex")]
    if crate::flex::runs(&q) {
        return crate::flex::attention(q, k, v);
    }
    composition(q, k, v)
}

fn composition(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    let [_, _, _, d] = q.dims();
    let scores = q.matmul(k.swap_dims(2, 3)) / (d as f64).sqrt();
    softmax(scores, 3).matmul(v)
}
