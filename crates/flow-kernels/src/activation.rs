//! The activations that a kernel can apply to its result before it is written.

use burn::tensor::{
    Tensor,
    activation::{gelu, gelu_approximate, silu},
};

/// A function applied to every element of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// `z`.
    Identity,
    /// `z / (1 + exp(-z))`, with derivative `s (1 + z (1 - s))` for `s = 1 / (1 + exp(-z))`.
    ///
    /// # Reference
    /// Elfwing, Uchibe & Doya (2017), "Sigmoid-Weighted Linear Units for Neural Network Function
    /// Approximation in Reinforcement Learning", arXiv:1702.03118.
    Silu,
    /// `z Phi(z)` with the distribution function `Phi` of the standard normal, with derivative
    /// `Phi(z) + z exp(-z^2 / 2) / sqrt(2 pi)`; exact, not the approximation by `tanh`.
    ///
    /// # Reference
    /// Hendrycks & Gimpel (2016), "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.
    Gelu,
    /// `z (1 + tanh u) / 2 = z / (1 + exp(-2 u))` with `u = sqrt(2 / pi) (z + 0.044715 z^3)`, the
    /// approximation of [`Gelu`](Self::Gelu) that trained transformers contain; with
    /// `s = 1 / (1 + exp(-2 u))` its derivative is `s + 2 z s (1 - s) du/dz`.
    ///
    /// # Reference
    /// Hendrycks & Gimpel (2016), "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415,
    /// section 2.
    GeluTanh,
}

impl Activation {
    pub(crate) fn apply<const D: usize>(self, z: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => z,
            Self::Silu => silu(z),
            Self::Gelu => gelu(z),
            Self::GeluTanh => gelu_approximate(z),
        }
    }
}
