//! Sampling along another schedule than the one trained on.

use burn::prelude::*;

use crate::prediction::combine;
use crate::times::column;
use crate::{Coefficients, Prediction, Schedule, Times};

/// A network trained along one schedule, read along another, without retraining.
///
/// Two affine paths hold the same mixtures of noise and data up to scale: at time `r` of `along`,
/// the point `x` divided by `scale` is a point of `trained` at the time `t` of equal
/// signal-to-noise ratio. Predictions of data or noise carry over as they are, the others by the
/// algebra of [`Prediction`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rescheduled<A, B> {
    /// The schedule of training.
    pub trained: A,
    /// The schedule to sample along.
    pub along: B,
}

/// How the trained network is to be read at one time of the new schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Time to give to the network.
    pub t: f64,
    /// The network's input is `x / scale`.
    pub scale: f64,
    /// Coefficients of the trained schedule at `t`.
    pub trained: Coefficients,
    /// Coefficients of the new schedule.
    pub along: Coefficients,
}

impl<A: Schedule, B: Schedule> Rescheduled<A, B> {
    /// The reading at time `r` of the new schedule.
    ///
    /// Pure noise and pure data have a reading too: the end of the trained span. Where the new
    /// schedule goes beyond the trained signal-to-noise ratios, the end of the trained span stands
    /// in.
    #[must_use]
    pub fn reading(&self, r: f64) -> Reading {
        self.reading_within(r, self.trained.span())
    }

    /// The reading at time `r` of the new schedule of a network that answers between two times
    /// only.
    #[must_use]
    pub fn reading_within(&self, r: f64, (start, end): (f64, f64)) -> Reading {
        let along = self.along.at(r);
        let t = self.trained.time_at_log_snr(along.log_snr()).clamp(start, end);
        let trained = self.trained.at(t);
        // At equal ratios both factors have the same quotient; their norm is never zero.
        let scale = along.alpha.hypot(along.sigma) / trained.alpha.hypot(trained.sigma);
        Reading { t, scale, trained, along }
    }

    /// The network's inputs for a batch at times `r`: points and times of the trained schedule.
    ///
    /// # Shapes
    /// `x` and the output are `[B, ..]`; `r` holds `B` times.
    #[must_use]
    pub fn input<const D: usize>(&self, x: Tensor<D>, r: &Times) -> (Tensor<D>, Times) {
        let readings = r.iter().map(|r| self.reading(r));
        let (scale, t) = readings.map(|n| (n.scale.recip(), n.t)).unzip();
        (column(&x, scale) * x, Times::new(t))
    }

    /// The network's output for a batch as a prediction along the new schedule.
    ///
    /// # Shapes
    /// `value` (the output), `x` (along the new schedule) and the result are `[B, ..]`.
    #[must_use]
    pub fn output<const D: usize>(
        &self,
        from: Prediction,
        to: Prediction,
        value: Tensor<D>,
        x: Tensor<D>,
        r: &Times,
    ) -> Tensor<D> {
        let (a, b) = r.iter().map(|r| self.reading(r).convert(from, to)).unzip();
        column(&value, a) * value + column(&x, b) * x
    }
}

impl Reading {
    /// The scalars `(a, b)` with `value_along = a value_trained + b x_along`.
    #[must_use]
    pub fn convert(&self, from: Prediction, to: Prediction) -> (f64, f64) {
        let (trained, along) = (&self.trained, &self.along);
        combine(from.factors(trained), (along.alpha, along.sigma), to.factors(along))
    }
}
