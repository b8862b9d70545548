//! Parts of a network that a tape does not keep, but computes a second time.

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::part::Recomputed;

/// `f(x, c; w)` as one step of the tape of `x`, `c` and `weights`, which are all of `w` in one row:
/// the backward pass computes the step again. Nothing if `x` is on no tape of burn-flex, where
/// there is nothing to save or no step of our own.
///
/// Memory is that of the inputs of all such steps and of the inside of one, time that of one more
/// forward pass. Gradients have the bits that they have without it.
///
/// # Shapes
/// - `x` and output: `[B, tokens, width]`
/// - `c`: `[B, width of c]`; `weights`: `[number of weights]`
///
/// # Reference
/// Chen, Xu, Zhang & Guestrin (2016), "Training Deep Nets with Sublinear Memory Cost",
/// arXiv:1604.06174.
#[must_use]
pub fn recomputed(
    x: &Tensor<3>,
    c: &Tensor<2>,
    weights: impl FnOnce() -> Tensor<1>,
    part: impl FnOnce() -> Arc<dyn Recomputed>,
) -> Option<Tensor<3>> {
    #[cfg(feature = "flex")]
    if x.is_autodiff() && crate::flex::runs(x) {
        return Some(crate::flex::recomputed(x.clone(), c.clone(), weights(), part()));
    }
    // Without the kernels neither is asked for.
    let _ = (x, c, weights, part);
    None
}
