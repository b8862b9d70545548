//! A schedule made of two functions.

use std::fmt::{self, Debug};
use std::sync::Arc;

use super::{Coefficients, Dual, Schedule};
use crate::config::{insist, positive, within};

type Curve = Arc<dyn Fn(f64) -> (f64, f64) + Send + Sync>;

/// A schedule given by two functions of time.
///
/// # Example
/// A schedule that is not shipped, differentiated by running its own code on [`Dual`] numbers:
/// ```
/// use flow_path::{FromFunctions, Schedule};
///
/// let schedule = FromFunctions::new(|t| t * t, |t| (1.0 - t * t * t).sqrt());
/// assert_eq!(schedule.at(0.5).d_alpha, 1.0);
/// ```
#[derive(Clone)]
pub struct FromFunctions {
    alpha: Curve,
    sigma: Curve,
    prior_std: f64,
    span: (f64, f64),
}

impl FromFunctions {
    /// The schedule of `alpha` and `sigma`, differentiated forward; what they return is taken as it
    /// is.
    pub fn new(
        alpha: impl Fn(Dual) -> Dual + Send + Sync + 'static,
        sigma: impl Fn(Dual) -> Dual + Send + Sync + 'static,
    ) -> Self {
        let curve = |f: Box<dyn Fn(Dual) -> Dual + Send + Sync>| -> Curve {
            Arc::new(move |t| {
                let y = f(Dual::variable(t));
                (y.value, y.derivative)
            })
        };
        Self::from_curves(curve(Box::new(alpha)), curve(Box::new(sigma)))
    }

    /// The schedule of two functions that return their value and their derivative, taken as they
    /// are.
    pub fn with_derivatives(
        alpha: impl Fn(f64) -> (f64, f64) + Send + Sync + 'static,
        sigma: impl Fn(f64) -> (f64, f64) + Send + Sync + 'static,
    ) -> Self {
        Self::from_curves(Arc::new(alpha), Arc::new(sigma))
    }

    fn from_curves(alpha: Curve, sigma: Curve) -> Self {
        Self { alpha, sigma, prior_std: 1.0, span: (0.0, 1.0) }
    }

    /// The standard deviation of the noise from which sampling starts; one unless set.
    ///
    /// # Panics
    /// If it is not a positive number.
    #[must_use]
    pub fn with_prior_std(self, prior_std: f64) -> Self {
        insist(positive("prior_std", prior_std));
        Self { prior_std, ..self }
    }

    /// The times between which the coefficients are finite; `(0, 1)` unless set.
    ///
    /// # Panics
    /// If the times are not in order within `[0, 1]`.
    #[must_use]
    pub fn with_span(self, span: (f64, f64)) -> Self {
        insist(within("start", span.0, 0.0 <= span.0 && span.0 < span.1, "[0, end)"));
        insist(within("end", span.1, span.1 <= 1.0, "(start, 1]"));
        Self { span, ..self }
    }
}

impl Schedule for FromFunctions {
    fn at(&self, t: f64) -> Coefficients {
        let (alpha, d_alpha) = (self.alpha)(t);
        let (sigma, d_sigma) = (self.sigma)(t);
        Coefficients { alpha, sigma, d_alpha, d_sigma }
    }

    fn prior_std(&self) -> f64 {
        self.prior_std
    }

    fn span(&self) -> (f64, f64) {
        self.span
    }
}

impl Debug for FromFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFunctions")
            .field("prior_std", &self.prior_std)
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}
