//! Vector-Jacobian products from the autodiff tape.

use burn::tensor::Tensor;

use crate::adjoint::{AdjointField, Vjp};
use crate::field::VectorField;

/// A field `f(t, y, theta)` of tensors whose vector-Jacobian products come from the autodiff tape,
/// for [`adjoint`](crate::adjoint).
///
/// Each product tapes one evaluation and frees it; the solve itself keeps no tape.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use flow_ode::{AutodiffField, Method, Stepping, adjoint, solve};
///
/// let device = Device::flex();
/// let rate = Tensor::<1>::from_data([-0.4], &device);
/// let field = AutodiffField::new(
///     |_t, y: Tensor<2>, rate: Tensor<1>| y * rate.unsqueeze(),
///     rate,
/// );
/// let y0 = Tensor::<2>::from_data([[1.3]], &device);
/// let stepping = Stepping::Count(20);
/// let end = solve(&field, (0.0, 2.0), y0, Method::Rk4, &stepping).unwrap();
/// let loss = end.y.ones_like();
/// let gradient = adjoint(&field, (0.0, 2.0), end.y, loss, Method::Rk4, &stepping).unwrap();
/// assert!((gradient.params.into_scalar::<f32>() - 1.168255).abs() < 1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct AutodiffField<F, const P: usize> {
    field: F,
    params: Tensor<P>,
}

impl<F, const P: usize> AutodiffField<F, P> {
    /// The field `field(t, y, params)`.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use flow_ode::{AutodiffField, VectorField};
    /// let rate = Tensor::<1>::from_data([2.0], &Device::flex());
    /// let field = AutodiffField::new(|_t, y: Tensor<1>, rate: Tensor<1>| y * rate, rate);
    /// let y = Tensor::<1>::from_data([3.0], &Device::flex());
    /// assert_eq!(field.eval(0.0, &y).into_scalar::<f32>(), 6.0);
    /// ```
    pub fn new(field: F, params: Tensor<P>) -> Self {
        Self { field, params: params.without_autodiff() }
    }
}

impl<F, const D: usize, const P: usize> VectorField<Tensor<D>> for AutodiffField<F, P>
where
    F: Fn(f64, Tensor<D>, Tensor<P>) -> Tensor<D>,
{
    fn eval(&self, t: f64, y: &Tensor<D>) -> Tensor<D> {
        (self.field)(t, y.clone(), self.params.clone())
    }
}

impl<F, const D: usize, const P: usize> AdjointField<Tensor<D>> for AutodiffField<F, P>
where
    F: Fn(f64, Tensor<D>, Tensor<P>) -> Tensor<D>,
{
    type Params = Tensor<P>;

    fn zero_params(&self) -> Tensor<P> {
        self.params.zeros_like()
    }

    fn vjp(&self, t: f64, y: &Tensor<D>, w: &Tensor<D>) -> Vjp<Tensor<D>, Tensor<P>> {
        let y = y.clone().without_autodiff().autodiff().require_grad();
        let params = self.params.clone().autodiff().require_grad();
        let value = (self.field)(t, y.clone(), params.clone());
        let gradients = (value.clone() * w.clone().autodiff()).sum().backward();
        // A field that does not use one of them leaves it without a gradient.
        Vjp {
            value: value.inner(),
            state: y.grad(&gradients).unwrap_or_else(|| y.inner().zeros_like()),
            params: params.grad(&gradients).unwrap_or_else(|| params.inner().zeros_like()),
        }
    }
}
