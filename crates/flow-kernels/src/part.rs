//! Parts of a network that can be computed a second time.

use std::fmt::Debug;

use burn::tensor::Tensor;

/// A part `y = f(x, c; w)` of a network with weights `w`, of which a tape keeps what goes in and
/// not what is computed inside.
///
/// It must give the same numbers whenever it is asked, and its tensors must be on no other tape.
pub trait Recomputed: Debug + Send + Sync {
    /// `f(x, c; w)` of tensors without a tape.
    fn forward(&self, x: Tensor<3>, c: Tensor<2>) -> Tensor<3>;

    /// The gradients of `sum(g f(x, c; w))` with respect to `x`, to `c` and to all of `w` in one
    /// row, all of them without a tape: `f` is computed again, on a tape of its own.
    fn gradients(
        &self,
        x: Tensor<3>,
        c: Tensor<2>,
        g: Tensor<3>,
    ) -> (Tensor<3>, Tensor<2>, Tensor<1>);
}
