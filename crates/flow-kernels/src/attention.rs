//! Scaled dot-product attention.

use std::sync::Arc;

use burn::tensor::{Bool, Int, Shape, Tensor, TensorData, activation::softmax};

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
    check(&q, &k, &v);
    #[cfg(feature = "flex")]
    if crate::flex::runs(&q) {
        return crate::flex::attention(q, k, v, None);
    }
    composition(q, k, v)
}

/// [`attention`] within the first `lengths[i]` tokens of each sample `i`: those behind them are
/// attended to by none, are zero in the result and have a gradient of zero. The kernel does not
/// compute them.
///
/// # Shapes
/// `q`, `k`, `v` and the result: `[B, heads, N, d]`; a length for each of the `B` samples.
///
/// # Panics
/// If the three shapes differ, or there is not one length of at most `N` for each sample.
#[must_use]
pub fn attention_within(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    lengths: &Arc<[usize]>,
) -> Tensor<4> {
    check(&q, &k, &v);
    let [batch, _, tokens, _] = q.dims();
    let fits = lengths.len() == batch && lengths.iter().all(|&length| length <= tokens);
    assert!(
        fits,
        "attention: expected {batch} lengths of at most {tokens} tokens, got {lengths:?}"
    );
    #[cfg(feature = "flex")]
    if crate::flex::runs(&q) {
        return crate::flex::attention(q, k, v, Some(Arc::clone(lengths)));
    }
    composition_within(q, k, v, lengths)
}

fn check(q: &Tensor<4>, k: &Tensor<4>, v: &Tensor<4>) {
    let dims = q.dims();
    for (name, other) in [("keys", k.dims()), ("values", v.dims())] {
        assert!(
            other == dims,
            "attention: expected {name} of the queries' shape {dims:?}, got {other:?}"
        );
    }
}

fn composition(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    softmax(scores(q, k), 3).matmul(v)
}

fn scores(q: Tensor<4>, k: Tensor<4>) -> Tensor<4> {
    let [_, _, _, d] = q.dims();
    q.matmul(k.swap_dims(2, 3)) / (d as f64).sqrt()
}

fn composition_within(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, lengths: &[usize]) -> Tensor<4> {
    let [batch, heads, tokens, d] = q.dims();
    let places = Tensor::<1, Int>::arange(0..tokens as i64, &q.device()).unsqueeze::<2>();
    let ends: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
    let ends = Tensor::<2, Int>::from_data(TensorData::new(ends, [batch, 1]), &q.device());
    let behind: Tensor<2, Bool> = places.greater_equal(ends); // [B, N]
    let keys = behind.clone().reshape([batch, 1, 1, tokens]);
    // Finite, so that a sample without tokens makes no NaN on its way to zero.
    let scores = scores(q, k);
    let lowest = scores.dtype().finfo().map_or(f64::from(f32::MIN), |of| of.min);
    let keys = keys.expand(Shape::new([batch, heads, tokens, tokens]));
    let y = softmax(scores.mask_fill(keys, lowest), 3).matmul(v);
    let queries = behind.reshape([batch, 1, tokens, 1]);
    y.mask_fill(queries.expand(Shape::new([batch, heads, tokens, d])), 0.0)
}
