//! Observations of data: the operator that made them and the law of their noise.

use burn::tensor::Tensor;

use super::operator::{LinearOperator, for_rows_of};
use crate::ends::first_row_not_finite;
use crate::error::SampleError;
use crate::pullback::pull_back;
use crate::sampler::within;

/// Something known about data `x_1`, by its likelihood `p(y | x_1)`.
pub trait Evidence {
    /// `grad_x1 log p(y | x_1)`.
    ///
    /// # Shapes
    /// - `data` and output: `[B, d]`
    fn gradient(&self, data: &Tensor<2>) -> Tensor<2>;

    /// How badly each row explains what is seen: the root mean square of its residuals, each in
    /// standard deviations of its noise.
    ///
    /// About 1 for the data that were observed. More means that something is left to explain, less
    /// that the noise has been explained too.
    ///
    /// # Shapes
    /// - `data`: `[B, d]`; output: `[B, 1]`
    fn misfit(&self, data: &Tensor<2>) -> Tensor<2>;
}

impl<E: Evidence + ?Sized> Evidence for &E {
    fn gradient(&self, data: &Tensor<2>) -> Tensor<2> {
        (**self).gradient(data)
    }

    fn misfit(&self, data: &Tensor<2>) -> Tensor<2> {
        (**self).misfit(data)
    }
}

/// The law of an observation `y` around its expectation given the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ObservationNoise {
    /// `y = z + std n` with a standard normal `n`.
    Gaussian {
        /// Standard deviation, in units of `y`.
        std: f64,
    },
    /// Counts: `y` is Poisson with the rate `gain (z + offset)`.
    ///
    /// Rates below [`LEAST_RATE`](Self::LEAST_RATE) are taken for that.
    Poisson {
        /// Expected counts for each unit of `z`.
        gain: f64,
        /// What makes `z` a rate: 1 for pictures from -1 on.
        offset: f64,
    },
}

impl ObservationNoise {
    /// Least rate of counts, which keeps the slope of their likelihood finite.
    pub const LEAST_RATE: f64 = 0.1;

    /// Least and largest noise, so that variances and their quotients are numbers of single
    /// precision.
    const SIZES: (f64, f64) = (1e-12, 1e12);

    fn check(self) -> Result<(), SampleError> {
        let positive = |name, value| {
            within(name, value, (f64::MIN_POSITIVE, f64::MAX))?;
            within(name, value, Self::SIZES).map(drop)
        };
        match self {
            Self::Gaussian { std } => positive("std of the observation", std),
            Self::Poisson { gain, offset } => {
                positive("gain of the observation", gain)?;
                within("offset of the observation", offset, (f64::MIN, f64::MAX)).map(drop)
            }
        }
    }

    /// Refuses what is no number, and counts that are not whole or below zero.
    fn check_seen(self, y: &Tensor<2>) -> Result<(), SampleError> {
        if let Some(row) = first_row_not_finite(y) {
            return Err(SampleError::Observation { row });
        }
        match self {
            Self::Poisson { .. } => {
                // The root of a number below zero is none.
                let broken = y.clone().not_equal(y.clone().round());
                first_row_not_finite(&y.clone().mask_fill(broken, f64::NAN).sqrt())
                    .map_or(Ok(()), |row| Err(SampleError::NoCount { row }))
            }
            Self::Gaussian { .. } => Ok(()),
        }
    }

    /// What `y` says about `z`, less `z`.
    fn residual(self, y: Tensor<2>, z: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gaussian { .. } => y - z,
            Self::Poisson { gain, offset } => y / gain - z - offset,
        }
    }

    /// Variance of that residual if `z` is true.
    fn variance(self, z: &Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gaussian { std } => z.ones_like() * (std * std),
            Self::Poisson { gain, .. } => self.rate(z, gain) / (gain * gain),
        }
    }

    /// `d log p(y | z) / dz`: for both laws the residual over its variance, but where a rate of
    /// counts is at its least.
    fn slope(self, y: Tensor<2>, z: &Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gaussian { std } => (y - z.clone()) / (std * std),
            Self::Poisson { gain, .. } => (y / self.rate(z, gain) - 1.0) * gain,
        }
    }

    /// `gain (z + offset)`, at least the least rate.
    fn rate(self, z: &Tensor<2>, gain: f64) -> Tensor<2> {
        match self {
            Self::Gaussian { .. } => z.clone(),
            Self::Poisson { offset, .. } => {
                ((z.clone() + offset) * gain).clamp_min(Self::LEAST_RATE)
            }
        }
    }
}

