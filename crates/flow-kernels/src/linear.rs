//! Affine maps of rows followed by an activation.

use burn::tensor::{Tensor, module};

use crate::{Activation, Precision};

/// `y = act(x W + b)` for every row of `x`.
///
/// For `g = dL/dy`, `z = x W + b` and `dz = g act'(z)`: `dL/dx = dz W^T`, `dL/dW = x^T dz`,
/// `dL/db = sum_rows dz`.
///
/// # Shapes
/// `x`: `[N, in]`; `weight`: `[in, out]`, as in Burn's `Linear`; `bias`: `[out]`; result:
/// `[N, out]`.
///
/// # Panics
/// If the shapes do not fit.
#[must_use]
pub fn linear_act(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
) -> Tensor<2> {
    linear_act_in(x, weight, bias, act, Precision::F32)
}

/// [`linear_act`] with the operands of its products, `x W` and those of the gradients, rounded to a
/// precision where that [is native](Precision::is_native_to).
///
/// # Panics
/// If the shapes do not fit.
#[must_use]
pub fn linear_act_in(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
    precision: Precision,
) -> Tensor<2> {
    let ([_, inner], [rows, out]) = (x.dims(), weight.dims());
    assert!(
        inner == rows,
        "linear_act: expected a weight of shape [{inner}, {out}], got [{rows}, {out}]"
    );
    if let Some(bias) = &bias {
        let dims = bias.dims();
        assert!(dims == [out], "linear_act: expected a bias of shape [{out}], got {dims:?}");
    }
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::linear_act(x, weight, bias, act, precision);
    }
    // Only the kernels round.
    let _ = precision;
    composition(x, weight, bias, act)
}

fn composition(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    act: Activation,
) -> Tensor<2> {
    act.apply(module::linear(x, weight, bias))
}
