//! Forward differentiation of scalar code.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number together with its derivative: scalar code run on it also differentiates itself.
///
/// # Example
/// ```
/// use flow_path::Dual;
///
/// let y = (Dual::variable(2.0) * 3.0).exp(); // e^{3t}
/// assert_eq!(y.derivative, 3.0 * y.value);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual {
    /// The value.
    pub value: f64,
    /// The derivative with respect to the variable.
    pub derivative: f64,
}

impl Dual {
    /// A constant: its derivative is zero.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self { value, derivative: 0.0 }
    }

    /// The variable of differentiation: its derivative is one.
    #[must_use]
    pub fn variable(value: f64) -> Self {
        Self { value, derivative: 1.0 }
    }

    /// Chain rule: `f(self)` given `f` and its slope at this value.
    #[must_use]
    pub fn chain(self, value: f64, slope: f64) -> Self {
        Self { value, derivative: slope * self.derivative }
    }

    /// `e^self`.
    #[must_use]
    pub fn exp(self) -> Self {
        self.chain(self.value.exp(), self.value.exp())
    }

    /// Natural logarithm.
    #[must_use]
    pub fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }

    /// Square root.
    #[must_use]
    pub fn sqrt(self) -> Self {
        self.chain(self.value.sqrt(), 0.5 / self.value.sqrt())
    }

    /// Sine, in radians.
    #[must_use]
    pub fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }

    /// Cosine, in radians.
    #[must_use]
    pub fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }

    /// Hyperbolic tangent.
    #[must_use]
    pub fn tanh(self) -> Self {
        let y = self.value.tanh();
        self.chain(y, 1.0 - y * y)
    }

    /// `self^exponent` for a constant exponent.
    #[must_use]
    pub fn powf(self, exponent: f64) -> Self {
        self.chain(self.value.powf(exponent), exponent * self.value.powf(exponent - 1.0))
    }
}

impl From<f64> for Dual {
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl<T: Into<Dual>> Add<T> for Dual {
    type Output = Self;
    fn add(self, other: T) -> Self {
        let other = other.into();
        Self { value: self.value + other.value, derivative: self.derivative + other.derivative }
    }
}

impl<T: Into<Dual>> Sub<T> for Dual {
    type Output = Self;
    fn sub(self, other: T) -> Self {
        self + -other.into()
    }
}

impl<T: Into<Dual>> Mul<T> for Dual {
    type Output = Self;
    fn mul(self, other: T) -> Self {
        let other = other.into();
        Self {
            value: self.value * other.value,
            derivative: self.derivative * other.value + self.value * other.derivative,
        }
    }
}

impl<T: Into<Dual>> Div<T> for Dual {
    type Output = Self;
    fn div(self, other: T) -> Self {
        let other = other.into();
        let value = self.value / other.value;
        Self { value, derivative: (self.derivative - value * other.derivative) / other.value }
    }
}

macro_rules! constant_on_the_left {
    ($($trait:ident :: $method:ident),*) => {$(
        impl $trait<Dual> for f64 {
            type Output = Dual;
            fn $method(self, other: Dual) -> Dual {
                Dual::constant(self).$method(other)
            }
        }
    )*};
}

constant_on_the_left!(Add::add, Sub::sub, Mul::mul, Div::div);