/// A linear observation `y = A x_1` with noise.
#[derive(Clone, Debug)]
pub struct Observation<A> {
    operator: A,
    y: Tensor<2>,
    noise: ObservationNoise,
}

impl<A: LinearOperator> Observation<A> {
    /// An observation, the same for all rows or one for each. What a mask hides may be NaN.
    ///
    /// # Shapes
    /// - `y`: `[1, m]` or `[B, m]`
    ///
    /// # Errors
    /// If the noise has no size or one beyond `1e-12` to `1e12`, a number that is seen is not
    /// finite, or a count is below zero or not whole.
    ///
    /// # Panics
    /// If `y` has other columns than the operator.
    pub fn new(operator: A, y: Tensor<2>, noise: ObservationNoise) -> Result<Self, SampleError> {
        noise.check()?;
        let ((_, m), columns) = (operator.sizes(), y.dims()[1]);
        assert_eq!(columns, m, "expected an observation of {m} numbers a row, got {columns}");
        let hidden = operator.seen(&y).equal_elem(0.0);
        let y = y.mask_fill(hidden, 0.0);
        noise.check_seen(&y)?;
        Ok(Self { operator, y, noise })
    }

    /// The operator of the observation.
    pub(super) fn operator(&self) -> &A {
        &self.operator
    }

    /// `y - A x_1` in the units of `A x_1`, zero where nothing is seen, and its variance `[B, m]`.
    pub(super) fn residual(&self, data: &Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let z = self.operator.apply(data);
        let y = for_rows_of(&self.y, &z);
        let (variance, seen) = (self.noise.variance(&z), self.operator.seen(&z));
        (self.noise.residual(y, z) * seen, variance)
    }
}

impl<A: LinearOperator> Evidence for Observation<A> {
    fn gradient(&self, data: &Tensor<2>) -> Tensor<2> {
        let z = self.operator.apply(data);
        self.operator.adjoint(&self.noise.slope(for_rows_of(&self.y, &z), &z))
    }

    fn misfit(&self, data: &Tensor<2>) -> Tensor<2> {
        let (residual, variance) = self.residual(data);
        let seen = self.operator.seen(&residual).sum_dim(1);
        ((residual.square() / variance).sum_dim(1) / seen.clamp_min(1.0)).sqrt()
    }
}

/// An observation `y = f(x_1)` with noise, for any function made of tensor operations.
///
/// Its gradient goes through the function by autodiff; of the methods [`Dps`](super::Dps) takes it.
#[derive(Clone, Debug)]
pub struct Measurement<F> {
    function: F,
    y: Tensor<2>,
    noise: ObservationNoise,
}

impl<F: Fn(&Tensor<2>) -> Tensor<2>> Measurement<F> {
    /// An observation, the same for all rows or one for each.
    ///
    /// # Shapes
    /// - `y` and what the function makes of `[B, d]`: `[B, m]`, `[1, m]` for `y` if it is the same
    ///
    /// # Errors
    /// If the noise has no size or one beyond `1e-12` to `1e12`, a number is not finite, or a count
    /// below zero.
    pub fn new(function: F, y: Tensor<2>, noise: ObservationNoise) -> Result<Self, SampleError> {
        noise.check()?;
        noise.check_seen(&y)?;
        Ok(Self { function, y, noise })
    }
}

impl<F: Fn(&Tensor<2>) -> Tensor<2>> Evidence for Measurement<F> {
    fn gradient(&self, data: &Tensor<2>) -> Tensor<2> {
        let slope = |z: &Tensor<2>| self.noise.slope(for_rows_of(&self.y, z), z);
        pull_back("measurement", &self.function, data.clone(), slope).1
    }

    fn misfit(&self, data: &Tensor<2>) -> Tensor<2> {
        let z = (self.function)(data);
        let y = for_rows_of(&self.y, &z);
        let variance = self.noise.variance(&z);
        (self.noise.residual(y, z).square() / variance).mean_dim(1).sqrt()
    }
}
