//! Vector-Jacobian products.

use burn::tensor::Tensor;

/// A function of rows `f(x)` and, for each row, `(df/dx)^T v`, with `v` chosen when `f(x)` is
/// known.
///
/// The tape holds this one evaluation and nothing but its input is tracked, so that memory is that
/// of one batch, forward and backward. Burn's tape is consumed by its backward pass: a further `v`
/// takes a further evaluation.
///
/// # Panics
/// If `f(x)`, which is called by `name`, carries no gradient.
pub(crate) fn pull_back(
    name: &str,
    f: impl FnOnce(&Tensor<2>) -> Tensor<2>,
    x: Tensor<2>,
    v: impl FnOnce(&Tensor<2>) -> Tensor<2>,
) -> (Tensor<2>, Tensor<2>) {
    let x = x.without_autodiff().autodiff().require_grad();
    let tracked = f(&x);
    assert!(
        tracked.is_tracked(),
        "expected a {name} computed from x by tensor operations, got one without a gradient"
    );
    let value = tracked.clone().inner();
    let gradients = (tracked * v(&value).autodiff()).sum().backward();
    let pulled = x.grad(&gradients).expect("x is the one tracked input of the function");
    (value, pulled)
}
