//! A network trained along one schedule, sampled along another.

use burn::tensor::Tensor;
use flow_path::{Prediction, Reading, Rescheduled, Schedule};

use crate::predictor::Predictor;

/// A predictor read along another schedule than its own, without retraining.
///
/// At time `r` of `along` it is asked at the time of equal signal-to-noise ratio, at `x` times the
/// quotient of the two scales; the answer is a pair of noise and data, which any prediction along
/// the new schedule mixes anew. Where the new schedule goes beyond the ratios at which the
/// predictor answers, pure noise and pure data among them, its first and last time stand in; but
/// where it answers a part of its own schedule only, as a network that predicts the noise does, the
/// new span is cut at the same ratios.
///
/// Paths along both schedules are the same but for scale and clock, so a flow map jumps along the
/// new one as exactly as along its own.
///
/// # Reference
/// Karras et al. (2022), "Elucidating the Design Space of Diffusion-Based Generative Models",
/// arXiv:2206.00364, section 4, on schedules chosen after training; Gao et al. (2024), "Diffusion
/// Meets Flow Matching: Two Sides of the Same Coin".
#[derive(Clone, Copy, Debug)]
pub struct Retimed<P, S> {
    /// The predictor, with the schedule of its training.
    pub predictor: P,
    /// The schedule to sample along.
    pub along: S,
}

impl<P: Predictor, S: Schedule> Predictor for Retimed<P, S> {
    fn schedule(&self) -> &dyn Schedule {
        &self.along
    }

    fn span(&self) -> (f64, f64) {
        let own = self.predictor.schedule();
        let ((first, last), (start, end)) = (own.span(), self.predictor.span());
        let same_ratio = |t: f64| self.along.time_at_log_snr(own.at(t).log_snr());
        let (mut span, cut) = (self.along.span(), (first < start, end < last));
        if cut.0 {
            span.0 = same_ratio(start);
        }
        if cut.1 {
            span.1 = same_ratio(end);
        }
        span
    }

    fn calls(&self, r: f64) -> usize {
        self.predictor.calls(self.reading(r).t)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, r: f64) -> Tensor<2> {
        let reading = self.reading(r);
        // The v-prediction gives the pair everywhere, so nothing is lost on the way.
        let between = Prediction::V;
        let inner = x.clone() / reading.scale;
        let value = self.predictor.predict(between, &inner, reading.t);
        let (a, b) = reading.convert(between, what);
        value * a + x.clone() * b
    }

    /// The jump between the times of equal ratios, at the scale of each.
    fn jump(&self, x: &Tensor<2>, r: f64, q: f64) -> Option<Tensor<2>> {
        let (from, to) = (self.reading(r), self.reading(q));
        let end = self.predictor.jump(&(x.clone() / from.scale), from.t, to.t)?;
        Some(end * to.scale)
    }
}

impl<P, S: Schedule> Retimed<P, S> {
    fn reading(&self, r: f64) -> Reading
    where
        P: Predictor,
    {
        let rescheduled = Rescheduled { trained: self.predictor.schedule(), along: &self.along };
        rescheduled.reading_within(r, self.predictor.span())
    }
}
